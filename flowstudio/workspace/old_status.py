"""The old service's five words for a run's eight states: in its API and in the column it reads."""

from collections.abc import Mapping

from flowstudio.engine.model import RunState

OLD_STATUS: Mapping[RunState, str] = {
    RunState.QUEUED: "pending",
    RunState.RUNNING: "running",
    RunState.WAITING: "running",
    RunState.PAUSED: "running",
    RunState.INTERRUPTED: "pending",
    RunState.SUCCEEDED: "success",
    RunState.FAILED: "failed",
    RunState.CANCELLED: "cancelled",
}
"""An interrupted run is pending: nothing of it is at work, and it goes on when a person has answered."""
