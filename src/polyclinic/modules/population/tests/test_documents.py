"""Letters are PDF files that a viewer can read; reports say what was seen."""

import re
from base64 import b64decode
from itertools import pairwise
from struct import unpack
from zlib import decompress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.base.chance import Chance
from polyclinic.modules.population.electrocardiogram import HEIGHT, WIDTH, strip
from polyclinic.modules.population.imaging import unique_identifier
from polyclinic.modules.population.pdf import letter

OFFSET = re.compile(rb"^(\d{10}) 00000 n $", re.MULTILINE)


def offsets_are_right(file):
    """Say whether each entry of the cross-reference table points to its object."""
    start = int(file.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    offsets = [int(found) for found in OFFSET.findall(file[start:])]
    return bool(offsets) and all(
        file[offset:].startswith(b"%d 0 obj\n" % number) for number, offset in enumerate(offsets, 1)
    )


@given(st.text(max_size=300), st.text(max_size=4000))
def test_any_text_makes_a_file_whose_table_is_right(title, text):
    file = letter(title, text)

    assert file.startswith(b"%PDF-1.4")
    assert file.endswith(b"%%EOF\n")
    assert offsets_are_right(file)


def test_a_long_letter_has_several_pages():
    assert letter("Long", "line\n" * 130).count(b"/Type /Page /Parent") == 3


def test_a_name_outside_of_the_font_s_letters_is_still_readable():
    file = letter("Đức Nguyễn", "Đức Nguyễn came with his wife (Lan).")

    assert b"(Duc Nguyen came with his wife \\(Lan\\).)" in file


def test_a_strip_is_a_png_image_of_its_size():
    image = strip(72.0, Chance("strip"))
    (width, height, depth, colour), chunks = unpack(">IIBB", image[16:26]), image[8:]
    data = chunks[chunks.index(b"IDAT") + 4 : chunks.index(b"IEND") - 8]

    assert (width, height, depth, colour) == (WIDTH, HEIGHT, 1, 0)
    assert len(decompress(data)) == HEIGHT * (WIDTH // 8 + 1)


def test_a_strip_has_as_many_high_waves_as_beats():
    rows = decompressed(strip(60.0, Chance("beats")))
    high = [column for column in range(WIDTH) if column % 40 and bit(rows, column, 90)]
    beats = 1 + sum(later - earlier > 40 for earlier, later in pairwise(high))

    assert beats in (4, 5, 6)


def decompressed(image):
    data = decompress(image[image.index(b"IDAT") + 4 : image.index(b"IEND") - 8])
    return [
        data[start + 1 : start + 1 + WIDTH // 8] for start in range(0, len(data), WIDTH // 8 + 1)
    ]


def bit(rows, column, row):
    """Say whether the wave covers a place between the lines of the grid."""
    return not rows[row + 1][column // 8] & (0x80 >> column % 8)


def test_a_letter_is_the_same_every_time():
    assert letter("a", "b") == letter("a", "b")


def test_every_attachment_says_its_size_and_type(population):
    attachments = [
        row["content"][0]["attachment"]
        for row in population
        if row["resourceType"] == "DocumentReference"
    ]

    assert all(one["size"] == len(b64decode(one["data"])) for one in attachments)
    assert {one["contentType"].split(";")[0] for one in attachments} == {
        "text/plain",
        "application/pdf",
        "image/png",
    }


def test_some_of_the_latest_notes_wait_for_their_author(population):
    states = {row["docStatus"] for row in population if row["resourceType"] == "DocumentReference"}

    assert states == {"final", "preliminary"}


def test_an_imaging_report_is_based_on_the_order_of_its_study(population):
    studies = {
        f"ImagingStudy/{row['id']}": row
        for row in population
        if row["resourceType"] == "ImagingStudy"
    }
    reports = [row for row in population if "imagingStudy" in row]

    assert len(reports) == len(studies)
    assert all(
        row["basedOn"] == studies[row["imagingStudy"][0]["reference"]]["basedOn"] for row in reports
    )
    assert all(
        row["conclusion"] in b64decode(row["presentedForm"][0]["data"]).decode() for row in reports
    )


def test_studies_and_their_series_have_identifiers_of_their_own(population):
    identifiers = [
        uid
        for row in population
        if row["resourceType"] == "ImagingStudy"
        for uid in (row["identifier"][0]["value"], *(one["uid"] for one in row["series"]))
    ]

    assert len(identifiers) == len(set(identifiers))


@pytest.mark.parametrize("name", ["", "a", "Ω" * 200])
def test_a_unique_identifier_is_one_of_dicom(name):
    assert re.fullmatch(r"2\.25\.(0|[1-9]\d{0,38})", unique_identifier(name))
    assert len(unique_identifier(name)) <= 64


def test_some_imaging_is_still_to_be_done(population):
    states = {
        row["status"]
        for row in population
        if row["resourceType"] == "ServiceRequest" and row["category"][0]["text"] == "Imaging"
    }

    assert states == {"active", "completed"}
