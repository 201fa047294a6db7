"""PySide6 6.12.0 loses a reference to None in every void call and kills CPython 3.11 after some thousand of them."""

import sys

from PySide6.QtCore import QObject


def test_a_void_call_leaves_the_references_to_none_alone() -> None:
    thing = QObject()
    before = sys.getrefcount(None)
    for number in range(1000):
        thing.setObjectName(str(number % 7))
    assert abs(sys.getrefcount(None) - before) < 50
