"""The examples that AWS publishes for Signature Version 4 in S3.

"Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)", Amazon Simple
Storage Service API Reference,
https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from polyclinic.base.blob.signature import (
    Credentials,
    Unsigned,
    encoded_path,
    encoded_query,
    signed,
)

EXAMPLE = Credentials(
    "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1"
)
HOST = "examplebucket.s3.amazonaws.com"
NOW = datetime(2013, 5, 24, tzinfo=UTC)
SCOPE = "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"


@pytest.mark.parametrize(
    ("request_", "signature"),
    [
        (
            Unsigned("GET", HOST, "/test.txt", headers={"Range": "bytes=0-9"}),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            Unsigned(
                "PUT",
                HOST,
                "/test$file.text",
                headers={
                    "Date": "Fri, 24 May 2013 00:00:00 GMT",
                    "x-amz-storage-class": "REDUCED_REDUNDANCY",
                },
                body=b"Welcome to Amazon S3.",
            ),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            Unsigned("GET", HOST, "/", [("lifecycle", "")]),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            Unsigned("GET", HOST, "/", [("prefix", "J"), ("max-keys", "2")]),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
    ids=["get an object", "put an object", "get the lifecycle", "list the bucket"],
)
def test_a_published_example_has_its_published_signature(request_, signature):
    headers = signed(request_, EXAMPLE, NOW)

    assert headers["authorization"].endswith(f",Signature={signature}")
    assert SCOPE in headers["authorization"]
    assert headers["x-amz-date"] == "20130524T000000Z"
    assert "host" not in headers


def test_any_change_of_the_request_changes_the_signature():
    request = Unsigned("PUT", HOST, "/a", [("b", "c")], {"x-d": "e"}, b"f")
    requests = [
        request,
        replace(request, method="GET"),
        replace(request, host="other.example"),
        replace(request, path="/b"),
        replace(request, query=[("b", "d")]),
        replace(request, headers={"x-d": "f"}),
        replace(request, body=b"g"),
    ]

    signatures = {signed(one, EXAMPLE, NOW)["authorization"][-64:] for one in requests}

    assert len(signatures) == len(requests)


def test_the_moment_is_that_of_utc():
    rome = timezone(timedelta(hours=2))
    request = Unsigned("GET", HOST, "/")

    assert signed(request, EXAMPLE, NOW.astimezone(rome)) == signed(request, EXAMPLE, NOW)


def test_paths_and_queries_are_encoded_as_s3_does():
    assert encoded_path("/a b/c$d/~e") == "/a%20b/c%24d/~e"
    assert encoded_query([("b", "a/ b"), ("a", "")]) == "a=&b=a%2F%20b"


def test_a_secret_is_not_shown():
    assert "wJalrXUtnFEMI" not in repr(EXAMPLE)
