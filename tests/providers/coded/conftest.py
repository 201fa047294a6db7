"""`act`: calls a coded action as dispatch would, with params coerced by its manifest and a real cancel token."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import pytest

from flowstudio.engine.cancel import CancelToken
from flowstudio.plan.model import Json
from flowstudio.providers.coded.table import CODED
from flowstudio.providers.fields import coerce_params
from flowstudio.providers.loader import load_manifest
from flowstudio.providers.manifest import Action
from flowstudio.providers.ports import ActionContext, HttpSender, Limits
from flowstudio.providers.result import ProviderResult


@dataclass
class Call:
    provider: str
    action: str
    params: Mapping[str, Json]
    cancel: CancelToken
    lines: list[tuple[str, str]] = field(default_factory=list)
    user_id: str = "anna"
    run_id: str = "r1"
    step_id: str = "s1"
    credential: str | None = None
    timeout_s: float | None = None
    idempotency_key: str = "r1/s1"
    kept: list[Mapping[str, Json]] = field(default_factory=list)

    def keep(self, at: datetime, document: Mapping[str, Json]) -> None:
        self.kept.append(document)

    @property
    def log(self) -> Callable[[str, str], None]:
        return lambda level, text: self.lines.append((level, text))


class Acting:
    """Calls actions; `cancel` is the token of the calls, `lines` what they logged."""

    def __init__(self) -> None:
        self.cancel = CancelToken()
        self.lines: list[tuple[str, str]] = []
        self.http: HttpSender | Any = None

    def __call__(
        self,
        provider: str,
        action: str,
        params: Mapping[str, Json] | None = None,
        *,
        credential: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> ProviderResult:
        described = described_action(provider, action)
        coerced = coerce_params(provider, described, params or {})
        call = Call(provider, action, params or {}, self.cancel, self.lines)
        return CODED[provider, action](
            ActionContext(call, coerced, credential or {}, limits or Limits(), self.http, call.log)
        )

    def output(self, provider: str, action: str, **params: Json) -> Json:
        result = self(provider, action, params)
        assert result.success
        return result.output


@cache
def described_action(provider: str, action: str) -> Action:
    text = (files("flowstudio.providers") / "catalog" / f"{provider}.yaml").read_text(encoding="utf-8")
    manifest, problems = load_manifest(text, f"{provider}.yaml")
    assert not problems, problems
    assert manifest
    found = manifest.action(action)
    assert found, f"{provider}.yaml has no action {action}"
    return found


@pytest.fixture
def act() -> Acting:
    return Acting()
