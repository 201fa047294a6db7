"""A person at the window of a process of its own, who is there to be killed. Says on standard output what is done."""

import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from windows import CTRL, LOOK_MS, Person, window_on


class Waits:
    """What a Person needs of pytest-qt."""

    def waitUntil(self, is_it: Any, *, timeout: int = 5000) -> None:
        end = time.monotonic() + timeout / 1000
        while not is_it():
            assert time.monotonic() < end
            QTest.qWait(LOOK_MS)

    def wait(self, ms: int) -> None:
        QTest.qWait(ms)

    def waitExposed(self, _window: object) -> "Waits":
        return self

    def __enter__(self) -> None:
        """The window is shown inside."""

    def __exit__(self, *_error: object) -> None:
        QTest.qWait(LOOK_MS)


def say(text: str) -> None:
    print(text, flush=True)


def edit(person: Person) -> None:
    """Draws a step, then names it letter by letter without an end; says the name each time a letter is in the plan."""
    person.key(Qt.Key.Key_N, CTRL)
    person.drag_from_palette("fetch an address", 0, 0)
    person.write("Address", "http://127.0.0.1:9/never")
    person.write("Name of this step", "Name ")
    while True:
        person.type("abcdefghij"[len(person.plan.steps[0].title) % 10])
        say(person.plan.steps[0].title)


def run(person: Person, *addresses: str) -> None:
    """Draws a chain that fetches the addresses, and runs it."""
    person.key(Qt.Key.Key_N, CTRL)
    for number, address in enumerate(addresses):
        if number:
            person.quick_add("fetch an address")
        else:
            person.drag_from_palette("fetch an address", 0, 0)
        person.write("Address", address)
    person.run()
    say("running")
    person.sees_end()


def main(data_dir: str, scene: str, *rest: str) -> None:
    qt = QApplication([])
    environment = {"ENCRYPTION_KEY": os.environ["ENCRYPTION_KEY"]}
    with window_on(Path(data_dir), environment, Waits()) as person:  # type: ignore[arg-type]
        {"edit": edit, "run": run}[scene](person, *rest)
    qt.quit()


if __name__ == "__main__":
    main(*sys.argv[1:])
