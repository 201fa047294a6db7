"""Plans that were asked for lately, read again only when their revision has changed.

Webhooks and sub-plan steps ask for the same plan a thousand times; decoding, checking, hashing and compiling it each
time would cost more than its runs: all of these remember plans by their object.
"""

from collections import OrderedDict
from threading import Lock

from flowstudio.plan.model import Plan
from flowstudio.workspace.ports import PlanRecord, PlanStamp, PlanStore

LIVE_PLANS = 256
"""How many plans are kept at hand."""


class LivePlans:
    """Thread-safe: at worst two threads read the same plan. It is the engine's PlanSource, too."""

    def __init__(self, plans: PlanStore) -> None:
        self._plans = plans
        self._lock = Lock()
        self._known: OrderedDict[str, PlanRecord] = OrderedDict()

    def find(self, user_id: str, plan_id: str) -> Plan | None:
        """The user's plan as it is stored now."""
        stamp = self._plans.stamp(user_id, plan_id)
        record = self.of(stamp) if stamp is not None else None
        return record.plan if record is not None else None

    def of(self, stamp: PlanStamp) -> PlanRecord | None:
        """The plan as it is stored now, when its stamp is."""
        with self._lock:
            record = self._known.get(stamp.plan_id)
        if record is not None and _is_current(record, stamp):
            return record
        record = self._plans.get(stamp.user_id, stamp.plan_id)
        if record is not None:
            with self._lock:
                self._known[stamp.plan_id] = record
                self._known.move_to_end(stamp.plan_id)
                if len(self._known) > LIVE_PLANS:
                    self._known.popitem(last=False)
        return record


def _is_current(record: PlanRecord, stamp: PlanStamp) -> bool:
    stored = (record.user_id, record.revision, record.updated_at)
    return stored == (stamp.user_id, stamp.revision, stamp.updated_at)
