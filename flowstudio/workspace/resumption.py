"""Calls that resume a run which waits for one: whoever knows the run's resume address may make it."""

from collections.abc import Callable
from typing import Protocol

from flowstudio.engine.model import IterationPath, Run
from flowstudio.plan.model import Json, StepId
from flowstudio.workspace.errors import BadRequestError, NoSuchRunError
from flowstudio.workspace.webhooks import Delivery, trigger_data


class CallTaker(Protocol):
    """The part of the engine that takes calls."""

    def deliver(
        self, run_id: str, call: Json, step_id: StepId | None = None, iteration: IterationPath | None = None
    ) -> StepId: ...


class Resumption:
    """Thread-safe."""

    def __init__(self, engine: CallTaker, find: Callable[[str], Run | None]) -> None:
        """find: the run with that resume key, of any user."""
        self._engine = engine
        self._find = find

    def deliver(self, key: str, call: Delivery, step_id: StepId | None, iteration: str | None) -> StepId:
        """Gives the call to the step that waits for one; which one it was. The call is durable on return.

        step_id, iteration ("3.0"): which of several. Raises NoSuchRunError, NotWaitingError, BadRequestError.
        """
        run = self._find(key) if key else None
        if run is None:
            raise NoSuchRunError(
                "No run has this address.", fix="Check it: it must be exactly what {{ run.resume_url }} gave."
            )
        return self._engine.deliver(run.id, trigger_data(call), step_id, iteration_path(iteration))


def iteration_path(text: str | None) -> IterationPath | None:
    """ "3.0" -> (3, 0), "" -> (), None -> None. Raises BadRequestError."""
    if text is None:
        return None
    parts = text.split(".") if text else []
    if not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts):
        raise BadRequestError(
            f"“{text[:40]}” is no iteration.",
            fix="It is a number from 0, or several with dots for loops inside loops: 3.0.",
            facts={"field": "iteration"},
        )
    return tuple(map(int, parts))
