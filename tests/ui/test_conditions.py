"""A simple condition survives the builder; a rich one is left to the expression side."""

import pytest

from flowstudio.ui.forms.editors.condition import Comparison, read_condition, write_condition


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("{{ steps.a.output.n > 3 }}", Comparison("steps.a.output.n", ">", "3")),
        ("{{ item.state == 'open' }}", Comparison("item.state", "==", "open")),
        ("{{ a != steps.b.output }}", Comparison("a", "!=", "steps.b.output")),
        ("{{ item.id in [1, 2] }}", Comparison("item.id", "in", "[1, 2]")),
        ("", Comparison("", "==", "")),
    ],
)
def test_a_simple_condition_is_taken_apart(text: str, parts: Comparison) -> None:
    assert read_condition(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "{{ steps.a.output.n > 3 }}",
        "{{ item.state == 'open' }}",
        "{{ item.name == '3' }}",
        "{{ trigger.body.kind == 'it\\'s' }}",
        "{{ x == true }}",
    ],
)
def test_taking_apart_and_writing_again_changes_nothing(text: str) -> None:
    parts = read_condition(text)
    assert parts is not None
    assert write_condition(parts) == text


@pytest.mark.parametrize(
    "text", ["{{ a > 1 and b < 2 }}", "{{ not a }}", "{{ a | length > 2 }}", "step_2.output == 'x'"]
)
def test_a_rich_condition_is_not_for_the_builder(text: str) -> None:
    assert read_condition(text) is None


def test_without_a_left_side_there_is_no_condition_yet() -> None:
    assert write_condition(Comparison("", "==", "3")) is None
