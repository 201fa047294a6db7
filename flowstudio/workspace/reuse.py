"""Which results of an earlier run a new one can begin with. Pure.

A stored output is fresh while its step's fingerprint is the same in the plan of then and the plan of now, stale when it
has changed, missing when there is none. It is stale, too, when it never came from its step alone: of an edited input, a
pin, or an output that was stale already. What is dead, behind a branch that was not taken, needs no output.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from flowstudio.engine.model import REUSED_FROM, IterationPath, Run, StepRun, StepState
from flowstudio.engine.progress import ITEM_ENDED, NOT_TAKEN
from flowstudio.engine.steering import PINNED
from flowstudio.engine.stops import EDITED
from flowstudio.plan.dependencies import Dependencies
from flowstudio.plan.fingerprint import fingerprints
from flowstudio.plan.model import Json, Plan, StepId

STALE = "stale"
"""Key in the metadata of a row that a person chose to use although its step had changed."""
_FOREIGN = frozenset({STALE, EDITED, PINNED})
"""Marks of rows whose output is not what their step gives."""


class Missing(StrEnum):
    """What a client answers when stored outputs are missing: run those steps, too."""

    RUN = "run"


class Stale(StrEnum):
    """What a client answers when stored outputs are older than their steps: use them all the same, or run the steps."""

    USE = "use"
    RUN = "run"


class Standing(StrEnum):
    FRESH = "fresh"
    STALE = "stale"
    MISSING = "missing"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Choices:
    """What to do about gaps; None asks."""

    missing: Missing | None = None
    stale: Stale | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """only: the steps the run performs, None for all that have no result. seeds: rows of the base run, not yet its own.

    missing, stale: what has to be asked about first.
    """

    only: frozenset[StepId] | None
    seeds: tuple[StepRun, ...] = ()
    missing: tuple[StepId, ...] = ()
    stale: tuple[StepId, ...] = ()

    @property
    def gaps(self) -> int:
        return len(self.missing) + len(self.stale)


@dataclass(frozen=True, slots=True)
class Part:
    """The steps of a plan that are to run. walked: loops around them, gone through but not done anew.

    iteration: where in loops, None for everywhere.
    """

    run: frozenset[StepId]
    walked: frozenset[StepId]
    iteration: IterationPath | None = None


def part_of(
    dependencies: Dependencies, step_id: StepId, *, goes_on: bool, iteration: IterationPath | None = None
) -> Part:
    """One step, or with goes_on that step and everything that depends on it."""
    around = set(dependencies.around[step_id])
    behind = dependencies.after({step_id}) - around if goes_on else set()
    run = dependencies.with_bodies({step_id, *behind})
    walked = around.union(*(dependencies.around[each] for each in run)) - run
    return Part(frozenset(run), frozenset(walked), iteration)


@dataclass(slots=True)
class _Found:
    foreign: set[StepId]
    seeds: list[StepRun] = field(default_factory=list)
    again: set[StepId] = field(default_factory=set)
    missing: list[StepId] = field(default_factory=list)
    stale: list[StepId] = field(default_factory=list)


class Stored:
    """The results of a base run as a plan sees them, for runs whose trigger brings these data."""

    def __init__(self, plan: Plan, dependencies: Dependencies, trigger: Json, base: Run | None) -> None:
        self._plan = plan
        self._dependencies = dependencies
        now = fingerprints(plan, trigger, dependencies)
        then = fingerprints(base.plan, base.trigger.data) if base is not None else {}
        by_hash = {value: step_id for step_id, value in then.items()}
        self._source = {each: each if then.get(each) == now[each] else by_hash.get(now[each], each) for each in now}
        self._is_fresh = {each: then.get(self._source[each]) == now[each] for each in now}

    def part(self, rows: Iterable[StepRun], part: Part, choices: Choices, pinned: Collection[StepId] = ()) -> Selection:
        """What a run of this part begins with. Whatever leads to it needs a result, a pin, or has to run, too."""
        results, found = _by_step(rows), _Found(self._foreign(_by_step(rows)))
        whole = part.run | part.walked
        needed = self._dependencies.before(whole) - whole
        for step in self._plan.steps:
            if step.id in needed and (step.disabled or step.id in pinned):
                found.again.add(step.id)
            elif step.id in needed:
                self._judge(step.id, self._results(step.id, results), choices, found)
        if part.iteration is not None:
            found.seeds += self._elsewhere(results, part, choices)
        only = whole | self._dependencies.with_bodies(found.again)
        return Selection(frozenset(only), tuple(found.seeds), tuple(found.missing), tuple(found.stale))

    def rest(self, rows: Iterable[StepRun], choices: Choices) -> Selection:
        """What a run begins with that does all the base run did not come to its end with."""
        results, found = _by_step(rows), _Found(set())
        for step in self._plan.steps:
            usable = [row for row in self._results(step.id, results) if _is_usable(row)]
            if usable and not self._is_fresh[step.id] and choices.stale is None:
                found.stale.append(step.id)
            elif self._is_fresh[step.id]:
                found.seeds += usable
            elif choices.stale is Stale.USE:
                found.seeds += _marked(usable)
        return Selection(None, tuple(found.seeds), (), tuple(found.stale))

    def _judge(self, step_id: StepId, rows: Sequence[StepRun], choices: Choices, found: _Found) -> None:
        standing = self._standing(step_id, rows, found)
        usable = [row for row in rows if _is_usable(row)]
        if standing is Standing.FRESH:
            found.seeds += usable
        elif standing is Standing.STALE and choices.stale is Stale.USE:
            found.seeds += _marked(usable)
        elif standing is Standing.STALE and choices.stale is None:
            found.stale.append(step_id)
        elif standing is Standing.MISSING and choices.missing is None:
            found.missing.append(step_id)
        else:
            found.again.add(step_id)

    def _standing(self, step_id: StepId, rows: Sequence[StepRun], found: _Found) -> Standing:
        is_whole = bool(rows) and all(_is_usable(row) or _is_dead(row) for row in rows)
        is_any = any(_is_usable(row) for row in rows)
        if self._is_fresh[step_id] and step_id not in found.foreign and is_whole:
            return Standing.FRESH if is_any else Standing.DEAD
        return Standing.STALE if is_any and is_whole else Standing.MISSING

    def _elsewhere(self, results: Mapping[StepId, list[StepRun]], part: Part, choices: Choices) -> Iterator[StepRun]:
        """Results of the other iterations, of all that lies in the loops this part is in."""
        assert part.iteration is not None
        for step_id in set().union(*(self._dependencies.inside(loop) for loop in part.walked)):
            if self._is_fresh[step_id] or choices.stale is Stale.USE:
                rows = [row for row in self._results(step_id, results) if _is_usable(row)]
                kept = [row for row in rows if not _is_within(row.iteration, part.iteration)]
                yield from kept if self._is_fresh[step_id] else _marked(kept)

    def _foreign(self, results: Mapping[StepId, list[StepRun]]) -> set[StepId]:
        """The steps whose results did not come from their definitions alone, and all that worked on those."""
        marked = {
            step.id
            for step in self._plan.steps
            if any(row.metadata.keys() & _FOREIGN for row in self._results(step.id, results))
        }
        return marked | self._dependencies.after(marked)

    def _results(self, step_id: StepId, results: Mapping[StepId, list[StepRun]]) -> list[StepRun]:
        source = self._source[step_id]
        rows = results.get(source, [])
        return rows if source == step_id else [replace(row, step_id=step_id) for row in rows]


def seeded(rows: Iterable[StepRun], run_id: str, base: Run) -> list[StepRun]:
    """The rows as the new run's own, marked with the run that worked them out."""
    unique = {(row.step_id, row.iteration): row for row in rows}
    return [
        replace(row, run_id=run_id, metadata={**row.metadata, REUSED_FROM: row.metadata.get(REUSED_FROM, base.id)})
        for row in unique.values()
    ]


def _marked(rows: Iterable[StepRun]) -> list[StepRun]:
    return [replace(row, metadata={**row.metadata, STALE: True}) for row in rows]


def _by_step(rows: Iterable[StepRun]) -> dict[StepId, list[StepRun]]:
    found: dict[StepId, list[StepRun]] = {}
    for row in rows:
        found.setdefault(row.step_id, []).append(row)
    return found


def _is_usable(row: StepRun) -> bool:
    """A result; a failure too, if its step's policy was to go on."""
    return row.state is StepState.SUCCEEDED or (row.state is StepState.FAILED and bool(row.ports))


def _is_dead(row: StepRun) -> bool:
    return row.state is StepState.SKIPPED and row.message in (NOT_TAKEN, ITEM_ENDED)


def _is_within(path: IterationPath, iteration: IterationPath) -> bool:
    """Whether what runs at path depends on that iteration or it on that."""
    common = min(len(path), len(iteration))
    return path[:common] == iteration[:common]
