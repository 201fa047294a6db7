"""Tool tips: what a card or a wire is, and how its last run went."""

from html import escape

from flowstudio.plan.model import StepId
from flowstudio.ui.canvas.faces import duration_text
from flowstudio.ui.canvas.frame import Overlay
from flowstudio.ui.canvas.live import Flow
from flowstudio.ui.canvas.scene import CanvasScene
from flowstudio.ui.canvas.tables import EdgeKey


def tip_of(scene: CanvasScene, overlay: Overlay) -> str:
    """Rich text for what the pointer is over, empty for nothing."""
    if overlay.hovered_port is not None:
        return escape(overlay.hovered_port[1].port.title)
    if overlay.hovered_card is not None and scene.step(overlay.hovered_card) is not None:
        return _card(scene, overlay.hovered_card)
    if overlay.hovered_wire is not None and scene.edge(overlay.hovered_wire) is not None:
        return _wire(scene, overlay.hovered_wire)
    return ""


def _card(scene: CanvasScene, step_id: StepId) -> str:
    face = scene.face(step_id)
    lines = [f"<b>{escape(face.title)}</b>", escape(face.subtitle), f"<code>steps.{escape(step_id)}</code>"]
    lines += [escape(badge.tip) for badge in face.badges if badge.tip]
    tally = scene.run.tally(step_id)
    if tally is not None:
        ran = tally.succeeded + tally.failed
        if ran:
            times = "once" if ran == 1 else f"{ran} times"
            lines.append(f"Ran {times}, {tally.items} items, {duration_text(tally.duration_ms)}")
        if tally.problem and (tally.has_ended or tally.held or tally.retrying):
            lines.append(escape(tally.problem))
    return "<br>".join(lines)


def _wire(scene: CanvasScene, key: EdgeKey) -> str:
    source, port, target = key
    flow, count = scene.run.flow(*key), scene.run.count(*key)
    lines = [f"{escape(scene.title(source))} → {escape(scene.title(target))}"]
    if port != "out":
        lines[0] += f" ({escape(port)})"
    if flow is Flow.NOT_TAKEN:
        lines.append("Not taken in this run")
    elif count:
        lines.append(f"{count} item{'' if count == 1 else 's'}")
    return "<br>".join(lines)
