"""What an edit changed, in the order it happened: the scene draws just that."""

from dataclasses import dataclass
from typing import TypeAlias

from flowstudio.plan.model import Edge, Frame, Note, Step, StepId


@dataclass(frozen=True, slots=True)
class StepAdded:
    step: Step


@dataclass(frozen=True, slots=True)
class StepRemoved:
    """The step's edges were reported before it."""

    step_id: StepId


@dataclass(frozen=True, slots=True)
class StepChanged:
    """step: as it is now. Position may have changed too when a whole step was put back."""

    step: Step

    @property
    def step_id(self) -> StepId:
        return self.step.id


@dataclass(frozen=True, slots=True)
class StepMoved:
    step_id: StepId
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class EdgeAdded:
    edge: Edge


@dataclass(frozen=True, slots=True)
class EdgeRemoved:
    edge: Edge


@dataclass(frozen=True, slots=True)
class NoteChanged:
    """note: as it is now, None when it was removed."""

    note_id: str
    note: Note | None


@dataclass(frozen=True, slots=True)
class FrameChanged:
    """frame: as it is now, None when it was removed."""

    frame_id: str
    frame: Frame | None


@dataclass(frozen=True, slots=True)
class PlanChanged:
    """field: "name", "description", "variables", "triggers", "ordinals", "pins" or "settings"."""

    field: str


Change: TypeAlias = (
    StepAdded
    | StepRemoved
    | StepChanged
    | StepMoved
    | EdgeAdded
    | EdgeRemoved
    | NoteChanged
    | FrameChanged
    | PlanChanged
)
