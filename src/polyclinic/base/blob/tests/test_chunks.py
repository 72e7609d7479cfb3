"""R6: a stream that was changed anywhere does not open, at the chunk where it was changed."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyclinic.base.blob import ChunkOpener, ChunkSealer
from polyclinic.base.blob.chunks import CHUNK_BYTES, HEADER_BYTES, sealed_size
from polyclinic.base.crypto import CannotOpen, new_key

KEY = new_key()
SEALED = CHUNK_BYTES + 16
CONTENT = bytes(range(256)) * (3 * CHUNK_BYTES // 256) + b"end"
sizes = st.sampled_from(
    [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 9]
)


def seal(content, key=KEY):
    sealer = ChunkSealer(key)
    starts = list(range(0, len(content), CHUNK_BYTES)) or [0]
    chunks = [content[start : start + CHUNK_BYTES] for start in starts]
    sealed = [sealer.seal(chunk, last=False) for chunk in chunks[:-1]]
    return sealer.header + b"".join(sealed) + sealer.seal(chunks[-1], last=True)


def open_all(sealed, key=KEY, cuts=None):
    """Return what opens, and what was already given out when something did not."""
    opener, given_out = ChunkOpener(key), b""
    edges = [0, *(range(0, len(sealed), 4096) if cuts is None else sorted(cuts)), len(sealed)]
    try:
        for start, end in pairwise(edges):
            given_out += opener.feed(sealed[start:end])
        return given_out + opener.finish(), given_out
    except CannotOpen:
        return None, given_out


SEALED_CONTENT = seal(CONTENT)


@settings(max_examples=30)
@given(sizes, st.data())
def test_a_stream_opens_to_what_was_sealed_in_whatever_pieces(size, data):
    content = CONTENT[:size]
    sealed = seal(content)
    cuts = data.draw(st.lists(st.integers(0, len(sealed)), max_size=6))

    opened, _ = open_all(sealed, cuts=cuts)

    assert opened == content
    assert len(sealed) == sealed_size(size)


@settings(max_examples=40)
@given(st.integers(0, len(SEALED_CONTENT) - 1), st.integers(0, 7))
def test_r6_a_flipped_bit_is_found_at_its_chunk(at, bit):
    damaged = bytearray(SEALED_CONTENT)
    damaged[at] ^= 1 << bit

    opened, given_out = open_all(bytes(damaged))

    whole_chunks = max(0, at - HEADER_BYTES) // SEALED
    assert opened is None
    assert given_out == CONTENT[: whole_chunks * CHUNK_BYTES]


@settings(max_examples=40)
@given(st.integers(0, len(SEALED_CONTENT) - 1))
def test_r6_a_stream_that_was_cut_does_not_open_to_its_end(length):
    assert open_all(SEALED_CONTENT[:length])[0] is None


@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_r6_a_stream_that_was_cut_between_chunks_does_not_open(chunks):
    assert open_all(SEALED_CONTENT[: HEADER_BYTES + chunks * SEALED])[0] is None


def test_r6_what_follows_the_end_does_not_open():
    assert open_all(SEALED_CONTENT + b"\0")[0] is None
    assert open_all(SEALED_CONTENT + SEALED_CONTENT[HEADER_BYTES:])[0] is None


def moved(order):
    parts = [SEALED_CONTENT[HEADER_BYTES + n * SEALED :][:SEALED] for n in range(4)]
    return SEALED_CONTENT[:HEADER_BYTES] + b"".join(parts[n] for n in order)


def test_r6_chunks_that_were_swapped_doubled_or_left_out_do_not_open():
    assert open_all(moved([0, 1, 2, 3]))[0] == CONTENT

    for order in ([1, 0, 2, 3], [0, 0, 1, 2, 3], [0, 2, 3], [3], [0, 1, 2]):
        assert open_all(moved(order))[0] is None


def test_a_chunk_of_another_stream_under_the_same_key_does_not_open():
    other = seal(CONTENT)

    spliced = SEALED_CONTENT[: HEADER_BYTES + SEALED] + other[HEADER_BYTES + SEALED :]

    assert open_all(other)[0] == CONTENT
    assert open_all(spliced) == (None, CONTENT[:CHUNK_BYTES])


def test_another_key_does_not_open_it():
    assert open_all(SEALED_CONTENT, new_key()) == (None, b"")


def test_the_same_content_never_looks_the_same():
    assert seal(b"x")[HEADER_BYTES:] != seal(b"x")[HEADER_BYTES:]


@given(st.binary(max_size=80))
def test_what_is_no_stream_does_not_open(data):
    assert open_all(data) == (None, b"")
