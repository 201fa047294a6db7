"""What the Home screen lists: published plans, and drafts that are not published yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flowstudio.engine.model import Run, RunState
from flowstudio.plan.edits import edit_from_json
from flowstudio.plan.model import Plan, Trigger, TriggerKind
from flowstudio.plan.rules import PlanError
from flowstudio.ui.moments import moment
from flowstudio.ui.panels.data_panel import duration
from flowstudio.ui.screens.screen import Row
from flowstudio.workspace.ports import Draft, PlanRecord
from flowstudio.workspace.services import Services

RUN_STATES: Mapping[RunState, tuple[str, str, str]] = {
    RunState.QUEUED: ("Queued", "state-queued", "waiting"),
    RunState.RUNNING: ("Running", "state-running", "running"),
    RunState.WAITING: ("Waiting", "state-waiting", "waiting"),
    RunState.PAUSED: ("Paused", "state-waiting", "waiting"),
    RunState.SUCCEEDED: ("Succeeded", "state-ok", "ok"),
    RunState.FAILED: ("Failed", "state-failed", "error"),
    RunState.CANCELLED: ("Stopped", "state-cancelled", "text_3"),
    RunState.INTERRUPTED: ("Interrupted", "severity-warning", "warning"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A plan as Home knows it; a draft of a published plan shows as one entry."""

    plan: Plan
    record: PlanRecord | None
    draft: Draft | None
    changed_at: datetime


def read_entries(services: Services, user_id: str) -> tuple[list[Entry], dict[str, Run]]:
    """All plans, newest change first, and the last run of each. Blocks: for a Task."""
    records = {record.id: record for record in services.plans.list(user_id)}
    drafts = {draft.plan_id: draft for draft in services.editing.drafts(user_id)}
    entries = [Entry(r.plan, r, drafts.get(r.id), r.updated_at) for r in records.values()]
    loose = [draft for draft in drafts.values() if draft.plan_id not in records]
    entries += [Entry(plan_of(draft), None, draft, draft.updated_at) for draft in loose]
    last: dict[str, Run] = {}
    for run in services.runs.list(user_id, limit=500):
        last.setdefault(run.plan.id, run)
    return sorted(entries, key=lambda entry: entry.changed_at, reverse=True), last


def plan_of(draft: Draft) -> Plan:
    """The plan after a draft's edits, as far as they can be made again."""
    plan = draft.snapshot
    for entry in draft.edits:
        try:
            plan = edit_from_json(entry.edit).apply(plan).plan
        except PlanError:
            break
    return plan


def entry_row(entry: Entry, last: Run | None) -> Row:
    state, tint = _standing(entry)
    run, _, run_tint = RUN_STATES[last.state] if last else ("—", "", "text_3")
    last_text = f"{run}, {moment(last.created_at)}" if last else run
    cells = (entry.plan.name or "Untitled plan", state, triggers_of(entry.plan), last_text, moment(entry.changed_at))
    return Row(cells, entry, "editor", "accent", ("text", tint, "text_2", run_tint, "text_3"))


def run_row(run: Run, waits_for: str = "") -> Row:
    """waits_for: why a queued one does not start."""
    title, icon, tint = RUN_STATES[run.state]
    started = run.started_at or run.created_at
    took = duration((run.finished_at - started).total_seconds() * 1000) if run.finished_at else ""
    note = run.failure.sentence if run.failure else waits_for or _kind_of(run)
    cells = (title, run.plan.name, started_by(run), moment(started, True), took, note)
    return Row(cells, run, icon, tint, (tint, "text", "text_2", "text_2", "text_2", "text_2"))


def started_by(run: Run) -> str:
    """What started the run: which of the plan's triggers, where it has several of a kind."""
    kind, trigger_id = run.trigger.kind, run.trigger.trigger_id
    if kind is TriggerKind.PLAN:
        return "Another plan"
    if kind is TriggerKind.ERROR:
        return "A failure"
    alike = [trigger for trigger in run.plan.triggers if trigger.kind is kind]
    name = kind.value.capitalize()
    return f"{name} {trigger_id}" if trigger_id and len(alike) > 1 else name


def _kind_of(run: Run) -> str:
    """How it differs from a plain run of its plan."""
    options = run.options
    told = {
        "Dry run": options.is_dry,
        "a part of the plan": options.only is not None,
        "builds on an earlier run": options.based_on is not None,
        "with pinned outputs": options.uses_pins,
    }
    found = ", ".join(text for text, is_so in told.items() if is_so)
    return f"{found[:1].upper()}{found[1:]}"


def triggers_of(plan: Plan) -> str:
    return ", ".join(words for trigger in plan.triggers if (words := trigger_words(trigger))) or "By hand"


def trigger_words(trigger: Trigger) -> str:
    if trigger.kind is TriggerKind.WEBHOOK:
        return f"Webhook /{trigger.config.get('webhook_path', '')}"
    if trigger.kind is TriggerKind.SCHEDULE:
        return f"Schedule {trigger.config.get('cron_expression', '')}"
    return ""


def _standing(entry: Entry) -> tuple[str, str]:
    if entry.record is None:
        return "Draft", "text_2"
    if entry.draft is not None:
        return "Unpublished changes", "warning"
    return ("Live", "ok") if entry.record.enabled else ("Paused", "waiting")
