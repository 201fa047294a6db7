import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue

import pytest

from flowstudio.server.crew import Crew

PATIENCE_S = 10.0


@dataclass
class Request:
    """Tells who serves it and, when it is held, waits to be released."""

    served_by: "SimpleQueue[threading.Thread]" = field(default_factory=SimpleQueue)
    release: threading.Event | None = None
    fault: Exception | None = None
    is_cancelled: bool = False

    def service(self) -> None:
        self.served_by.put(threading.current_thread())
        if self.release is not None:
            assert self.release.wait(PATIENCE_S)
        if self.fault is not None:
            raise self.fault

    def cancel(self) -> None:
        self.is_cancelled = True

    def server(self) -> threading.Thread:
        return self.served_by.get(timeout=PATIENCE_S)


@pytest.fixture
def crew_of() -> Iterator[Callable[[int], Crew]]:
    made: list[Crew] = []

    def make(size: int) -> Crew:
        made.append(Crew(size))
        return made[-1]

    yield make
    for crew in made:
        crew.shutdown(timeout=PATIENCE_S)


def held() -> Request:
    return Request(release=threading.Event())


def test_no_thread_is_there_before_the_first_request(crew_of) -> None:
    before = threading.active_count()
    crew = crew_of(50)
    assert threading.active_count() == before
    request = Request()
    crew.add_task(request)
    assert request.server().name == "server-1"


def test_requests_at_once_have_a_thread_each(crew_of) -> None:
    crew, requests = crew_of(10), [held() for _ in range(10)]
    for request in requests:
        crew.add_task(request)
    assert len({request.server() for request in requests}) == 10
    for request in requests:
        request.release.set()


def test_what_is_too_much_waits_in_line_and_is_served_in_order(crew_of) -> None:
    crew, first, second, third = crew_of(1), held(), held(), Request()
    for request in (first, second, third):
        crew.add_task(request)
    first.server()
    assert second.served_by.empty()
    first.release.set()
    second.server()
    assert third.served_by.empty()
    second.release.set()
    third.server()


def test_one_after_the_other_needs_one_thread(crew_of) -> None:
    crew = crew_of(10)
    first, second = Request(), Request()
    crew.add_task(first)
    server = first.server()
    while server.is_alive() and not crew._resting:  # until it rests again
        threading.Event().wait(0.001)
    crew.add_task(second)
    assert second.server() is server


@pytest.mark.logs("A request could not be answered")
def test_a_request_that_breaks_is_logged_and_its_thread_goes_on(crew_of, caplog) -> None:
    crew, broken, next_one = crew_of(1), Request(fault=ValueError("broken")), Request()
    with caplog.at_level(logging.ERROR):
        crew.add_task(broken)
        crew.add_task(next_one)
        assert next_one.server() is broken.server()
    assert "A request could not be answered" in caplog.text


def test_shutting_down_waits_for_answers_under_way_and_cancels_what_is_in_line() -> None:
    crew, at_work, in_line = Crew(1), held(), Request()
    crew.add_task(at_work)
    crew.add_task(in_line)
    server = at_work.server()
    closing = threading.Timer(0.05, at_work.release.set)
    closing.start()
    assert crew.shutdown(timeout=PATIENCE_S)
    assert in_line.is_cancelled
    assert in_line.served_by.empty()
    server.join(PATIENCE_S)
    assert not server.is_alive()


@pytest.mark.logs("Requests still being answered")
def test_shutting_down_gives_up_on_an_answer_that_does_not_end(caplog) -> None:
    crew, stuck = Crew(1), held()
    crew.add_task(stuck)
    stuck.server()
    with caplog.at_level(logging.WARNING):
        assert not crew.shutdown(timeout=0.01)
    assert "Requests still being answered: 1" in caplog.text
    stuck.release.set()


def test_shutting_down_an_idle_crew_is_done_at_once() -> None:
    assert Crew(5).shutdown(timeout=0.0)
