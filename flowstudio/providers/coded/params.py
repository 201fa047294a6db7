"""Params of a coded action as Python values; what does not fit is a sentence that names the action and the field."""

import json
from collections.abc import Sequence

from flowstudio.plan.model import Json
from flowstudio.providers.errors import BadParamError
from flowstudio.providers.ports import ActionContext


class Params:
    """Typed access to the params of one call. An absent, null or (but for text) empty param is its default."""

    def __init__(self, ctx: ActionContext) -> None:
        self._values = ctx.params
        self._raw = ctx.call.params
        self._action = f"{ctx.call.provider}.{ctx.call.action}"

    def value(self, name: str) -> Json:
        """The param as it came, None when absent."""
        return self._values.get(name)

    def raw(self, name: str) -> Json:
        """The param as the step gave it, an empty text too: for fields that take any value."""
        return self._raw.get(name)

    def fault(self, name: str, reason: str, fix: str = "") -> BadParamError:
        """An error about the field: `reason` goes on after its name, e.g. "must be a whole number"."""
        sentence = f"The field '{name}' of {self._action} {reason}."
        return BadParamError(sentence, fix=fix, facts={"field": name})

    def required_text(self, name: str) -> str:
        """Text that is not blank."""
        text = self.text(name)
        if not text.strip():
            raise self.fault(name, "is empty", f"Fill in '{name}'.")
        return text

    def text(self, name: str, default: str = "") -> str:
        """Text; numbers and booleans are written out, lists and objects as JSON."""
        value = self._values.get(name)
        if value is None:
            return default
        return value if isinstance(value, str) else as_text(value)

    def integer(self, name: str, default: int, minimum: int = 0, maximum: int | None = None) -> int:
        value = self._values.get(name)
        if value is None or value == "":
            return default
        number = _number(value)
        if number is None or number != int(number):
            raise self.fault(name, f"must be a whole number, not {_shown(value)}")
        return self._within(name, int(number), minimum, maximum)

    def optional_number(self, name: str) -> float | None:
        value = self._values.get(name)
        if value is None or value == "":
            return None
        number = _number(value)
        if number is None:
            raise self.fault(name, f"must be a number, not {_shown(value)}")
        return number

    def flag(self, name: str, default: bool) -> bool:
        value = self._values.get(name)
        if isinstance(value, str):
            value = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(value.lower())
        return value if isinstance(value, bool) else default

    def choice(self, name: str, allowed: Sequence[str], default: str) -> str:
        value = self.text(name, default) or default
        if value not in allowed:
            raise self.fault(name, f"must be one of {', '.join(allowed)}, not {_shown(value)}")
        return value

    def names(self, name: str) -> list[str]:
        """Names from a list or from comma-separated text, blanks left out."""
        value = self._values.get(name)
        parts = [as_text(each) for each in value] if isinstance(value, list) else self.text(name).split(",")
        return [part.strip() for part in parts if part.strip()]

    def items(self, name: str) -> list[Json]:
        """A list: as it came, the `items` of an object, or written as JSON text."""
        value = self._values.get(name)
        if isinstance(value, str) and value.strip():
            value = self._parsed(name, value)
        if isinstance(value, dict) and isinstance(value.get("items"), list):
            value = value["items"]
        if value is None or value == "":
            raise self.fault(name, "is empty", f"Point '{name}' at a list, for instance the output of a step before.")
        if not isinstance(value, list):
            raise self.fault(name, f"must be a list, not {_shown(value)}")
        return value

    def records(self, name: str) -> list[dict[str, Json]]:
        """A list of objects."""
        items = self.items(name)
        for position, item in enumerate(items, start=1):
            if not isinstance(item, dict):
                raise self.fault(name, f"must be a list of objects, but item {position} is {_shown(item)}")
        return [item for item in items if isinstance(item, dict)]

    def mapping(self, name: str) -> dict[str, Json]:
        """An object, as it came or written as JSON text; empty when absent."""
        value = self._values.get(name)
        if isinstance(value, str) and value.strip():
            value = self._parsed(name, value)
        if value is None or value == "":
            return {}
        if not isinstance(value, dict):
            raise self.fault(name, f"must be an object of names and values, not {_shown(value)}")
        return value

    def _parsed(self, name: str, text: str) -> Json:
        try:
            parsed: Json = json.loads(text)
        except (ValueError, RecursionError):
            raise self.fault(name, f"is not valid JSON: {_shown(text)}") from None
        return parsed

    def _within(self, name: str, number: int, minimum: int, maximum: int | None) -> int:
        if number < minimum:
            raise self.fault(name, f"must be {minimum} or more, not {number}")
        if maximum is not None and number > maximum:
            raise self.fault(name, f"must be {maximum} or less, not {number}")
        return number


def as_text(value: Json) -> str:
    """Any JSON value as a person writes it: text bare, None empty, true/false, the rest as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _number(value: Json) -> float | None:
    """A finite number, also one written as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < float("inf") else None


def _shown(value: Json) -> str:
    """A value short enough for a sentence."""
    text = as_text(value)
    return f"'{text}'" if len(text) <= 40 else f"'{text[:40]}…'"
