"""Whatever is asked, the answer is a collection or an error of FHIRPath."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from polyclinic.kernel import fhirpath
from polyclinic.kernel.fhirpath import Environment, FhirPathError, Limits, Node
from polyclinic.kernel.fhirpath.functions import FUNCTIONS
from polyclinic.kernel.types import from_json
from polyclinic.testing.clock import FixedClock

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "contained": [{"resourceType": "Organization", "id": "o1", "name": "Ward"}],
    "extension": [{"url": "http://a.example/b", "valueQuantity": {"value": 1.50, "unit": "mg"}}],
    "active": True,
    "name": [{"use": "official", "family": "Ek", "given": ["Ada", "Bo"]}, {"text": "Ada"}],
    "birthDate": "1974-12",
    "_birthDate": {"extension": [{"url": "http://a.example/c", "valueTime": "10:30:00"}]},
    "deceasedDateTime": "2020-02-29T23:59:60.500-05:00",
    "multipleBirthInteger": 2,
    "managingOrganization": {"reference": "#o1"},
}
RESOURCE = from_json(PATIENT)
SMALL = Environment(
    limits=Limits(steps=3_000, items=500, characters=5_000, seconds=0.5), clock=FixedClock()
)

LITERALS = (
    *("0", "1", "-3", "2147483647", "1.0", "0.000001", "10.50", "true", "false", "{}"),
    *("''", "'a'", "'Ada'", "'1'", "'1974'", "'(a+)+$'", "'base64'", "'html'", "'$1'"),
    *("@2014", "@2014-02-28", "@2012-02-29T12:30:01.5-03:30", "@T10", "@T23:59:59.999"),
    *("4 days", "1 year", "2 'mg'", "5.5 'cm'", "1 '1'", "$this", "$index", "$total"),
    *("%resource", "%context", "%ucum", "%`vs-x`", "%unknown"),
    *("Patient", "name", "name.given", "birthDate", "deceased", "multipleBirth", "contained"),
    *("extension.value", "birthDate.extension.value", "name.where(use = 'official').given"),
)
OPERATORS = (
    *("+", "-", "*", "/", "div", "mod", "&", "|", "=", "!=", "~", "!~", "<", ">", "<=", ">="),
    *("and", "or", "xor", "implies", "in", "contains"),
)
TYPES = ("Quantity", "string", "String", "Patient", "FHIR.code", "System.DateTime", "Element")


@st.composite
def calls(draw, expressions):
    name = draw(st.sampled_from(sorted(FUNCTIONS)))
    low, high = FUNCTIONS[name].arguments
    arguments = draw(st.lists(expressions, min_size=low, max_size=high))
    return f"({draw(expressions)}).{name}({', '.join(arguments)})"


def compound(inner):
    return st.one_of(
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map(lambda t: f"({' '.join(t)})"),
        calls(inner),
        st.tuples(inner, st.sampled_from(("is", "as")), st.sampled_from(TYPES)).map(
            lambda t: f"({' '.join(t)})"
        ),
        st.tuples(inner, st.sampled_from(TYPES)).map(lambda t: f"({t[0]}).ofType({t[1]})"),
        st.tuples(inner, inner).map(lambda t: f"({t[0]})[{t[1]}]"),
        inner.map(lambda text: f"-({text})"),
    )


EXPRESSIONS = st.recursive(st.sampled_from(LITERALS), compound, max_leaves=8)


def answer(expression, resource):
    """Return what is given, or the kind of the refusal."""
    try:
        return fhirpath.compile(expression).evaluate(resource, SMALL)
    except FhirPathError as error:
        return type(error)


@given(EXPRESSIONS)
@example("('x' | 1).repeat($this & 'x')")
@example("@2012-02-29T12:30:01.5-03:30 + 100000000000 days")
def test_any_expression_gives_nodes_or_is_refused(expression):
    found = answer(expression, RESOURCE)

    assert isinstance(found, type) or all(isinstance(node, Node) for node in found)


@given(EXPRESSIONS)
def test_json_gives_what_a_resource_gives(expression):
    of_resource, of_json = answer(expression, RESOURCE), answer(expression, PATIENT)

    assert kinds(of_resource) == kinds(of_json)


def kinds(found):
    if isinstance(found, type):
        return found
    return [(node.type, node.value if node.type.system else None) for node in found]


NAMES = (
    *("name", "given", "birthDate", "_birthDate", "active", "extension", "valueQuantity", "value"),
    *("valueDecimal", "contained", "resourceType", "deceasedDateTime", "reference", "id", "code"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(("Patient", "1974")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(NAMES), JSON), EXPRESSIONS)
def test_any_json_gives_nodes_or_is_refused(members, expression):
    found = answer(expression, members | {"resourceType": "Patient"})

    assert isinstance(found, type | list)


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_is_refused(text):
    found = answer(text, RESOURCE)

    assert isinstance(found, type | list)


@given(
    st.lists(st.sampled_from((*LITERALS, *OPERATORS, *TYPES, *"()[]{}.,'`@%$/*-", "is", "where")))
)
@settings(max_examples=200)
def test_any_words_are_an_expression_or_are_refused(words):
    found = answer(" ".join(words), RESOURCE)

    assert isinstance(found, type | list)
