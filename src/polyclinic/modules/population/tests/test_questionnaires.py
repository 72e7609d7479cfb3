"""What was answered adds up to the score on record."""

from hypothesis import given
from hypothesis import strategies as st

from polyclinic.base.chance import Chance
from polyclinic.modules.population.questionnaires import spread

SELF_HARM = "/44260-8"


@given(st.integers(), st.sampled_from([7, 9]), st.data())
def test_points_add_up_and_lie_between_nothing_and_every_day(seed, count, data):
    score = data.draw(st.integers(0, 3 * count))

    points = spread(Chance(seed), score, count)

    assert sum(points) == score
    assert set(points) <= {0, 1, 2, 3}


def points_of(response):
    return [
        item["answer"][0]["valueCoding"]["extension"][0]["valueDecimal"]
        for item in response["item"]
    ]


def test_the_score_is_the_sum_of_the_answers(population):
    responses = {
        f"QuestionnaireResponse/{row['id']}": row
        for row in population
        if row["resourceType"] == "QuestionnaireResponse"
    }
    scores = [row for row in population if "derivedFrom" in row]

    assert len(scores) == len(responses)
    assert all(
        row["valueQuantity"]["value"]
        == sum(points_of(responses[row["derivedFrom"][0]["reference"]]))
        for row in scores
    )


def test_every_response_answers_a_questionnaire_of_the_clinic_in_full(population):
    forms = {
        row["url"]: [item["linkId"] for item in row["item"]]
        for row in population
        if row["resourceType"] == "Questionnaire"
    }
    responses = [row for row in population if row["resourceType"] == "QuestionnaireResponse"]

    assert {row["questionnaire"] for row in responses} == set(forms)
    assert all(
        [item["linkId"] for item in row["item"]] == forms[row["questionnaire"]] for row in responses
    )


def test_thoughts_of_self_harm_are_left_to_the_gravely_ill(population):
    points = [
        (sum(points_of(row)), item["answer"][0]["valueCoding"]["extension"][0]["valueDecimal"])
        for row in population
        if row["resourceType"] == "QuestionnaireResponse"
        for item in row["item"]
        if item["linkId"] == SELF_HARM
    ]

    assert points
    assert all(score >= 20 or harm == 0 for score, harm in points)
