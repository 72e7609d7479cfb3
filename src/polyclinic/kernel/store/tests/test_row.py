"""Rows as the arrays of one statement."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.store.row import EMPTY, Index, Row, arguments, ragged

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def row(rid, index=EMPTY):
    return Row(
        tenant=3,
        rid=rid,
        expected=0,
        existing=False,
        type=1,
        id=str(rid),
        deleted=False,
        updated=NOW,
        digest=5,
        dict_id=1,
        key_id=6,
        key_epoch=1,
        body=b"x",
        index=index,
        account=9,
    )


@given(st.lists(st.lists(st.integers(-(2**63), 2**63 - 1))))
def test_ragged_lists_are_cut_out_again_by_their_offsets(lists):
    values, offsets = ragged(lists)

    assert [values[offsets[at] : offsets[at + 1]] for at in range(len(lists))] == lists


def test_every_index_row_names_the_ordinal_of_its_resource():
    one = Index([11], [1, 2], [(5, 50)], [(6, 3, "a", 21)], [(7, 3, 1, 2)], [(8, 3, 0, 1.0, 2.0)])
    two = Index([], [3], [(5, 51)], [(6, 3, "b", 22)], [(7, 3, 3, 4)], [])

    given_ = arguments([row(1, one), row(2, two)], 0, 4, [100, 101])

    assert given_[17:20] == [(1, 2), (5, 5), (50, 51)]
    assert given_[20:24] == [(1, 2), (6, 6), (3, 3), ("a", "b")]
    assert given_[49] == (21, 22)
    assert given_[24:30] == [(1, 2), (7, 7), (3, 3), (11, 0), (1, 3), (2, 4)]
    assert given_[30:36] == [(1,), (8,), (3,), (0,), (1.0,), (2.0,)]


def test_rows_without_index_rows_give_empty_columns():
    given_ = arguments([row(1)], 0, 4, [100])

    assert given_[17:36] == [()] * 19
    assert given_[43:48] == [()] * 5


def test_labels_and_care_relations_name_the_ordinal_of_their_resource():
    one = Index([], [], [], [], [], [])
    two = Index([11], [], [], [], [], [], labels=[4, 5], care=[(9, 11, 0, 1)])

    given_ = arguments([row(1, one), row(2, two)], 0, 4, [100, 101])

    assert given_[41:43] == [[4, 5], [0, 0, 2]]
    assert given_[43:48] == [(2,), (9,), (11,), (0,), (1,)]


def test_a_date_stands_under_each_patient_and_is_marked_as_the_first_once():
    index = Index([11, 12, 13], [], [], [], [(7, 3, 1, 2)], [])

    given_ = arguments([row(1, index)], 0, 4, [100])

    assert given_[26:28] == [(3, 12, 12), (11, 12, 13)]


@pytest.mark.parametrize("emptied", Index.__struct_fields__)
def test_the_digest_of_an_index_differs_with_any_of_its_rows(emptied):
    rows = [(5, 50)], [(6, 3, "a", 21)], [(7, 3, 1, 2)], [(8, 3, 0, 1.0, 2.0)]
    whole = Index([11], [1], *rows, words=[6], labels=[4], care=[(9, 11, 0, 1)])

    less = msgspec.structs.replace(whole, **{emptied: []})

    assert whole.digest() != less.digest()
    assert whole.digest() == msgspec.structs.replace(whole).digest()
