from threading import Event

import pytest

from flowstudio.workspace.errors import DatabaseLockedError
from flowstudio.workspace.history_space import Cleaned, StorageReport
from flowstudio.workspace.housekeeping import Housekeeping

DONE = Cleaned(0, 0, 0, 0, 0.0)
LONG_S = 3600.0
PATIENCE_S = 10.0


class Space:
    """Counts its cleanings. fault: what the first of them meets."""

    def __init__(self, fault: Exception | None = None, *, is_over: bool = False) -> None:
        self.cleaned = 0
        self.again = Event()
        self._fault = fault
        self._is_over = is_over

    def report(self) -> StorageReport:
        raise AssertionError("nobody asked for a report")

    def is_over(self) -> bool:
        return self._is_over

    def clean(self, stop: Event) -> Cleaned:
        self.cleaned += 1
        if self.cleaned == 1 and self._fault is not None:
            raise self._fault
        if self.cleaned == 2:
            self.again.set()
        return DONE


def test_it_cleans_again_after_its_time() -> None:
    space = Space()
    keeping = Housekeeping(space, first_after_s=0, every_s=0.01, look_every_s=0.01)
    keeping.start()
    assert space.again.wait(PATIENCE_S)
    keeping.close()


def test_it_cleans_before_its_time_when_the_history_outgrew_its_cap() -> None:
    space = Space(is_over=True)
    keeping = Housekeeping(space, first_after_s=0, every_s=LONG_S, look_every_s=0.01)
    keeping.start()
    assert space.again.wait(PATIENCE_S)
    keeping.close()


def test_a_cleaning_that_meets_a_locked_database_is_tried_again() -> None:
    space = Space(DatabaseLockedError("Another program is holding it."))
    keeping = Housekeeping(space, first_after_s=0, every_s=0.01, look_every_s=0.01)
    keeping.start()
    assert space.again.wait(PATIENCE_S)
    keeping.close()


@pytest.mark.logs("could not be cleaned")
def test_a_fault_of_ours_ends_a_cleaning_and_not_the_housekeeping() -> None:
    space = Space(ZeroDivisionError())
    keeping = Housekeeping(space, first_after_s=0, every_s=0.01, look_every_s=0.01)
    keeping.start()
    assert space.again.wait(PATIENCE_S)
    keeping.close()


def test_closing_wakes_it_and_what_never_started_closes_too() -> None:
    space = Space()
    keeping = Housekeeping(space, first_after_s=LONG_S)
    keeping.start()
    keeping.close()
    Housekeeping(space).close()
    assert space.cleaned == 0
