"""The right dock: the form of the selected step, the plan's own form while nothing is selected."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedLayout, QWidget

from flowstudio.plan.model import StepId
from flowstudio.plan.rules import Problem
from flowstudio.providers.registry import Registry
from flowstudio.ui.controls import text_label
from flowstudio.ui.forms.plan_form import PlanForm
from flowstudio.ui.forms.step_form import StepForm
from flowstudio.ui.icons import Icons
from flowstudio.ui.open_plan import OpenPlan
from flowstudio.ui.tokens import SPACE_4


class StepPanel(QWidget):
    add_credential = Signal(str)  # provider id
    titled = Signal(str)  # what the form is about: "Step", "Plan"

    def __init__(self, registry: Registry, address: str, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._registry = registry
        self._address = address
        self._icons = icons
        self._open_plan: OpenPlan | None = None
        self._selected: Sequence[StepId] = ()
        self._many = text_label("", "muted", wraps=True)
        self._many.setContentsMargins(SPACE_4, SPACE_4, SPACE_4, SPACE_4)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._many)
        self._form: StepForm | PlanForm | None = None

    @property
    def form(self) -> StepForm | PlanForm | None:
        return self._form

    def set_address(self, address: str) -> None:
        """Where webhooks are served, once that is known."""
        self._address = address
        if isinstance(self._form, PlanForm):
            self._rebuild()

    def repaint_form(self) -> None:
        """Another theme: what was tinted when it was written is written again."""
        self._rebuild()

    def show_open_plan(self, open_plan: OpenPlan | None) -> None:
        """Another tab came to the front."""
        self._open_plan = open_plan
        self._selected = ()
        self._rebuild()

    def show_selection(self, step_ids: Sequence[StepId]) -> None:
        if list(step_ids) != list(self._selected) or self._form is None:
            self._selected = tuple(step_ids)
            self._rebuild()

    def show_edit(self) -> None:
        """The plan changed: values follow; a step that went or became another kind needs another form."""
        if self._open_plan is None:
            return
        if isinstance(self._form, StepForm) and not self._still_fits(self._form):
            self._selected = tuple(each for each in self._selected if self._open_plan.plan.has_step(each))
            self._rebuild()
        elif self._form is not None:
            self._form.show_plan()

    def show_problems(self, problems: Sequence[Problem]) -> None:
        if self._form is not None:
            self._form.show_problems(problems)

    def reveal(self, field: str | None) -> None:
        if self._form is not None:
            self._form.reveal(field)

    def reload_credentials(self) -> None:
        if isinstance(self._form, StepForm) and self._form.inputs.credential is not None:
            self._form.inputs.credential.reload()

    def _still_fits(self, form: StepForm) -> bool:
        plan = form.open_plan.plan
        if not plan.has_step(form.step_id):
            return False
        step = plan.step(form.step_id)
        return (step.provider, step.action) == form.made_for

    def _rebuild(self) -> None:
        old, self._form = self._form, None
        if self._open_plan is not None and len(self._selected) == 1:
            self._form = StepForm(self._open_plan, self._selected[0], self._registry, self._icons)
            self._form.add_credential.connect(self.add_credential)
        elif self._open_plan is not None and not self._selected:
            self._form = PlanForm(self._open_plan, self._address, self._icons)
        else:
            self._many.setText(f"{len(self._selected)} steps are selected." if self._selected else "No plan is open.")
        if self._form is not None:
            self._stack.addWidget(self._form)
            self._stack.setCurrentWidget(self._form)
        else:
            self._stack.setCurrentWidget(self._many)
        self.titled.emit("Plan" if isinstance(self._form, PlanForm) else "Step")
        if old is not None:
            self._stack.removeWidget(old)
            old.hide()
            old.deleteLater()
