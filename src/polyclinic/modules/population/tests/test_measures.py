from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.modules.population.appointments import booking_of
from polyclinic.modules.population.dates import add_months, age_in_years, working_day
from polyclinic.modules.population.growth import growth_value
from polyclinic.modules.population.laboratory import interpretation
from polyclinic.modules.population.renal import creatinine_for, filtration_rate

DAYS = st.dates(date(1930, 1, 1), date(2090, 1, 1))


@pytest.mark.parametrize(
    ("creatinine", "age", "sex", "expected"),
    [
        (1.0, 50, "male", 92),
        (0.8, 50, "female", 90),
        (2.5, 70, "male", 27),
        (0.6, 30, "female", 124),
        (5.2, 82, "female", 8),
    ],
)
def test_the_filtration_rate_is_that_of_ckd_epi_2021(creatinine, age, sex, expected):
    assert filtration_rate(creatinine, age, sex) == pytest.approx(expected, abs=0.5)


@given(st.floats(15, 59), st.integers(18, 95), st.sampled_from(["male", "female"]))
def test_creatinine_and_filtration_rate_are_inverse(rate, age, sex):
    assert filtration_rate(creatinine_for(rate, age, sex), age, sex) == pytest.approx(rate)


@pytest.mark.parametrize(
    ("sex", "measure", "months", "median"),
    [
        ("male", "height", 0, 49.88),
        ("female", "weight", 0, 3.23),
        ("male", "weight", 12, 9.65),
        ("female", "height", 126.5, 141.0),
        ("male", "height", 400, 176.75),
    ],
)
def test_a_z_score_of_zero_is_the_median(sex, measure, months, median):
    assert growth_value(sex, measure, months, 0.0) == pytest.approx(median, abs=0.06)


@given(
    st.sampled_from(["male", "female"]),
    st.sampled_from(["height", "weight"]),
    st.floats(0, 240),
    st.floats(-2.2, 2.2),
)
def test_a_higher_z_score_is_a_larger_value(sex, measure, months, z):
    assert growth_value(sex, measure, months, z + 0.1) > growth_value(sex, measure, months, z)


@given(DAYS, st.integers(0, 1200))
def test_adding_twelve_months_makes_a_year_older(day, months):
    later = add_months(day, months)

    assert age_in_years(day, later + timedelta(days=1)) in (months // 12, months // 12 + 1)
    assert age_in_years(day, later - timedelta(days=1)) <= months // 12


@given(DAYS, st.integers(-400, 400))
def test_working_days_are_no_weekends_and_keep_their_order(day, offset):
    assert working_day(day, offset).weekday() < 5
    assert working_day(day, offset) < working_day(day, offset + 1)


def test_a_hundred_thousand_patients_share_no_place_in_the_diary():
    bookings = [booking for booking in map(booking_of, range(100_000)) if booking]

    assert len(bookings) == len(set(bookings))
    assert max(booking.offset for booking in bookings) < 400


@pytest.mark.parametrize(("value", "expected"), [(3.4, "L"), (3.5, "N"), (5.0, "N"), (5.1, "H")])
def test_the_limits_belong_to_the_range(value, expected):
    assert interpretation(value, 3.5, 5.0) == expected
