"""Any Bundle is answered: done, or refused with a reason, never with a failure of ours."""

import json
from base64 import b64encode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAMES = ["urn:uuid:3f6a1c1e-0c5f-4c27-9d0e-0d4b1f6f2a11", "http://x.example/fhir/Patient/1", "x"]
CONDITIONS = [
    "identifier=urn:s|1",
    "_id=a",
    "name=\x00",
    "identifier=%ff",
    "birthdate=gt1",
    "a",
    "",
]
REFERENCES = [
    *NAMES,
    "Patient/a",
    "Patient?identifier=urn:s|1",
    "Patient?",
    "Patient?a",
    "urn:oid:1",
]
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.just([]), st.just({})
)

patients = st.fixed_dictionaries(
    {"resourceType": st.just("Patient")},
    optional={
        "id": st.sampled_from(["a", "b", "", "a/b", 7]),
        "identifier": st.just([{"system": "urn:s", "value": "1"}]),
        "active": st.one_of(st.booleans(), ODD),
        "managingOrganization": st.builds(
            lambda text: {"reference": text}, st.sampled_from(REFERENCES)
        ),
    },
)
conditions = st.builds(
    lambda text: {"resourceType": "Condition", "subject": {"reference": text}},
    st.sampled_from(REFERENCES),
)
patches = st.builds(
    lambda steps, media: {
        "resourceType": "Binary",
        "contentType": media,
        "data": b64encode(json.dumps(steps).encode()).decode(),
    },
    st.lists(
        st.fixed_dictionaries(
            {
                "op": st.sampled_from(["add", "remove", "test", "x"]),
                "path": st.sampled_from(["/active", "", "/id"]),
            },
            optional={"value": ODD},
        ),
        max_size=2,
    ),
    st.sampled_from(["application/json-patch+json", "text/plain"]),
)
urls = st.one_of(
    st.sampled_from(
        ["Patient", "Patient/a", "Condition", "Patient/b", "$changes", "", "Patient/a/b"]
    ),
    st.builds(lambda text: f"Patient?{text}", st.sampled_from(CONDITIONS)),
    st.text(max_size=12),
)
requests = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "x"]),
        "url": urls,
    },
    optional={
        "ifNoneExist": st.one_of(st.sampled_from(CONDITIONS), ODD),
        "ifMatch": st.sampled_from(['W/"1"', "x", ""]),
        "ifNoneMatch": st.sampled_from(["*", 'W/"1"']),
        "ifModifiedSince": st.sampled_from(["x", "2020-01-01T00:00:00Z"]),
    },
)
entries = st.fixed_dictionaries(
    {},
    optional={
        "request": st.one_of(requests, ODD),
        "resource": st.one_of(patients, conditions, patches, ODD),
        "fullUrl": st.one_of(st.sampled_from(NAMES), ODD),
    },
)
plausible = st.fixed_dictionaries(
    {"request": requests, "resource": st.one_of(patients, conditions, patches)},
    optional={"fullUrl": st.sampled_from(NAMES)},
)
bundles = st.fixed_dictionaries(
    {
        "resourceType": st.sampled_from(["Bundle", "Bundle", "Bundle", "Patient"]),
        "type": st.sampled_from(["transaction", "transaction", "batch", "collection"]),
        "entry": st.one_of(st.lists(plausible, max_size=4), st.lists(entries, max_size=4), ODD),
    }
)
HEADERS = st.sampled_from(
    [{}, {"prefer": "dry-run"}, {"prefer": "return=minimal"}, {"prefer": "return=OperationOutcome"}]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bundle=bundles, headers=HEADERS)
async def test_a_bundle_is_never_a_failure_of_ours(fhir, bundle, headers):
    answer = await fhir.post("", json=bundle, headers=headers)

    assert answer.status_code < 500, (bundle, answer.text)
    body = answer.json()
    if answer.status_code == 200 and body["resourceType"] == "Bundle":
        statuses = [row["response"]["status"] for row in body.get("entry", ())]
        assert len(statuses) == len(bundle.get("entry") or ())
        assert all(status[0] in "1234" for status in statuses), (bundle, statuses)
