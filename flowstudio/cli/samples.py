"""The sample plans that ship with the program."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources.abc import Traversable

from flowstudio import paths
from flowstudio.plan.document import read_plan
from flowstudio.plan.model import Plan
from flowstudio.workspace.errors import FileUnreadableError

SUFFIX = ".flow"


@dataclass(frozen=True, slots=True)
class Sample:
    """name: what a person types, the file's without its number: news-digest."""

    name: str
    title: str
    path: Traversable


def samples() -> Sequence[Sample]:
    """In the order of their files' numbers."""
    folder = paths.resources() / "samples"
    if not folder.is_dir():
        return []
    files = sorted((each for each in folder.iterdir() if each.name.endswith(SUFFIX)), key=lambda each: each.name)
    return [Sample(_name(each.name.removesuffix(SUFFIX)), _title(each), each) for each in files]


def read_sample(name: str) -> Plan:
    """Raises FileUnreadableError suggesting the right name."""
    known = {each.name: each for each in samples()}
    name = _name(name.removesuffix(SUFFIX))
    if name not in known:
        near = get_close_matches(name, known, n=1)
        fix = f"Did you mean {near[0]}?" if near else f"There are {', '.join(known) or 'none'}."
        raise FileUnreadableError(f"There is no sample plan {name}.", fix=fix)
    return read_plan(known[name].path.read_bytes())


def _name(stem: str) -> str:
    return stem.lstrip("0123456789_-").replace("_", "-")


def _title(file: Traversable) -> str:
    return str(json.loads(file.read_bytes()).get("name", ""))
