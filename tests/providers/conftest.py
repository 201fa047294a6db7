"""Calls, credentials and senders for tests of providers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import pytest

from flowstudio.engine.cancel import CancelToken
from flowstudio.plan.model import Json
from flowstudio.providers.loader import load_catalog
from flowstudio.providers.manifest import Manifest
from flowstudio.providers.network import Network
from flowstudio.providers.ports import Cancel, HttpAnswer, HttpCall, Limits
from flowstudio.providers.registry import Registry


@dataclass(frozen=True)
class FakeCall:
    """What the engine hands over."""

    provider: str = "slack"
    action: str = "post_message"
    params: Mapping[str, Json] = field(default_factory=dict)
    credential: str | None = None
    user_id: str = "local"
    run_id: str = "run-1"
    step_id: str = "step"
    timeout_s: float | None = None
    cancel: CancelToken = field(default_factory=CancelToken)
    idempotency_key: str = "run-1:step"
    logged: list[tuple[str, str]] = field(default_factory=list)
    kept: list[Mapping[str, Json]] = field(default_factory=list)

    def keep(self, at: datetime, document: Mapping[str, Json]) -> None:
        self.kept.append(document)

    @property
    def log(self) -> Callable[[str, str], None]:
        return lambda level, text: self.logged.append((level, text))


class Credentials:
    """A vault in memory: (provider, name) -> fields."""

    def __init__(self, stored: Mapping[tuple[str, str | None], Mapping[str, str]]) -> None:
        self._stored = stored

    def fields(self, user_id: str, provider: str, name: str | None) -> Mapping[str, str] | None:
        return self._stored.get((provider, name))


class Recorder:
    """A sender that keeps the calls and answers as told."""

    def __init__(self, answer: HttpAnswer | None = None) -> None:
        self.calls: list[HttpCall] = []
        self.limits: list[Limits] = []
        self._answer = answer or answered('{"ok": true, "result": {}, "user": {}, "items": [], "results": []}')

    def send(self, call: HttpCall, *, cancel: Cancel, limits: Limits) -> HttpAnswer:
        self.calls.append(call)
        self.limits.append(limits)
        return replace(self._answer, url=call.url)


def answered(content: str | bytes, status: int = 200, **headers: str) -> HttpAnswer:
    """An answer; header names are written with underscores."""
    given = {"content-type": "application/json"} | {key.replace("_", "-"): value for key, value in headers.items()}
    data = content.encode() if isinstance(content, str) else content
    return HttpAnswer(status, given, data, "http://vendor.test/", 12.0)


@pytest.fixture(scope="session")
def catalog() -> list[Manifest]:
    manifests, problems = load_catalog(files("flowstudio.providers") / "catalog")
    assert problems == []
    return manifests


@pytest.fixture(scope="session")
def registry(catalog: list[Manifest]) -> Registry:
    return Registry(catalog)


@pytest.fixture
def network() -> Iterator[Network]:
    made = Network()
    yield made
    made.close()


@pytest.fixture
def call_of() -> type[FakeCall]:
    return FakeCall


@pytest.fixture
def credentials_of() -> type[Credentials]:
    return Credentials


@pytest.fixture
def recorder_of() -> type[Recorder]:
    return Recorder


@pytest.fixture
def answer_of() -> Callable[..., HttpAnswer]:
    return answered


@pytest.fixture(scope="session")
def golden_dir() -> Path:
    return Path(__file__).parent / "golden"
