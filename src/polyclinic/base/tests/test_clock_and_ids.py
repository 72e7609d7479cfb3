import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from polyclinic.base.clock import SystemClock
from polyclinic.base.ids import TimeOrderedIds

FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")  # https://hl7.org/fhir/R4/datatypes.html#id


class StoppedClock:
    def __init__(self, moment):
        self.moment = moment

    def now(self):
        return self.moment


def test_the_system_clock_reads_utc():
    assert SystemClock().now().tzinfo is UTC


def test_an_id_is_a_fhir_id_and_a_uuid_of_version_7():
    new = TimeOrderedIds().new()

    assert FHIR_ID.fullmatch(new)
    assert (UUID(new).version, UUID(new).variant) == (7, "specified in RFC 4122")


def test_an_id_holds_the_millisecond_of_the_clock():
    moment = datetime(2024, 2, 29, 12, tzinfo=UTC)

    new = TimeOrderedIds(StoppedClock(moment)).new()

    assert UUID(new).int >> 80 == int(moment.timestamp() * 1000)


def test_ids_rise_strictly_within_one_millisecond():
    ids = TimeOrderedIds(StoppedClock(datetime(2024, 1, 1, tzinfo=UTC)))

    made = [ids.new() for _ in range(10_000)]

    assert made == sorted(set(made))


def test_ids_rise_when_the_clock_steps_back():
    clock = StoppedClock(datetime(2024, 1, 1, tzinfo=UTC))
    ids = TimeOrderedIds(clock)
    before = ids.new()

    clock.moment -= timedelta(hours=1)

    assert ids.new() > before
