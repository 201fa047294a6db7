"""The machinery all runs share: made once by the engine, handed to every runner."""

from collections.abc import Callable
from dataclasses import dataclass

from flowstudio.engine.calls import Calls
from flowstudio.engine.error_plans import ErrorPlans
from flowstudio.engine.events import RunEvent
from flowstudio.engine.gates import Gates
from flowstudio.engine.journal import Journal
from flowstudio.engine.limits import EngineLimits
from flowstudio.engine.pool import Pool
from flowstudio.engine.ports import Clock
from flowstudio.engine.step import StepPerformer
from flowstudio.engine.timers import Timers


@dataclass(frozen=True, slots=True)
class Works:
    """resume_url: from a run's resume key to the address whose call resumes it."""

    journal: Journal
    pool: Pool
    timers: Timers
    performer: StepPerformer
    clock: Clock
    publish: Callable[[RunEvent], None]
    limits: EngineLimits
    calls: Calls
    error_plans: ErrorPlans
    gates: Gates
    resume_url: Callable[[str], str]
