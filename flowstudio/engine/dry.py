"""The words of a dry run: what it performs, and how it marks what it does not."""

from typing import Final

from flowstudio.engine.compile import Node

_HARMLESS: Final = frozenset({"pure", "read"})
"""Effects a dry run has."""
DRY: Final = "dry_run"
UNSENT: Final = "unsent"
"""Key and value in the metadata of a step whose result a dry run does not have."""
NOT_SENT: Final = "Not sent: a dry run only shows what it would send."
NOT_WAITED: Final = "Not waited for: this is a dry run."
NO_CALL: Final = "A dry run waits for no call."
NEEDS_ANSWER: Final = "It needs the result of “{}”, which a dry run does not have."


def performs_dry(node: Node) -> bool:
    """Whether a dry run makes the action's call, too."""
    return node.effect in _HARMLESS
