"""YAML text as plain JSON values that know which line each key stands on.

Of YAML's many scalars only JSON's are taken: `no` and 2024-01-01 stay texts.
"""

from collections.abc import Sequence
from typing import Final

import yaml

from flowstudio.plan.model import Json

_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PREFIX: Final = "tag:yaml.org,2002:"

DEEPEST: Final = 100
"""Levels of lists and objects."""

Key = tuple[str | int, ...]


class SourceFault(Exception):
    """The text is no usable YAML. line counts from 1."""

    def __init__(self, line: int, key: Key, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line
        self.key = key
        self.sentence = sentence


class Source:
    """data: the document; `line` finds keys in it."""

    def __init__(self, text: str) -> None:
        self._root = _compose(text)
        self.data: Json = _Plain().value(self._root, ())

    def line(self, key: Key) -> int:
        """The line of a key, or of the nearest one around it that exists; from 1."""
        node, line = self._root, 1
        for part in key:
            found = _entry(node, part)
            if found is None:
                break
            line, node = found
        return line


def show(key: Sequence[str | int]) -> str:
    """("actions", 0, "id") as actions[0].id."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key)
    return text.removeprefix(".")


def _compose(text: str) -> yaml.Node:
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = min(mark.line + 1, text.count("\n") + 1) if mark else 1
        raise SourceFault(line, (), f"This is not valid YAML: {error.problem or error.context}.") from error
    except yaml.YAMLError as error:
        raise SourceFault(1, (), f"This is not valid YAML: {error}.") from error
    except RecursionError:
        raise SourceFault(1, (), "This is nested too deeply.") from None
    if root is None:
        raise SourceFault(1, (), "The file is empty.")
    return root


class _Plain:
    """One walk. A list or an object that comes a second time is an alias: nine of nine of nine of them fill memory."""

    def __init__(self) -> None:
        self._met: set[int] = set()

    def value(self, node: yaml.Node, key: Key) -> Json:
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node.tag.removeprefix(_PREFIX), node.value)
        if id(node) in self._met:
            raise SourceFault(
                node.start_mark.line + 1, key, "A part with an anchor (&) cannot be used again; repeat it."
            )
        if len(key) > DEEPEST:
            raise SourceFault(node.start_mark.line + 1, key[:5], "This is nested too deeply.")
        self._met.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, key)
        return [self.value(item, (*key, index)) for index, item in enumerate(node.value)]

    def _mapping(self, node: yaml.MappingNode, key: Key) -> Json:
        made: dict[str, Json] = {}
        for key_node, value_node in node.value:
            name = str(key_node.value)
            if name in made:
                raise SourceFault(key_node.start_mark.line + 1, (*key, name), f"The key “{name}” stands here twice.")
            made[name] = self.value(value_node, (*key, name))
        return made


def _scalar(tag: str, text: str) -> Json:
    if tag == "null":
        return None
    if tag == "bool" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        if tag == "int":
            return int(text)
        if tag == "float":
            return float(text)
    except ValueError:
        return text
    return text


def _entry(node: yaml.Node, part: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        item = node.value[part]
        return item.start_mark.line + 1, item
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            if key_node.value == part:
                return key_node.start_mark.line + 1, value_node
    return None
