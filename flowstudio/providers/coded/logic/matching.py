"""Two lists of objects joined on a field, as a database joins tables."""

from collections.abc import Sequence

from flowstudio.plan.model import Json
from flowstudio.providers.coded.logic.comparing import number_of
from flowstudio.providers.coded.logic.paths import read_or_none
from flowstudio.providers.coded.params import as_text

Record = dict[str, Json]


def matched(
    left: Sequence[Record], right: Sequence[Record], left_field: str, right_field: str, keep_unmatched: bool
) -> list[Json]:
    """Each left object with the fields of each right one of the same key; the left value wins on a clash.

    keep_unmatched: left objects without a partner stay as they are (a left join); else they go (an inner join).
    """
    partners: dict[str, list[Record]] = {}
    for record in right:
        key = _key(read_or_none(record, right_field))
        if key is not None:
            partners.setdefault(key, []).append(record)
    result: list[Json] = []
    for record in left:
        key = _key(read_or_none(record, left_field))
        found = partners.get(key, []) if key is not None else []
        result.extend({**partner, **record} for partner in found)
        if not found and keep_unmatched:
            result.append(record)
    return result


def _key(value: Json) -> str | None:
    """What counts as the same key: 5, 5.0 and "5" are one; null matches nothing."""
    if value is None:
        return None
    number = number_of(value)
    return f"n:{number!r}" if number is not None else f"t:{as_text(value)}"
