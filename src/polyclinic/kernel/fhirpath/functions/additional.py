"""The functions that FHIR adds.

https://hl7.org/fhir/R4/fhirpath.html#functions
"""

from typing import Any, Final

from polyclinic.kernel.fhirpath.errors import EvaluationError
from polyclinic.kernel.fhirpath.functions.function import Function
from polyclinic.kernel.fhirpath.model import fhir_type, is_fhir_type, system_type
from polyclinic.kernel.fhirpath.node import (
    EMPTY,
    Collection,
    Node,
    boolean,
    resource_node,
    system_value,
)
from polyclinic.kernel.fhirpath.run import Run
from polyclinic.kernel.fhirpath.singleton import single, single_of
from polyclinic.kernel.fhirpath.walk import elements, follow
from polyclinic.kernel.types.narrative import is_narrative

_extensions = follow(("extension",))
_contained = follow(("contained",))
_entries = follow(("entry",))


def _extension(run: Run, nodes: Collection, url: Collection) -> Collection:
    wanted = single_of(url, str)
    if wanted is None:
        return EMPTY
    return [node for node in _extensions(run, nodes) if _member(node, "url") == wanted]


def _member(node: Node, name: str) -> Any:
    """Return what stands under a name that is no choice, or None."""
    if isinstance(node.value, dict):
        return node.value.get(name)
    return getattr(node.value, name, None) or None


def _has_value(_: Run, nodes: Collection) -> Collection:
    return boolean(len(nodes) == 1 and nodes[0].value is not None and _simple(nodes[0]))


def _simple(node: Node) -> bool:
    return node.type.primitive or node.type.system


def _get_value(_: Run, nodes: Collection) -> Collection:
    if len(nodes) != 1 or not _simple(nodes[0]):
        return EMPTY
    value, type_ = system_value(nodes[0]), system_type(nodes[0].type)
    return EMPTY if value is None or type_ is None else [Node(value, type_)]


def _resolve(run: Run, nodes: Collection) -> Collection:
    found: Collection = []
    for node in nodes:
        run.spend(1)
        text = node.value if isinstance(node.value, str) else _member(node, "reference")
        target = _resolved(run, text) if isinstance(text, str) else None
        if target is not None:
            found.append(target)
    return found


def _resolved(run: Run, reference: str) -> Node | None:
    """Return the resource that a reference names: contained, in the same Bundle, or elsewhere."""
    if reference.startswith("#"):
        return _with_id(run, reference[1:])
    for entry in _entries(run, run.root):
        if _member(entry, "fullUrl") == reference:
            return next(iter(elements(entry, "resource")), None)
    found = run.environment.resolve(reference)
    return found if found is None or isinstance(found, Node) else resource_node(found)


def _with_id(run: Run, id_: str) -> Node | None:
    if not id_:
        return run.root[0] if run.root else None
    inner = _contained(run, run.root)
    return next((node for node in inner if _member(node, "id") == id_), None)


def stub(reference: str) -> Node | None:
    """Return a resource of which nothing but type and id is known, from its reference.

    It answers ``resolve() is Patient`` in the expressions of search parameters, where no resource
    is read for it: a ``resolve`` of the Environment.
    """
    *_, type_, id_ = ("", "", *reference.partition("/_history")[0].split("/"))
    if not is_fhir_type(type_) or fhir_type("Resource") not in fhir_type(type_).ancestors:
        return None
    return Node({"resourceType": type_, "id": id_}, fhir_type(type_))


def _html_checks(_: Run, nodes: Collection) -> Collection:
    node = single(nodes)
    if node is None:
        return EMPTY
    return boolean(isinstance(node.value, str) and is_narrative(node.value))


def _conforms_to(run: Run, nodes: Collection, profile: Collection) -> Collection:
    node, url = single(nodes), single_of(profile, str)
    if node is None or url is None:
        return EMPTY
    found = run.environment.profiles.conforms(node, url)
    if found is None:
        message = "The profile of conformsTo() is not known here."
        raise EvaluationError(message)
    return boolean(found)


def _member_of(run: Run, nodes: Collection, value_set: Collection) -> Collection:
    node, url = single(nodes), single_of(value_set, str)
    if node is None or url is None:
        return EMPTY
    found = run.environment.terminology.member_of(node, url)
    if found is None:
        message = "The value set of memberOf() is not known here."
        raise EvaluationError(message)
    return boolean(found)


FUNCTIONS: Final = {
    "extension": Function(_extension, (1, 1)),
    "hasValue": Function(_has_value, gives="Boolean"),
    "getValue": Function(_get_value),
    "resolve": Function(_resolve),
    "htmlChecks": Function(_html_checks, gives="Boolean"),
    "conformsTo": Function(_conforms_to, (1, 1), gives="Boolean"),
    "memberOf": Function(_member_of, (1, 1), gives="Boolean"),
}
