"""The language of request templates."""

import pytest

from flowstudio.plan.model import Json
from flowstudio.providers.template import placeholders, render, render_text

NAMES: dict[str, Json] = {
    "text": "hi",
    "number": 5,
    "off": False,
    "none": None,
    "empty": "",
    "list": [1],
    "object": {"a": 1},
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{number}", 5),
        ("{number:text}", "5"),
        ("{object:text}", '{"a":1}'),
        ("{text} {number} {off}", "hi 5 false"),
        ("{text} {none}", "hi "),
        ("{none}{empty}", None),
        ("{{text}}", "{text}"),
        ("plain", "plain"),
        ({"a": "{off}", "b": "{none}", "c": "{missing}", "d": 1}, {"a": False, "d": 1}),
        ({"a": {"type": "text", "text": {"content": "{none}"}}}, {}),
        ({"a": {"type": "text", "b": "{none}", "c": "{text}"}}, {"a": {"type": "text", "c": "hi"}}),
        ({"a": {"constant": 1}, "b": []}, {"a": {"constant": 1}, "b": []}),
        ({"a": ["{none}", "{number}"]}, {"a": [5]}),
        ({"a": ["{none}"]}, {}),
        ({"constant": 1, "a": "{none}"}, {"constant": 1}),
        ({"...": "{object}", "b": 2}, {"a": 1, "b": 2}),
        ({"...": "{none}", "b": 2}, {"b": 2}),
        ({"{text}": 1, "{none}": 2}, {"hi": 1}),
        ("{object}", {"a": 1}),
    ],
)
def test_a_template_renders(template: Json, expected: Json) -> None:
    assert render(template, NAMES) == expected


def test_values_are_not_read_as_templates() -> None:
    assert render({"a": "{x}", "b": "<{x}>"}, {"x": "{text}", "text": "leak"}) == {"a": "{text}", "b": "<{text}>"}


def test_a_text_of_empty_placeholders_is_nothing() -> None:
    assert render_text("Bearer {none}", NAMES) is None
    assert render_text("Bearer {text}", NAMES) == "Bearer hi"


def test_placeholders_are_found_everywhere() -> None:
    template: Json = {"{a}": ["{b:text}", {"c": "x{c}y{d:path}"}], "e": "{{f}}"}
    assert list(placeholders(template)) == [("a", ""), ("b", "text"), ("c", ""), ("d", "path")]
