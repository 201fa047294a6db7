"""A form edits the plan: every change is an undoable edit, every problem stands under its field."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from flowstudio.plan.model import OnError, Plan, PlanSettings, Retry, Step, Trigger, TriggerKind, WhenBusy
from flowstudio.plan.rules import Problem, Severity
from flowstudio.providers.registry import Registry
from flowstudio.ui.forms.plan_form import PlanForm
from flowstudio.ui.forms.runs_section import RunsSection
from flowstudio.ui.forms.step_form import StepForm
from flowstudio.ui.icons import Icons
from flowstudio.ui.open_plan import OpenPlan
from flowstudio.ui.panels.palette import Palette

POST = Step("post", "slack", "post_message", "Tell them", {"channel": "#general"})
IF = Step("check", "flow", "condition", "", {"condition": "{{ steps.post.output.n > 3 }}"})
SWITCH = Step("route", "flow", "switch", "", {"value": "{{ trigger.kind }}", "cases": [{"name": "a", "equals": 1}]})
PLAN = Plan("p", "A plan", steps=(POST, IF, SWITCH))

Opener = Callable[[Plan], OpenPlan]


@pytest.fixture
def desk(qtbot: QtBot, open_plan: Opener, registry: Registry, icons: Icons) -> Callable[..., StepForm]:
    def make(step_id: str = "post", plan: Plan = PLAN) -> StepForm:
        opened = open_plan(plan)
        form = StepForm(opened, step_id, registry, icons)
        opened.edited.connect(lambda _: form.show_plan())
        qtbot.addWidget(form)
        form.resize(360, 800)
        form.show()
        return form

    return make


def params(form: StepForm) -> object:
    return form.open_plan.plan.step(form.step_id).params


def line_of(form: StepForm, field: str) -> QLineEdit:
    line = form.inputs.rows[field].editor.findChild(QLineEdit)
    assert line is not None
    return line


def test_typing_changes_the_plan_at_once_and_undo_brings_it_back(desk: Callable[..., StepForm], qtbot: QtBot) -> None:
    form = desk()
    line = line_of(form, "channel")
    line.setCursorPosition(len(line.text()))
    qtbot.keyClicks(line, "-news")
    assert form.open_plan.plan.step("post").params["channel"] == "#general-news"
    assert form.open_plan.undo.count() == 1
    form.open_plan.undo.undo()
    assert form.open_plan.plan.step("post").params["channel"] == "#general"
    qtbot.waitUntil(lambda: line.text() == "#general")


def test_emptying_a_field_takes_the_param_out(desk: Callable[..., StepForm], qtbot: QtBot) -> None:
    form = desk()
    line = line_of(form, "channel")
    line.selectAll()
    qtbot.keyClick(line, Qt.Key.Key_Backspace)
    assert params(form) == {}


def test_an_equals_sign_in_an_empty_field_turns_the_expression_side_on(
    desk: Callable[..., StepForm], qtbot: QtBot
) -> None:
    form = desk(plan=Plan("p", "A", steps=(Step("post", "slack", "post_message"),)))
    row = form.inputs.rows["channel"]
    qtbot.keyClicks(line_of(form, "channel"), "=")
    assert row.fx.isChecked()
    assert row.expression.isVisible()
    qtbot.keyClicks(row.expression.text, "{{ trigger.channel }}")
    assert params(form) == {"channel": "{{ trigger.channel }}"}


def test_a_stored_expression_opens_on_the_expression_side(desk: Callable[..., StepForm]) -> None:
    step = Step("post", "slack", "post_message", "", {"channel": "{{ item.channel }}"})
    row = desk(plan=Plan("p", "A", steps=(step,))).inputs.rows["channel"]
    assert row.fx.isChecked()
    assert row.expression.text.toPlainText() == "{{ item.channel }}"


def test_leaving_the_expression_side_takes_the_expression_out(desk: Callable[..., StepForm], qtbot: QtBot) -> None:
    step = Step("post", "slack", "post_message", "", {"channel": "{{ item.channel }}"})
    form = desk(plan=Plan("p", "A", steps=(step,)))
    qtbot.mouseClick(form.inputs.rows["channel"].fx, Qt.MouseButton.LeftButton)
    assert params(form) == {}
    form.open_plan.undo.undo()
    assert params(form) == {"channel": "{{ item.channel }}"}


def test_the_insert_menu_offers_the_steps_before(desk: Callable[..., StepForm]) -> None:
    from flowstudio.plan.model import Edge
    from flowstudio.ui.forms.references import references_for

    plan = Plan("p", "A", steps=(POST, IF), edges=(Edge("post", "out", "check"),), variables={"limit": 3})
    texts = [each.text for each in references_for(plan, "check")]
    assert texts == ["steps.post.output", "vars.limit", "trigger", "run.id"]


def test_a_while_offers_what_the_turn_before_gave_to_its_condition_and_its_body() -> None:
    from flowstudio.ui.forms.references import references_for

    again, inside = Step("again", "flow", "while"), Step("inside", "x", "y", parent="again")
    plan = Plan("p", "A", steps=(again, inside))
    for step_id in ("again", "inside"):
        offered = {each.text: each.title for each in references_for(plan, step_id)}
        assert offered["item"] == "Result of the turn before"


def test_a_problem_stands_under_its_field_and_leaves_with_it(desk: Callable[..., StepForm]) -> None:
    form = desk()
    row = form.inputs.rows["text"]
    form.show_problems([Problem("post", "text", "Text is missing.", Severity.ERROR, "plan.missing")])
    assert row._problem.isVisible()
    assert row._problem.text() == "Text is missing."
    form.show_problems([])
    assert not row._problem.isVisible()


def test_problems_come_from_the_rules_after_an_edit(desk: Callable[..., StepForm], qtbot: QtBot) -> None:
    form = desk()
    form.open_plan.checked.connect(form.show_problems)
    qtbot.keyClicks(line_of(form, "channel"), "x")
    qtbot.waitUntil(lambda: form.inputs.rows["text"]._problem.isVisible(), timeout=3000)


def test_the_condition_builder_writes_an_expression(desk: Callable[..., StepForm], qtbot: QtBot) -> None:
    form = desk("check")
    editor = form.inputs.rows["condition"].editor
    assert editor.left.text() == "steps.post.output.n"
    editor.right.selectAll()
    qtbot.keyClicks(editor.right, "open")
    assert params(form) == {"condition": "{{ steps.post.output.n > 'open' }}"}


def test_cases_are_added_and_removed_as_rows(desk: Callable[..., StepForm], qtbot: QtBot) -> None:
    form = desk("route")
    editor = form.inputs.rows["cases"].editor
    qtbot.mouseClick(editor.add, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(editor._rows[1].cells[0], "b")
    assert form.open_plan.plan.step("route").params["cases"] == [
        {"name": "a", "equals": 1},
        {"name": "b", "equals": ""},
    ]
    editor._rows[0].removed.emit(editor._rows[0])
    assert form.open_plan.plan.step("route").params["cases"] == [{"name": "b", "equals": ""}]


def test_the_title_is_edited_in_the_header_as_one_undo_step(desk: Callable[..., StepForm], qtbot: QtBot) -> None:
    form = desk()
    form.title.selectAll()
    qtbot.keyClicks(form.title, "Announce")
    assert form.open_plan.plan.step("post").title == "Announce"
    assert form.open_plan.undo.count() == 1


def test_the_errors_tab_sets_what_a_failure_does(desk: Callable[..., StepForm], qtbot: QtBot) -> None:
    form = desk()
    form.tabs.setCurrentWidget(form.errors)
    tries = form.errors.rows["tries"].editor.line
    assert not form.errors.rows["delay_s"].isVisible()
    tries.selectAll()
    qtbot.keyClicks(tries, "3")
    assert form.open_plan.plan.step("post").retry == Retry(tries=3)
    qtbot.waitUntil(form.errors.rows["delay_s"].isVisible)
    box = form.errors.rows["on_error"].editor.box
    box.setCurrentIndex(2)
    box.activated.emit(2)
    assert form.open_plan.plan.step("post").on_error is OnError.BRANCH


def test_a_half_typed_number_is_outlined_and_not_stored(desk: Callable[..., StepForm], qtbot: QtBot) -> None:
    form = desk()
    form.tabs.setCurrentWidget(form.errors)
    limit = form.errors.rows["timeout_s"].editor.line
    qtbot.keyClicks(limit, "abc")
    assert limit.property("invalid") is True
    assert form.open_plan.plan.step("post").timeout_s is None


def test_renaming_the_id_waits_until_the_field_is_left(desk: Callable[..., StepForm], qtbot: QtBot) -> None:
    form = desk()
    form.tabs.setCurrentWidget(form.advanced)
    line = form.advanced.id_line
    line.selectAll()
    qtbot.keyClicks(line, "announce")
    assert form.open_plan.plan.has_step("post")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert form.open_plan.plan.has_step("announce")


def test_an_unknown_action_shows_its_values_and_keeps_them(desk: Callable[..., StepForm], qtbot: QtBot) -> None:
    step = Step("odd", "nobody", "does", "", {"text": "a", "deep": {"b": [1]}})
    form = desk("odd", Plan("p", "A", steps=(step,)))
    assert set(form.inputs.rows) == {"text", "deep"}
    qtbot.keyClicks(line_of(form, "text"), "!")
    assert params(form) == {"text": "a!", "deep": {"b": [1]}}


def test_every_control_of_a_form_has_an_accessible_name(desk: Callable[..., StepForm]) -> None:
    from PySide6.QtWidgets import QAbstractButton, QComboBox, QPlainTextEdit

    form = desk()
    for kind in (QLineEdit, QPlainTextEdit, QComboBox, QAbstractButton):
        for widget in form.findChildren(kind):
            if not widget.objectName().startswith("qt_") and widget.objectName() not in (
                "ScrollLeftButton",
                "ScrollRightButton",
            ):
                assert widget.accessibleName() or getattr(widget, "text", lambda: "")(), widget


@pytest.fixture
def plan_form(qtbot: QtBot, open_plan: Opener, icons: Icons) -> PlanForm:
    trigger = Trigger("t", TriggerKind.SCHEDULE, {"cron_expression": "0 9 * * *", "timezone": "UTC"})
    opened = open_plan(Plan("p", "A plan", triggers=(trigger,), variables={"limit": 3}))
    form = PlanForm(opened, "http://127.0.0.1:5001", icons)
    opened.edited.connect(lambda _: form.show_plan())
    qtbot.addWidget(form)
    form.show()
    return form


def test_the_plan_form_names_the_plan(plan_form: PlanForm, qtbot: QtBot) -> None:
    plan_form.name.selectAll()
    qtbot.keyClicks(plan_form.name, "Daily")
    assert plan_form.open_plan.plan.name == "Daily"


def test_a_schedule_shows_its_next_times_and_marks_a_bad_cron(plan_form: PlanForm, qtbot: QtBot) -> None:
    editor = plan_form._triggers["t"]
    assert editor.note.text().startswith("Next: ")
    cron = editor.lines["cron_expression"]
    cron.selectAll()
    qtbot.keyClicks(cron, "99 * * * *")
    qtbot.waitUntil(lambda: cron.property("invalid") is True)
    assert not editor.note.text().startswith("Next: ")


def test_a_webhook_is_added_with_a_path_from_the_plans_name(plan_form: PlanForm, qtbot: QtBot) -> None:
    plan_form._add(TriggerKind.WEBHOOK)
    trigger = plan_form.open_plan.plan.triggers[1]
    assert trigger.config == {"webhook_path": "a-plan"}
    qtbot.waitUntil(lambda: trigger.id in plan_form._triggers)
    assert plan_form._triggers[trigger.id].note.text() == "http://127.0.0.1:5001/api/webhook/a-plan"


def test_a_variable_is_changed_row_by_row(plan_form: PlanForm, qtbot: QtBot) -> None:
    cell = plan_form.variables.editor._rows[0].cells[1]
    cell.selectAll()
    qtbot.keyClicks(cell, "5")
    assert plan_form.open_plan.plan.variables == {"limit": "5"}


def test_the_limit_shows_once_runs_do_not_go_side_by_side(plan_form: PlanForm, qtbot: QtBot) -> None:
    rows = plan_form.runs.rows
    assert not rows["runs_at_once"].isVisible()
    box = rows["when_busy"].editor.box
    assert box.currentText() == "Run beside it"
    box.setCurrentIndex(box.findText("Wait in line"))
    box.activated.emit(box.currentIndex())
    assert plan_form.open_plan.plan.settings.when_busy is WhenBusy.QUEUE
    qtbot.waitUntil(rows["runs_at_once"].isVisible)
    qtbot.keyClicks(rows["runs_at_once"].editor.line, "3")
    assert plan_form.open_plan.plan.settings.runs_at_once == 3
    plan_form.open_plan.undo.undo()
    assert plan_form.open_plan.plan.settings.runs_at_once == 1


def test_a_setting_that_is_no_number_is_outlined_and_changes_nothing(plan_form: PlanForm, qtbot: QtBot) -> None:
    line = plan_form.runs.rows["keep_runs"].editor.line
    qtbot.keyClicks(line, "-5x")
    assert line.property("invalid") is True
    assert plan_form.open_plan.plan.settings == PlanSettings()


def test_the_plan_for_failed_runs_is_chosen_by_its_name(plan_form: PlanForm, qtbot: QtBot) -> None:
    stored = [SimpleNamespace(id=plan.id, plan=plan) for plan in (plan_form.open_plan.plan, Plan("mail_me", "Mail me"))]
    plan_form.open_plan.services.plans.list = lambda user_id: stored  # type: ignore[method-assign]
    runs = RunsSection(plan_form.open_plan, plan_form._icons)
    qtbot.addWidget(runs)
    box = runs.rows["error_plan"].editor.box
    qtbot.waitUntil(lambda: box.findText("Mail me") > 0)
    assert box.itemText(0) == "No other plan"
    assert box.findText("A plan") < 0, "a plan is no remedy for itself"
    box.activated.emit(box.findText("Mail me"))
    assert plan_form.open_plan.plan.settings.error_plan == "mail_me"


def test_no_part_of_a_form_shows_as_a_window_of_its_own(
    desk: Callable[..., StepForm], qapp: QApplication, registry: Registry, icons: Icons
) -> None:
    shown: list[object] = []

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
                shown.append(watched)
            return False

    watch = Watch()
    qapp.installEventFilter(watch)
    try:
        forms = [desk(step_id) for step_id in ("post", "check", "route")]
        palette = Palette(registry, icons)
    finally:
        qapp.removeEventFilter(watch)
    assert shown == forms
    palette.deleteLater()


def test_a_field_stays_under_the_hand_when_braces_are_closed_in_it(desk: Callable[..., StepForm], qtbot: QtBot) -> None:
    form = desk()
    editor = form.inputs.rows["text"].editor
    with qtbot.waitActive(form):
        form.activateWindow()
    editor.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is not None)
    for text in ("Hi {{ trigger.name }}", ", welcome"):
        focused = QApplication.focusWidget()
        assert focused is not None
        qtbot.keyClicks(focused, text)
        form.show_plan()
    assert form.open_plan.plan.step("post").params["text"] == "Hi {{ trigger.name }}, welcome"
