"""The durable log of a run: its lines, and which of them are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from flowstudio.engine.events import LogWritten
from flowstudio.engine.model import IterationPath
from flowstudio.plan.model import StepId


class Level(StrEnum):
    """How much a line matters, least first."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def and_above(self) -> Sequence["Level"]:
        levels = tuple(Level)
        return levels[levels.index(self) :]


@dataclass(frozen=True, slots=True)
class LogLine:
    """sequence: its place within the run, from 1, with gaps. step_id is None for lines about the run itself."""

    sequence: int
    at: datetime
    level: str
    text: str
    step_id: StepId | None = None
    iteration: IterationPath = ()

    def as_event(self, run_id: str) -> LogWritten:
        return LogWritten(run_id, self.at, self.level, self.text, self.step_id, self.iteration)
