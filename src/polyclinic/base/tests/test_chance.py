import pytest

from polyclinic.base.chance import Chance


def test_a_key_gives_the_same_numbers_again():
    first, again, other = Chance(1, "a"), Chance(1, "a"), Chance(1, "b")

    numbers = [first.whole(0, 10**9) for _ in range(5)]

    assert numbers == [again.whole(0, 10**9) for _ in range(5)]
    assert numbers != [other.whole(0, 10**9) for _ in range(5)]


def test_weights_decide_how_often_something_is_picked():
    chance = Chance("weights")

    picked = [chance.weighted("ab", (1, 3)) for _ in range(4000)]

    assert 2850 < picked.count("b") < 3150


def test_normal_numbers_have_their_mean_and_deviation():
    chance = Chance("normal")

    numbers = [chance.normal(10, 2) for _ in range(4000)]

    assert sum(numbers) / 4000 == pytest.approx(10, abs=0.15)
    assert sum((number - 10) ** 2 for number in numbers) / 4000 == pytest.approx(4, rel=0.1)
