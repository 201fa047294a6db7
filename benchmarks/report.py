"""Measurements as a table and as JSON."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results.json"


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement. goal: what it has to reach; is_least: the goal is a floor, else a ceiling.

    peers: what other programs need for the same work, and where that was measured.
    """

    name: str
    value: float
    unit: str
    goal: float | None = None
    is_least: bool = True
    peers: str = ""

    @property
    def is_reached(self) -> bool:
        if self.goal is None:
            return True
        return self.value >= self.goal if self.is_least else self.value <= self.goal


def line(row: Row) -> str:
    sign = "" if row.goal is None else f"{'≥' if row.is_least else '≤'} {number(row.goal)}"
    missed = "" if row.is_reached else "missed"
    return f"{row.name:<58} {number(row.value):>10} {row.unit:<10} {sign:>10} {missed:<6} {row.peers}".rstrip()


def write(rows: Iterable[Row], file: Path = RESULTS) -> None:
    file.write_text(json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False) + "\n")


def number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
