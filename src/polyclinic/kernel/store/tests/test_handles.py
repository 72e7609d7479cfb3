"""The bounded memory of where resources stand."""

from polyclinic.kernel.store.handles import Handle, Handles


def handle(rid):
    return Handle(rid, 1, deleted=False, digest=0)


def test_it_never_holds_more_than_its_bound():
    handles = Handles(largest=100)

    for rid in range(1000):
        handles.put((1, 1, str(rid)), handle(rid))

    kept = [rid for rid in range(1000) if handles.get((1, 1, str(rid)))]
    assert 90 <= len(kept) <= 100


def test_the_oldest_go_first():
    handles = Handles(largest=10)

    for rid in range(11):
        handles.put((1, 1, str(rid)), handle(rid))

    assert handles.get((1, 1, "0")) is None
    assert handles.get((1, 1, "10")) == handle(10)


def test_a_tenant_does_not_see_the_handle_of_another():
    handles = Handles()

    handles.put((1, 7, "same"), handle(1))

    assert handles.get((2, 7, "same")) is None


def test_what_is_forgotten_is_asked_for_again():
    handles = Handles()
    handles.put((1, 7, "a"), handle(1))

    handles.forget((1, 7, "a"))
    handles.forget((1, 7, "never there"))

    assert handles.get((1, 7, "a")) is None
