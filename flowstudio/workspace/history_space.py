"""How much room the history takes, and how much it may: values, and the port that storage implements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Protocol

from flowstudio.plan.model import Json
from flowstudio.workspace.plan_json import iso


@dataclass(frozen=True, slots=True)
class HistoryLimits:
    """What is kept of runs that ended. 0 is no limit.

    max_bytes: database and payload files together. days: since a run ended. runs: ended runs of one plan.
    A plan's own keep_days and keep_runs stand in for days and runs.
    """

    max_bytes: int = 2 * 1024**3
    days: float = 0
    runs: int = 0


@dataclass(frozen=True, slots=True)
class PlanShare:
    """What the history holds of one plan. name: as its latest run knew it."""

    user_id: str
    plan_id: str
    name: str
    runs: int
    steps: int
    log_lines: int


@dataclass(frozen=True, slots=True)
class StorageReport:
    """database_bytes: on the disk, write-ahead log included. free_bytes: pages in it that hold nothing at the moment.

    note: what a person should know about how this database gives room back. plans: those with the most steps first.
    """

    database: str
    database_bytes: int
    free_bytes: int
    payload_bytes: int
    payload_files: int
    unused_revisions: int
    oldest_run: datetime | None
    limits: HistoryLimits
    plans: Sequence[PlanShare]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a cleaning did. bytes_before, bytes_after: of database and payload files on the disk.

    longest_ms: the longest a single transaction kept other writers waiting. is_whole: False when it was interrupted.
    """

    runs: int
    revisions: int
    bytes_before: int
    bytes_after: int
    longest_ms: float
    is_whole: bool = True


class HistorySpace(Protocol):
    """Thread-safe. Raises the StorageError family."""

    def report(self) -> StorageReport: ...

    def is_over(self) -> bool:
        """Whether the history outgrew its cap since it was last cleaned; quick enough to be asked every minute."""
        ...

    def clean(self, stop: Event) -> Cleaned:
        """Removes what the limits do not allow and gives the room back; in small steps, and no more once stop is set.

        Only runs that ended go, oldest first.
        """
        ...


def report_as_json(report: StorageReport, user_id: str) -> dict[str, Json]:
    """For one user: their own plans alone."""
    limits = report.limits
    plans: list[Json] = [
        {"id": each.plan_id, "name": each.name, "runs": each.runs, "steps": each.steps, "log_lines": each.log_lines}
        for each in report.plans
        if each.user_id == user_id
    ]
    return {
        "database": report.database,
        "database_bytes": report.database_bytes,
        "free_bytes": report.free_bytes,
        "payload_bytes": report.payload_bytes,
        "payload_files": report.payload_files,
        "unused_revisions": report.unused_revisions,
        "oldest_run": iso(report.oldest_run),
        "limits": {"max_bytes": limits.max_bytes, "days": limits.days, "runs": limits.runs},
        "plans": plans,
        "note": report.note,
    }


def cleaned_as_json(cleaned: Cleaned) -> dict[str, Json]:
    return {
        "runs": cleaned.runs,
        "revisions": cleaned.revisions,
        "bytes_before": cleaned.bytes_before,
        "bytes_after": cleaned.bytes_after,
        "longest_ms": cleaned.longest_ms,
        "is_whole": cleaned.is_whole,
    }
