"""A memory that forgets what was longest not asked for."""

from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.store.recent import Recent

KEYS = st.integers(0, 6)
STEPS = st.lists(st.tuples(st.sampled_from(["put", "get", "forget"]), KEYS))


@given(STEPS, st.integers(1, 4))
def test_it_remembers_what_a_list_in_the_order_of_use_does(steps, largest):
    recent: Recent[int, int] = Recent(largest)
    model: OrderedDict[int, int] = OrderedDict()

    for at, (step, key) in enumerate(steps):
        if step == "put":
            recent.put(key, at + 1)
            model.pop(key, None)
            model[key] = at + 1
            if len(model) > largest:
                model.popitem(last=False)
        elif step == "forget":
            recent.forget(key)
            model.pop(key, None)
        else:
            assert recent.get(key) == model.get(key)
            if key in model:
                model.move_to_end(key)

    assert len(recent) == len(model) <= largest
    assert {key: recent.get(key) for key in model} == dict(model)


def test_it_forgets_everything_at_once():
    recent: Recent[str, int] = Recent(3)
    recent.put("a", 1)

    recent.clear()

    assert (recent.get("a"), len(recent)) == (None, 0)
