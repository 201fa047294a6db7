"""Who is next in line for a thread."""

from flowstudio.engine.lanes import Lanes


def taken(lanes: Lanes[str], count: int) -> str:
    return " ".join(lanes.take() for _ in range(count))


def test_runs_take_turns_and_keep_their_own_order() -> None:
    lanes: Lanes[str] = Lanes()
    for item in ("a1", "a2", "a3", "b1", "b2"):
        lanes.put(("u", item[0]), item)
    assert taken(lanes, 5) == "a1 b1 a2 b2 a3"


def test_a_user_with_many_runs_does_not_stand_before_one_with_few() -> None:
    lanes: Lanes[str] = Lanes()
    for number in range(4):
        lanes.put(("many", f"r{number}"), f"m{number}")
    lanes.put(("few", "r"), "f0")
    assert taken(lanes, 5) == "m0 f0 m1 m2 m3"


def test_who_comes_again_stands_behind_those_who_wait() -> None:
    lanes: Lanes[str] = Lanes()
    lanes.put(("u", "a"), "a1")
    lanes.put(("u", "b"), "b1")
    assert lanes.take() == "a1"
    lanes.put(("u", "a"), "a2")
    assert taken(lanes, 2) == "b1 a2"
