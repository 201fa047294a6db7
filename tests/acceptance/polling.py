"""Waiting for what another process does, without sleeping blindly."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PAUSE_S = 0.05


def until(look: Callable[[], T], is_it: Callable[[T], bool], timeout_s: float = 30) -> T:
    """The first look that is it; fails with the last look when none is in time."""
    end = time.monotonic() + timeout_s
    pause = threading.Event()
    while not is_it(seen := look()):
        assert time.monotonic() < end, seen
        pause.wait(PAUSE_S)
    return seen
