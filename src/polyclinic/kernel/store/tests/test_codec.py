"""Bodies on disk."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zstandard import ZstdCompressor, ZstdError

from polyclinic.kernel.store.codec import CURRENT, pack, unpack

PATIENT = b'{"resourceType":"Patient","id":"p","name":[{"family":"Amani","given":["Zuri"]}]}' * 3


@given(st.binary(max_size=5000))
def test_unpack_returns_what_was_packed(body):
    assert unpack(CURRENT, pack(body)) == body


def test_a_body_without_a_dictionary_is_read_too():
    assert unpack(0, ZstdCompressor().compress(PATIENT)) == PATIENT


@given(st.data())
def test_a_damaged_frame_is_never_taken_for_a_body(data):
    packed = bytearray(pack(PATIENT))
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= data.draw(st.integers(1, 255))

    try:
        found = unpack(CURRENT, bytes(packed))
    except ZstdError:
        found = PATIENT

    # A bit of the header that says nothing about the content may change.
    assert found == PATIENT


@given(st.integers(0, len(pack(PATIENT)) - 1))
def test_a_frame_that_is_cut_is_refused(length):
    with pytest.raises(ZstdError):
        unpack(CURRENT, pack(PATIENT)[:length])


def test_a_header_that_claims_to_be_huge_takes_no_memory():
    # Magic number, a descriptor with eight bytes of content size, and 2**60 of it.
    frame = bytes.fromhex("28b52ffd") + bytes([0b11100000]) + (2**60).to_bytes(8, "little")

    with pytest.raises(ZstdError, match="claims"):
        unpack(CURRENT, frame)


def test_a_frame_that_claims_to_be_huge_is_refused():
    bomb = ZstdCompressor(write_content_size=False).compressobj()
    frame = bomb.compress(bytes(65 * 1024 * 1024)) + bomb.flush()

    with pytest.raises(ZstdError):
        unpack(0, frame)
