import logging
from dataclasses import dataclass

import pytest

from flowstudio.bus import Bus


@dataclass(frozen=True)
class Grown:
    height: int = 0


@dataclass(frozen=True)
class Fruited(Grown):
    pass


@dataclass(frozen=True)
class Felled:
    pass


def test_everybody_hears_everything_in_order() -> None:
    bus, first, second = Bus(), [], []
    bus.subscribe(first.append)
    bus.subscribe(second.append)
    told = [Grown(1), Felled(), Grown(2)]
    for event in told:
        bus.publish(event)
    assert first == second == told


def test_who_names_kinds_hears_only_those_and_what_derives_from_them() -> None:
    bus, heard = Bus(), []
    bus.subscribe(heard.append, Grown)
    for event in (Felled(), Grown(1), Fruited(2)):
        bus.publish(event)
    assert heard == [Grown(1), Fruited(2)]


def test_it_says_whether_a_kind_is_heard() -> None:
    bus = Bus()
    assert not bus.is_heard(Grown)
    end = bus.subscribe(lambda event: None, Grown)
    assert bus.is_heard(Fruited)
    assert not bus.is_heard(Felled)
    bus.subscribe(lambda event: None)
    assert bus.is_heard(Felled)
    end()
    assert bus.is_heard(Grown)


def test_who_left_hears_nothing_more() -> None:
    bus, heard = Bus(), []
    end = bus.subscribe(heard.append)
    bus.publish(Grown(1))
    end()
    bus.publish(Grown(2))
    assert heard == [Grown(1)]
    assert not bus.is_heard(Grown)


def test_one_function_may_subscribe_twice_and_leave_once() -> None:
    bus, heard = Bus(), []
    end = bus.subscribe(heard.append)
    bus.subscribe(heard.append)
    end()
    bus.publish(Felled())
    assert heard == [Felled()]


@pytest.mark.logs("A subscriber failed on Felled")
def test_one_that_raises_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    bus, heard = Bus(), []

    def break_down(event: object) -> None:
        raise ValueError(event)

    bus.subscribe(break_down)
    bus.subscribe(heard.append)
    with caplog.at_level(logging.ERROR):
        bus.publish(Felled())
    assert heard == [Felled()]
