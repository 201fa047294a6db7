"""Where a new step goes and what it is wired to: pure decisions over a plan and the boxes of its cards."""

from collections.abc import Callable, Iterable

from flowstudio.plan.edits import fresh_id
from flowstudio.plan.model import ERROR, Edge, Plan, Port, Step, StepId, ports_of
from flowstudio.plan.rules import check_ends
from flowstudio.providers.manifest import Action
from flowstudio.ui.canvas.geometry import BODY_LEFT, BODY_TOP, CARD_H, CARD_W, GAP, GRID, HEADER_H, WIDE_GAP, Box, snap

ROW = 100.0
"""From one card to the next below it."""


def new_step(plan: Plan, action: Action, x: float, y: float, parent: StepId | None) -> Step:
    """A step of that action on the grid. Required fields with a default get it, so that a switch shows its cases."""
    params = {each.name: each.default for each in action.fields if each.required and each.default is not None}
    step_id = fresh_id(plan, action.title or action.id)
    return Step(step_id, action.provider, action.id, params=params, x=snap(x), y=snap(y), parent=parent)


def free_port(plan: Plan, step: Step) -> Port | None:
    """The way out a following step is wired to: the first one without a wire, else the first; never a body or error."""
    ports = [port for port in ports_of(step) if not port.container and port.name != ERROR.name]
    used = {edge.port for edge in plan.edges_from(step.id)}
    return next((port for port in ports if port.name not in used), ports[0] if ports else None)


def level_after(source: Step, port: str) -> StepId | None:
    """The loop a step must be in to be wired to that port: the source's own for its body, else the one it is in."""
    leads_inside = any(each.container for each in ports_of(source) if each.name == port)
    return source.id if leads_inside else source.parent


def place_after(source: Step, port: str, box: Box, taken: Callable[[Box], bool]) -> tuple[float, float]:
    """The first free place to the right of the source (inside, for its body), looking downwards."""
    if level_after(source, port) == source.id:
        x, y = box.x + BODY_LEFT, box.y + HEADER_H + BODY_TOP
    else:
        has_titles = len([each for each in ports_of(source) if each.name != ERROR.name]) > 1
        x, y = box.right + (WIDE_GAP if has_titles else GAP), box.y
    return free_place(x, y, taken)


def free_place(x: float, y: float, taken: Callable[[Box], bool]) -> tuple[float, float]:
    x, y = snap(x), snap(y)
    while taken(Box(x - GRID / 2, y - GRID / 2, CARD_W + GRID, CARD_H + GRID)):
        y += ROW
    return x, y


def wire_to(plan: Plan, source: StepId | None, port: str | None, step: Step) -> Edge | None:
    """The wire that joins a new step to what it was added after, if the two may be joined."""
    if source is None or not plan.has_step(source):
        return None
    before = plan.step(source)
    if port is None:
        found = free_port(plan, before)
        if found is None:
            return None
        port = found.name
    return None if check_ends(before, port, step) else Edge(source, port, step.id)


def first_in_body(plan: Plan, step: Step) -> Edge | None:
    """The wire from its loop to the first step that comes into an empty body."""
    if step.parent is None or any(True for _ in plan.children(step.parent)):
        return None
    loop = plan.step(step.parent)
    body = next((port for port in ports_of(loop) if port.container), None)
    return Edge(loop.id, body.name, step.id) if body else None


def outermost(ids: Iterable[StepId], parent_of: Callable[[StepId], StepId | None]) -> list[StepId]:
    """Those steps that no other of them holds in its body."""
    every = list(ids)
    chosen = set(every)

    def is_held(step_id: StepId) -> bool:
        seen = {step_id}
        parent = parent_of(step_id)
        while parent is not None and parent not in seen:
            if parent in chosen:
                return True
            seen.add(parent)
            parent = parent_of(parent)
        return False

    return [step_id for step_id in every if not is_held(step_id)]
