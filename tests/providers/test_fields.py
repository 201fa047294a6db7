"""Values become what a field's kind says, or a sentence says what was expected."""

import pytest

from flowstudio.plan.model import Json
from flowstudio.providers.errors import BadParamError
from flowstudio.providers.fields import coerce, coerce_params, to_json_schema, unknown_params
from flowstudio.providers.manifest import Action, Choice, Field, FieldKind

K = FieldKind
STATES = (Choice("open", "Open"), Choice("done", "Finished"), Choice(3, "Three"))


def field(kind: FieldKind, **more: object) -> Field:
    return Field("it", "It", kind, **more)


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (K.TEXT, 5, "5"),
        (K.TEXT, True, "true"),
        (K.TEXT, {"a": [1]}, '{"a":[1]}'),
        (K.NUMBER, "2.5", 2.5),
        (K.NUMBER, 3, 3),
        (K.INTEGER, " 7 ", 7),
        (K.INTEGER, 7.0, 7),
        (K.BOOLEAN, "Yes", True),
        (K.BOOLEAN, 0, False),
        (K.DATETIME, "2027-01-31T09:00:00Z", "2027-01-31T09:00:00Z"),
        (K.DATETIME, 0, "1970-01-01T00:00:00+00:00"),
        (K.KEYVALUE, '{"a": 1}', {"a": 1}),
        (K.KEYVALUE, [{"key": "a", "value": 1}, {"name": "b", "value": 2}], {"a": 1, "b": 2}),
        (K.LIST, "[1, 2]", [1, 2]),
        (K.LIST, "a, b,", ["a", "b"]),
        (K.LIST, "a, b\nc", ["a, b", "c"]),
        (K.JSON, ' {"a": null}', {"a": None}),
        (K.JSON, "plain", "plain"),
        (K.JSON, "123", "123"),
        (K.JSON, False, False),
    ],
)
def test_a_value_fits(kind: FieldKind, given: Json, expected: Json) -> None:
    made = coerce(field(kind), given)
    assert made == expected
    assert type(made) is type(expected)


@pytest.mark.parametrize(
    ("kind", "given", "sentence"),
    [
        (K.NUMBER, "many", "“It” has to be a number, but it is “many”."),
        (K.NUMBER, "nan", "has to be a number"),
        (K.NUMBER, True, "has to be a number"),
        (K.INTEGER, 1.5, "has to be a whole number"),
        (K.INTEGER, 10**400, "has to be a whole number"),
        (K.BOOLEAN, "maybe", "has to be true or false"),
        (K.DATETIME, "tomorrow", "a date or time like 2027"),
        (K.KEYVALUE, "[1]", "keys and values"),
        (K.JSON, "[" + "9" * 5000 + "]", "JSON with shorter numbers"),
        (K.KEYVALUE, '{"a": ', "at line 1, column 7"),
        (K.LIST, {"a": 1}, "has to be a list"),
        (K.JSON, "[1,", "JSON"),
        (K.JSON, "[" * 100_000, "JSON"),
        (K.SECRET, "", "“It” is missing."),
    ],
)
def test_a_value_that_does_not_fit_is_a_sentence(kind: FieldKind, given: Json, sentence: str) -> None:
    action = Action("slack", "post", "Post", fields=(field(kind, required=True),))
    with pytest.raises(BadParamError) as caught:
        coerce_params("Slack", action, {"it": given})
    assert str(caught.value).startswith("Slack, “Post”: “It”")
    assert sentence in str(caught.value)
    assert {"provider": "slack", "action": "post", "field": "it"}.items() <= caught.value.facts.items()


def test_numbers_keep_their_bounds() -> None:
    bounded = Action("a", "b", "B", fields=(field(K.INTEGER, minimum=1, maximum=100),))
    assert coerce_params("A", bounded, {"it": "100"}) == {"it": 100}
    with pytest.raises(BadParamError, match="a number from 1 to 100, but it is “101”"):
        coerce_params("A", bounded, {"it": 101})


@pytest.mark.parametrize(
    ("given", "expected"), [("open", "open"), ("OPEN", "open"), ("finished", "done"), ("3", 3), (3, 3)]
)
def test_a_choice_is_found_by_value_or_title(given: Json, expected: Json) -> None:
    assert coerce(field(K.CHOICE, choices=STATES), given) == expected


def test_a_wrong_choice_lists_the_right_ones() -> None:
    action = Action("a", "b", "B", fields=(field(K.CHOICE, choices=STATES),))
    with pytest.raises(BadParamError, match="one of open, done, 3, but it is “shut”"):
        coerce_params("A", action, {"it": "shut"})


def test_an_empty_value_takes_the_default() -> None:
    action = Action("a", "b", "B", fields=(field(K.INTEGER, default=5), Field("other", "Other")))
    assert coerce_params("A", action, {"it": "", "extra": 1}) == {"it": 5, "other": None}


def test_a_secret_is_not_shown() -> None:
    action = Action("a", "b", "B", fields=(Field("it", "It", K.SECRET, required=True),))
    assert coerce_params("A", action, {"it": "s3cret"}) == {"it": "s3cret"}


def test_an_unknown_param_suggests_a_field() -> None:
    action = Action("a", "b", "Post", fields=(Field("channel", "Channel"),))
    assert unknown_params(action, {"chanel": 1}) == [
        "“Post” has no field “chanel”; it is ignored. Did you mean “channel”?"
    ]


def test_fields_become_a_json_schema() -> None:
    fields = (
        Field("name", "Name", required=True, help="Whose."),
        field(K.INTEGER, minimum=1, default=5),
        Field("state", "State", K.CHOICE, choices=STATES),
    )
    assert to_json_schema(fields) == {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"title": "Name", "type": "string", "description": "Whose."},
            "it": {"title": "It", "type": "integer", "default": 5, "minimum": 1},
            "state": {"title": "State", "enum": ["open", "done", 3]},
        },
    }
