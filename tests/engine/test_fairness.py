"""A large run leaves the threads to small ones, too."""

from time import monotonic
from typing import Any

from flowstudio.engine.limits import EngineLimits
from tests.engine.workbench import PATIENCE_S, Functions, Workbench, new_run, plan, step

ITEMS = 10_000


def dawdle(call: Any) -> None:
    call.cancel.wait(0.002)


def test_a_loop_over_10000_items_side_by_side_does_not_keep_small_runs_waiting(store: Any) -> None:
    """50 runs of two steps end while the loop is at work, in a small part of the time it takes: some 5 s."""
    bench = Workbench(store, Functions(dawdle=dawdle), EngineLimits(threads=4))
    loop = step("loop", "flow.loop", {"items": list(range(ITEMS)), "parallel": 1000})
    large = plan(loop, step("item", "test.dawdle", parent="loop"), edges="loop.body > item")
    small = plan(step("a"), step("b"), edges="a > b")
    assert bench.engine.submit(new_run(large, "large"))
    taken: list[float] = []
    for number in range(50):
        began = monotonic()
        assert bench.engine.submit(new_run(small, f"small{number}"))
        assert bench.engine.wait(f"small{number}", PATIENCE_S) is not None
        taken.append(monotonic() - began)
    assert bench.engine.is_active("large"), "the small runs came after the large one"
    bench.engine.cancel_all()
    bench.engine.close(PATIENCE_S)
    assert sorted(taken)[25] < 0.2
