"""Which runs of a plan may be under way at the same time, by the settings of the revision each of them executes.

A run arrives once it is durable and leaves when it has ended. One that has to wait is an entry in its plan's line and
holds no thread; lines are first come first served. The lines are in memory: after a restart the runs that had begun
keep their places, and those that had not arrive again, oldest first.

A run's callers never stand in its way: a plan that calls itself would wait for itself. Nor does a run wait for one
that can only end after it, as two plans that call each other and run one at a time would otherwise do for ever.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from flowstudio.engine.errors import ReplacedError, SkippedError, failure_of
from flowstudio.engine.model import Failure, Run, RunState
from flowstudio.plan.model import WhenBusy


class Entry(Enum):
    """What becomes of a run that arrives: it starts, waits in line, or is left out."""

    STARTS = auto()
    WAITS = auto()
    IS_SKIPPED = auto()


@dataclass(frozen=True, slots=True)
class Arrival:
    """replaces: runs that have to make room for this one: their owner cancels them. failure: why it is skipped."""

    entry: Entry
    replaces: tuple[str, ...] = ()
    failure: Failure | None = None


@dataclass(slots=True, eq=False)
class _Line:
    """The runs of one user's plan. leaving: told to make room, and not gone yet."""

    active: dict[str, Run] = field(default_factory=dict)
    waiting: dict[str, Run] = field(default_factory=dict)
    leaving: set[str] = field(default_factory=set)

    @property
    def is_empty(self) -> bool:
        return not self.active and not self.waiting


class Admission:
    """Not thread-safe: the engine's lock guards it. Every run that arrived must leave."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], _Line] = {}
        self._runs: dict[str, Run] = {}
        self._called: dict[str, Run] = {}
        """Waiting runs that another run called as a step."""

    def arrive(self, run: Run) -> Arrival:
        """Gives the run its place. One that began in an earlier life of the process has it already."""
        line = self._lines.setdefault(_key(run), _Line())
        when_busy = run.plan.settings.when_busy
        may_start = run.state is not RunState.QUEUED or when_busy is WhenBusy.PARALLEL or self._has_room(line, run)
        if not may_start and when_busy is WhenBusy.SKIP:
            return Arrival(Entry.IS_SKIPPED, failure=_skipped(run, len(self._others(line, run))))
        self._runs[run.id] = run
        if may_start or (run.parent is not None and self._would_wait_for_itself(run, line)):
            line.active[run.id] = run
            return Arrival(Entry.STARTS)
        replaced = self._make_room(line, run) if when_busy is WhenBusy.REPLACE else ()
        line.waiting[run.id] = run
        if run.parent is not None:
            self._called[run.id] = run
        return Arrival(Entry.WAITS, replaced)

    def leave(self, run_id: str) -> list[str]:
        """Forgets a run; ids of those whose turn it is now, first come first."""
        run = self._runs.pop(run_id, None)
        if run is None:
            return []
        line = self._lines[_key(run)]
        for place in (line.active, line.waiting, self._called):
            place.pop(run_id, None)
        line.leaving.discard(run_id)
        turns = list(self._move_up(line))
        if line.is_empty:
            del self._lines[_key(run)]
        return turns

    def reason(self, run_id: str) -> str:
        """What a waiting run waits for, as a sentence; "" for any other."""
        run = self._runs.get(run_id)
        line = self._lines[_key(run)] if run is not None else None
        if run is None or line is None or run_id not in line.waiting:
            return ""
        ahead = list(line.waiting).index(run_id)
        under_way = len(self._others(line, run))
        before = f", and {_runs(ahead)} will start before it" if ahead else ""
        return f"Waits: {_runs(under_way)} of this plan {_are(under_way)} under way{before}."

    def _has_room(self, line: _Line, run: Run) -> bool:
        """Nobody who came before waits, and fewer others are under way than this revision of the plan allows."""
        return not line.waiting and len(self._others(line, run)) < run.plan.settings.runs_at_once

    def _others(self, line: _Line, run: Run) -> Collection[str]:
        callers = set(self._callers(run))
        return [each for each in line.active if each not in callers]

    def _move_up(self, line: _Line) -> Iterator[str]:
        while line.waiting:
            run_id, run = next(iter(line.waiting.items()))
            if len(self._others(line, run)) >= run.plan.settings.runs_at_once:
                return
            del line.waiting[run_id]
            self._called.pop(run_id, None)
            line.active[run_id] = run
            yield run_id

    def _make_room(self, line: _Line, run: Run) -> tuple[str, ...]:
        """The oldest runs, under way or waiting, that must go so that this one fits."""
        callers = set(self._callers(run))
        staying = [each for each in (*line.active, *line.waiting) if each not in line.leaving and each not in callers]
        surplus = len(staying) - run.plan.settings.runs_at_once + 1
        replaced = tuple(staying[: max(surplus, 0)])
        line.leaving.update(replaced)
        return replaced

    def _callers(self, run: Run) -> Iterator[str]:
        """Ids of the run that called this one's plan, the one that called that, and so on."""
        while run.parent is not None:
            yield run.parent.run_id
            caller = self._runs.get(run.parent.run_id)
            if caller is None:
                return
            run = caller

    def _would_wait_for_itself(self, run: Run, line: _Line) -> bool:
        return self._can_only_end_after(line, set(self._callers(run)), set())

    def _can_only_end_after(self, line: _Line, callers: set[str], seen: set[str]) -> bool:
        """Whether every run under way in the line is a caller, or waits for a call that is stuck in the same way."""
        return all(each in callers or self._is_stuck(each, callers, seen) for each in line.active)

    def _is_stuck(self, run_id: str, callers: set[str], seen: set[str]) -> bool:
        if run_id in seen:
            return False
        seen.add(run_id)
        calls = (call for call in self._called.values() if run_id in self._callers(call))
        lines = {id(line): line for call in calls if (line := self._lines[_key(call)])}
        return any(self._can_only_end_after(line, callers, seen) for line in lines.values())


def _skipped(run: Run, under_way: int) -> Failure:
    return failure_of(
        SkippedError(
            f"This run was skipped: {_runs(under_way)} of “{run.plan.name}” {_were(under_way)} under way, and the "
            f"plan allows {run.plan.settings.runs_at_once} at once.",
            fix="To have such runs wait or run beside the others, change “When it is still running” in the plan.",
        )
    )


def replaced_by(run: Run) -> Failure:
    """Why a run was ended to make room for this newer one."""
    at_once = run.plan.settings.runs_at_once
    return failure_of(
        ReplacedError(
            f"A newer run of “{run.plan.name}” took this run's place: the plan allows {at_once} at once.",
            fix="To let runs end before the next one starts, change “When it is still running” in the plan.",
        )
    )


def _key(run: Run) -> tuple[str, str]:
    return run.user_id, run.plan.id


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
