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


def run_row(run: Run) -> Row:
    title, icon, tint = RUN_STATES[run.state]
    started = run.started_at or run.created_at
    took = duration((run.finished_at - started).total_seconds() * 1000) if run.finished_at else ""
    note = run.failure.sentence if run.failure else ""
    cells = (title, run.plan.name, run.trigger.kind.value.capitalize(), moment(started, True), took, note)
    return Row(cells, run, icon, tint, (tint, "text", "text_2", "text_2", "text_2", "text_2"))


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
