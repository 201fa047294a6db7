"""PastRunView: an old run on a canvas of its own, over the very plan it ran."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from flowstudio.engine.model import IterationPath, Run
from flowstudio.plan.diff import difference
from flowstudio.plan.model import Plan, StepId
from flowstudio.providers.registry import Registry
from flowstudio.ui.canvas.faces import HasCredential
from flowstudio.ui.canvas.look_view import LookView
from flowstudio.ui.canvas.scene import CanvasScene
from flowstudio.ui.editor.shown_run import ShownRun
from flowstudio.ui.live_run import LiveRun
from flowstudio.ui.open_plan import OpenPlan
from flowstudio.ui.theme import Appearance
from flowstudio.workspace.services import Services


class PastRunView(QObject):
    """Steps that differ from the draft are marked, and stay so marked while the draft changes."""

    def __init__(
        self,
        run: Run,
        draft: OpenPlan,
        services: Services,
        registry: Registry,
        appearance: Appearance,
        has_credential: HasCredential,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.run = run
        self._draft = draft
        self._board = CanvasScene(registry, has_credential, run.plan)
        self.canvas = LookView(self._board, appearance.palette, appearance.icons)
        self.canvas.setAccessibleName("Canvas of an old run, read-only")
        plan: Callable[[], Plan] = lambda: run.plan  # noqa: E731
        self.shown = ShownRun(LiveRun(services, draft.user_id, self), self.canvas, plan, appearance.icons, self)
        draft.edited.connect(lambda _: self._mark())
        appearance.changed.connect(self.canvas.set_palette)
        self._mark()

    def begin(self, step_id: StepId | None, iteration: IterationPath) -> None:
        """Reads the run and shows it; with a step, that one and its iteration are in front."""
        self.shown.live.watch(self.run)
        QTimer.singleShot(0, self.canvas, lambda: self._look_at(step_id))
        if step_id is not None:
            self.shown.live.prefer(step_id, iteration)

    def _look_at(self, step_id: StepId | None) -> None:
        self.canvas.fit_all()
        if step_id is not None:
            self.canvas.reveal_step(step_id)

    def _mark(self) -> None:
        self._board.show_differing(differing_steps(self.run.plan, self._draft.plan))


def differing_steps(old: Plan, draft: Plan) -> frozenset[StepId]:
    """Steps of the old plan that the draft has otherwise or no more; a step that only moved is the same."""
    found = difference(old, draft)
    changed = {change.before.id for change in found.changed if not change.is_only_moved}
    return frozenset(changed | {step.id for step in found.removed})
