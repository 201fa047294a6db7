"""What can be done to the plan from the canvas: each intention becomes one edit, pushed as one undo command."""

from collections.abc import Callable, Iterable

from PySide6.QtGui import QGuiApplication, QUndoStack
from shiboken6 import isValid

from flowstudio.errors import FlowStudioError
from flowstudio.plan.changes import StepAdded
from flowstudio.plan.editing.ids import slug, unused
from flowstudio.plan.edits import (
    AddEdge,
    AddStep,
    AddTrigger,
    Batch,
    Edit,
    Edited,
    MoveSteps,
    PasteSteps,
    RemoveEdge,
    RemoveSteps,
    SetParent,
    SetStepField,
    fragment_of,
)
from flowstudio.plan.model import Edge, Json, Step, StepId, Trigger, TriggerKind
from flowstudio.ui.canvas import clipboard
from flowstudio.ui.canvas.faces import Catalogue
from flowstudio.ui.canvas.geometry import Box, snap
from flowstudio.ui.canvas.placing import (
    first_in_body,
    free_place,
    free_port,
    level_after,
    new_step,
    outermost,
    place_after,
    wire_to,
)
from flowstudio.ui.canvas.scene import CanvasScene
from flowstudio.ui.canvas.tables import EdgeKey
from flowstudio.ui.undo import EditCommand, Session

DUPLICATE_OFFSET = 40.0


class CanvasCommands:
    """Edits the session's plan on behalf of the canvas. say: shows one sentence to the person."""

    def __init__(
        self,
        session: Session,
        undo: QUndoStack,
        scene: CanvasScene,
        catalogue: Catalogue,
        say: Callable[[str], None],
    ) -> None:
        self._session = session
        self._undo = undo
        self._scene = scene
        self._catalogue = catalogue
        self.say = say
        self._latest: Edited | None = None

    def push(self, edit: Edit) -> Edited | None:
        """Does the edit and puts it on the undo stack. None, and a sentence for the person, when it was refused."""
        self._latest = None
        self._undo.push(EditCommand(self._session, edit, shown=self._show, refused=self._refuse))
        return self._latest

    # adding

    def add_step(
        self,
        provider: str,
        action: str,
        at: tuple[float, float] | None = None,
        source: StepId | None = None,
        port: str | None = None,
    ) -> StepId | None:
        """Adds a step of that action and selects it.

        at: its top left corner; None for the next free place. source, port: the step and way out it is wired to, if the
        rules allow; port None takes the next free one.
        """
        found = self._catalogue.find(provider, action)
        if found is None:
            self.say(f"There is no action “{provider}.{action}”.")
            return None
        plan = self._session.plan
        before = self._scene.step(source) if source else None
        if before is not None and port is None:
            free = free_port(plan, before)
            port = free.name if free else None
        x, y = at if at is not None else self._next_place(before, port)
        if before is not None and port is not None:
            parent = level_after(before, port)
        else:
            parent = self._scene.loop_at(x, y) if at is not None else None
        step = new_step(plan, found, x, y, parent)
        edge = wire_to(plan, source, port, step) if port else None
        edge = edge or first_in_body(plan, step)
        edits: tuple[Edit, ...] = (AddStep(step),) if edge is None else (AddStep(step), AddEdge(edge))
        if self.push(Batch(edits, f"Add “{found.title}”")) is None:
            return None
        self._scene.select([step.id])
        return step.id

    def add_trigger(self, kind: TriggerKind) -> None:
        """A trigger with values to start from; nothing for MANUAL, every plan can be run by hand."""
        plan = self._session.plan
        configs: dict[TriggerKind, dict[str, Json]] = {
            TriggerKind.SCHEDULE: {"cron_expression": "0 9 * * *", "timezone": "UTC"},
            TriggerKind.WEBHOOK: {"webhook_path": slug(plan.name).replace("_", "-")},
        }
        if kind in configs:
            taken = {trigger.id for trigger in plan.triggers}
            self.push(AddTrigger(Trigger(unused(taken, kind.value), kind, configs[kind])))

    def connect(self, source: StepId, port: str, target: StepId) -> bool:
        return self.push(AddEdge(Edge(source, port, target))) is not None

    def _next_place(self, before: Step | None, port: str | None) -> tuple[float, float]:
        if before is not None:
            return place_after(before, port or "out", self._scene.box(before.id), self._is_taken)
        around = self._scene.extent()
        return free_place(around.x if around else 0.0, around.bottom + 40 if around else 0.0, self._is_taken)

    def _is_taken(self, box: Box) -> bool:
        cards = self._scene.cards
        rows = cards.inside(box.x, box.y, box.right, box.bottom, margin=0.0)
        return any(not cards.is_loop[row] and cards.box(row).meets(box) for row in rows.tolist())

    # moving

    def move(self, ids: Iterable[StepId], dx: float, dy: float, loop: StepId | None) -> None:
        """Moves steps with their bodies, and into `loop` or, for None, out to the top level."""
        steps = {step_id: step for step_id in ids if (step := self._scene.step(step_id)) is not None}
        outer = outermost(steps, self._scene.parent_of)
        settled = self._moved(self._scene.with_bodies(outer), dx, dy)
        entering = tuple(step_id for step_id in outer if steps[step_id].parent != loop)
        if not entering:
            if dx or dy:
                self.push(settled)
            return
        text = "Move out of the loop" if loop is None else "Move into the loop"
        edits: list[Edit] = [SetParent(entering, loop), settled] if dx or dy else [SetParent(entering, loop)]
        edges_before = len(self._session.plan.edges)
        edited = self.push(Batch(tuple(edits), text))
        lost = edges_before - len(edited.plan.edges) if edited else 0
        if lost:
            self.say(f"{lost} connection{'s' if lost > 1 else ''} removed: wires do not cross a loop's border.")

    def nudge(self, ids: Iterable[StepId], dx: float, dy: float) -> None:
        every = self._scene.with_bodies(ids)
        if every:
            self.push(self._moved(every, dx, dy))

    def _moved(self, ids: Iterable[StepId], dx: float, dy: float) -> MoveSteps:
        steps = (self._scene.step(step_id) for step_id in ids)
        return MoveSteps({step.id: (step.x + dx, step.y + dy) for step in steps if step is not None})

    # taking away

    def delete(self, ids: Iterable[StepId], edges: Iterable[EdgeKey]) -> None:
        """Removes steps with their wires and bodies, and single wires."""
        chosen = list(ids)
        gone = set(self._scene.with_bodies(chosen))
        loose = [key for key in edges if key[0] not in gone and key[2] not in gone]
        edits: list[Edit] = [RemoveEdge(Edge(*key)) for key in loose]
        if chosen:
            edits.append(RemoveSteps(tuple(chosen)))
        if edits:
            self.push(edits[0] if len(edits) == 1 else Batch(tuple(edits), edits[-1].text))

    # clipboard

    def copy(self, ids: Iterable[StepId]) -> None:
        chosen = list(ids)
        if chosen:
            QGuiApplication.clipboard().setMimeData(clipboard.mime_of(fragment_of(self._session.plan, chosen)))

    def paste(self, at: tuple[float, float] | None) -> None:
        """Puts the clipboard's steps with their corner at a scene point (None: beside where they were)."""
        data = QGuiApplication.clipboard().mimeData()
        try:
            fragment = clipboard.fragment_in(data)
        except FlowStudioError as error:
            self.say(str(error))
            return
        left, top = min(step.x for step in fragment.steps), min(step.y for step in fragment.steps)
        dx = dy = DUPLICATE_OFFSET
        loop = None
        if at is not None:
            dx, dy = snap(at[0] - left), snap(at[1] - top)
            loop = self._scene.loop_at(*at)
        self._insert(PasteSteps(fragment, dx, dy, loop))

    def duplicate(self, ids: Iterable[StepId]) -> None:
        chosen = list(ids)
        if not chosen:
            return
        fragment = fragment_of(self._session.plan, chosen)
        parents = {step.parent for step_id in chosen if (step := self._scene.step(step_id)) is not None}
        loop = parents.pop() if len(parents) == 1 else None
        paste = PasteSteps(fragment, DUPLICATE_OFFSET, DUPLICATE_OFFSET, loop)
        self._insert(Batch((paste,), "Duplicate" if len(chosen) == 1 else f"Duplicate {len(chosen)} steps"))

    def _insert(self, edit: Edit) -> None:
        edited = self.push(edit)
        if edited is not None:
            self._scene.select([change.step.id for change in edited.changes if isinstance(change, StepAdded)])

    # fields

    def toggle_disabled(self, ids: Iterable[StepId]) -> None:
        """Disables the steps; enables them when all are disabled already."""
        steps = [step for step_id in ids if (step := self._scene.step(step_id)) is not None]
        if not steps:
            return
        value = not all(step.disabled for step in steps)
        edits = tuple(SetStepField(step.id, "disabled", value) for step in steps)
        self.push(
            edits[0] if len(edits) == 1 else Batch(edits, f"{'Disable' if value else 'Enable'} {len(edits)} steps")
        )

    def _show(self, edited: Edited) -> None:
        """A command may outlive the canvas it came from, on a stack that windows share."""
        self._latest = edited
        if isValid(self._scene):
            self._scene.show_plan(edited.plan)

    def _refuse(self, error: FlowStudioError) -> None:
        if isValid(self._scene):
            self.say(str(error))
