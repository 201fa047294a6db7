"""Shows a run as it happens: one repaint a batch of events, figures ten times a second, motion while steps run."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QTimer

from flowstudio.engine.events import RunEvent
from flowstudio.plan.model import StepId
from flowstudio.ui.canvas.faces import Look
from flowstudio.ui.canvas.scene import CanvasScene

FIGURES_EVERY_MS = 100
MOTION_EVERY_MS = 50


class RunDisplay(QObject):
    """Feeds run events to the scene. repaint_moving is called while something on the canvas moves by itself."""

    def __init__(self, scene: CanvasScene, repaint_moving: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._scene = scene
        self._late: set[StepId] = set()
        self._figures = QTimer(self, singleShot=True, interval=FIGURES_EVERY_MS)
        self._figures.timeout.connect(self._show_late_figures)
        self._motion = QTimer(self, interval=MOTION_EVERY_MS)
        self._motion.timeout.connect(repaint_moving)
        self.has_motion = True

    def show_events(self, events: Sequence[RunEvent]) -> None:
        """States change at once; figures at once too unless the last ones are less than 100 ms old."""
        is_new, touched = self._scene.run.take(events)
        if is_new:
            self._late.clear()
            self._scene.show_states(None, with_figures=True)
        elif touched:
            is_due = not self._figures.isActive()
            self._scene.show_states(touched, with_figures=is_due)
            if not is_due:
                self._late |= touched
        if (touched or is_new) and not self._figures.isActive():
            self._figures.start()
        self._keep_moving()

    def clear(self) -> None:
        """Takes the run off the canvas."""
        self._scene.run.clear()
        self._late.clear()
        self._scene.show_states(None, with_figures=True)
        self._keep_moving()

    def set_motion(self, has_motion: bool) -> None:
        """Turns moving dashes, turning arcs and pulses on or off (reduce motion)."""
        self.has_motion = has_motion
        self._keep_moving()

    def _show_late_figures(self) -> None:
        late, self._late = self._late, set()
        if late:
            self._scene.show_states(late, with_figures=True)
            self._figures.start()

    def _keep_moving(self) -> None:
        cards = self._scene.cards
        is_moving = self.has_motion and bool((cards.look[: cards.size] == Look.RUNNING).any())
        if is_moving and not self._motion.isActive():
            self._motion.start()
        elif not is_moving:
            self._motion.stop()
