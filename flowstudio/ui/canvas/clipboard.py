"""Steps on the clipboard: JSON text, so that they can be mailed and diffed, and the same bytes under our own type."""

import json

from PySide6.QtCore import QMimeData

from flowstudio.plan.edits import Fragment, fragment_from_json
from flowstudio.plan.errors import DocumentError

MIME_STEPS = "application/x-flowstudio-steps"
MIME_ACTION = "application/x-flowstudio-action"
"""A palette entry being dragged: JSON {"provider", "action"}."""


def mime_of(fragment: Fragment) -> QMimeData:
    text = json.dumps(fragment.as_json(), indent=2, ensure_ascii=False)
    data = QMimeData()
    data.setText(text)
    data.setData(MIME_STEPS, text.encode())
    return data


def fragment_in(data: QMimeData) -> Fragment:
    """The steps the clipboard holds. Raises DocumentError with a sentence when there are none."""
    ours = bytes(data.data(MIME_STEPS).data()).decode(errors="replace")
    text = ours or data.text()
    try:
        fragment = fragment_from_json(json.loads(text))
    except (ValueError, RecursionError, DocumentError) as error:
        raise DocumentError(_what_it_holds(text)) from error
    if not fragment.steps:
        raise DocumentError(_what_it_holds(""))
    return fragment


def action_in(data: QMimeData) -> tuple[str, str] | None:
    """Provider and action of a palette entry being dragged; None for anything else."""
    if not data.hasFormat(MIME_ACTION):
        return None
    try:
        document = json.loads(bytes(data.data(MIME_ACTION).data()))
        return str(document["provider"]), str(document["action"])
    except (ValueError, KeyError, TypeError):
        return None


def _what_it_holds(text: str) -> str:
    if not text:
        return "The clipboard has no steps."
    return f"The clipboard has no steps. It holds text of {len(text)} characters."
