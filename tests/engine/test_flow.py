"""What the language's own steps do with their params."""

from datetime import UTC, datetime, timedelta

import pytest

from flowstudio.engine import flow
from flowstudio.engine.errors import FlowParamError
from flowstudio.plan.model import Json

NOW = datetime(2031, 5, 4, 9, tzinfo=UTC)
CASES: Json = [{"name": "one", "equals": 1}, {"name": "yes", "equals": True}, {"name": "x", "equals": "x"}]


@pytest.mark.parametrize(
    ("value", "name"),
    [(1, "one"), ("1", "one"), (True, "yes"), ("true", "yes"), ("x", "x"), (None, "default"), (2, "default")],
)
def test_a_switch_takes_the_first_case_that_equals(value: Json, name: str) -> None:
    branch = flow.switch({"value": value, "cases": CASES})
    assert (branch.ports, branch.output) == ((name,), {"case": name})


def test_a_case_without_a_name_is_refused() -> None:
    with pytest.raises(FlowParamError, match="no name"):
        flow.switch({"value": 1, "cases": [{"equals": 1}]})


def test_a_loop_takes_a_list_or_an_object_that_holds_one() -> None:
    assert flow.iterate({"items": [1, 2]}).items == [1, 2]
    assert flow.iterate({"items": {"items": [3]}}).items == [3]


@pytest.mark.parametrize("items", [None, 5, "abc", {"a": 1}, True])
def test_a_loop_over_anything_else_says_what_it_met(items: Json) -> None:
    with pytest.raises(FlowParamError, match="a loop needs a list"):
        flow.iterate({"items": items})


def test_a_loop_stops_at_its_limit_and_counts_the_rest() -> None:
    iterate = flow.iterate({"items": [1, 2, 3, 4], "max_iterations": "3", "parallel": 2})
    assert (list(iterate.items), iterate.left_over, iterate.parallel) == ([1, 2, 3], 1, 2)


@pytest.mark.parametrize("value", [0, -1, 1.5, "many", None, True, [1], float("nan"), float("inf")])
def test_parallel_takes_whole_numbers_from_one(value: Json) -> None:
    with pytest.raises(FlowParamError, match="parallel"):
        flow.iterate({"items": [], "parallel": value})


def test_a_duration_ends_that_many_seconds_from_now() -> None:
    assert flow.due("duration", {"seconds": "90"}, NOW) == NOW + timedelta(seconds=90)


def test_a_time_without_a_zone_is_utc() -> None:
    assert flow.due("until", {"time": "2031-05-04T12:00:00"}, NOW) == NOW + timedelta(hours=3)
    assert flow.due("until", {"time": "2031-05-04T12:00:00+02:00"}, NOW) == NOW + timedelta(hours=1)


@pytest.mark.parametrize("seconds", [-1, 1e12, "soon", None])
def test_a_duration_out_of_range_is_refused(seconds: Json) -> None:
    with pytest.raises(FlowParamError, match="seconds"):
        flow.due("duration", {"seconds": seconds}, NOW)


@pytest.mark.parametrize("time", ["tomorrow", 5, None, "", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_is_none_is_refused(time: Json) -> None:
    with pytest.raises(FlowParamError, match="time"):
        flow.due("until", {"time": time}, NOW)


def test_an_answer_has_a_status_headers_and_a_body() -> None:
    answer = flow.respond({"status": "201", "headers": {"X-N": 1}, "body": {"ok": True}})
    assert answer == {"status": 201, "headers": {"X-N": "1"}, "body": {"ok": True}}


@pytest.mark.parametrize("status", [99, 100, 600, "ok"])
def test_an_answer_needs_a_real_status(status: Json) -> None:
    with pytest.raises(FlowParamError, match="status"):
        flow.respond({"status": status})


@pytest.mark.parametrize("name", ["", "Bad Name", "X\r\nEvil", "é", "X:"])
def test_an_answers_header_needs_a_legal_name(name: str) -> None:
    with pytest.raises(FlowParamError, match="name of a header"):
        flow.respond({"headers": {name: "x"}})


def test_an_answers_header_is_written_as_json_would() -> None:
    headers = flow.respond({"headers": {"A": True, "B": None, "C": [1, "ü"]}})["headers"]
    assert headers == {"A": "true", "C": '[1, "ü"]'}
