"""The question a run puts that builds on stored outputs when some are missing, or older than their steps."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from flowstudio.ui.dialogs.message_sheet import Message, MessageSheet, Remedy
from flowstudio.ui.icons import Icons
from flowstudio.workspace.errors import OutputsNeededError
from flowstudio.workspace.reuse import Choices, Missing, Stale


def ask_for_outputs(
    error: OutputsNeededError, start: Callable[[Choices], object], icons: Icons, parent: QWidget
) -> MessageSheet:
    """Shows what is missing; start is called with the answer, and not at all when there is none."""
    also_run = Remedy("Run them too", lambda: start(Choices(Missing.RUN, Stale.RUN)))
    use = Remedy("Use what is stored", lambda: start(Choices(Missing.RUN, Stale.USE)))
    remedies = (also_run, use) if error.facts["stale"] else (also_run,)
    sheet = MessageSheet(Message(error.sentence, "", error.fix, tone="warning", remedies=remedies), icons, parent)
    sheet.open()
    return sheet
