"""Plans as stored documents and back, each turned once.

Runs of one plan are many and its document is large: encoding it for every webhook call, or parsing it for every row of
the history, would cost more than the run itself.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Generic, TypeVar

from flowstudio.plan.document import from_document, to_document
from flowstudio.plan.model import Plan
from flowstudio.storage import json_codec

K = TypeVar("K")
V = TypeVar("V")

KEPT = 64


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan, its document as JSON text and that text's SHA-256."""

    plan: Plan
    text: str
    hash: str


class Recent(Generic[K, V]):
    """The latest few answers of a function, by key. Thread-safe; a value may be made twice, never served half-made."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K, make: Callable[[], V]) -> V:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._size:
                self._values.popitem(last=False)
        return value


class PlanCache:
    """Both directions. An entry holds its plan, so an id() that serves as a key cannot be taken by another object."""

    def __init__(self) -> None:
        self._stored: Recent[int, StoredPlan] = Recent(KEPT)
        self._plans: Recent[tuple[str, str], Plan] = Recent(KEPT)

    def stored(self, plan: Plan) -> StoredPlan:
        return self._stored.get(id(plan), lambda: _store(plan))

    def plan(self, user_id: str, revision: str, read: Callable[[], str]) -> Plan:
        """The plan of one stored revision; read fetches its document's text when it is not at hand."""
        return self._plans.get((user_id, revision), lambda: from_document(json_codec.decode(read())))


def _store(plan: Plan) -> StoredPlan:
    text = json_codec.encode(to_document(plan))
    return StoredPlan(plan, text, sha256(text.encode()).hexdigest())
