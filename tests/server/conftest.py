"""A real application behind a real server on a free port, with its own data folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from cryptography.fernet import Fernet

from flowstudio import app
from flowstudio.app import Application
from flowstudio.settings import load_settings

GREETING = {
    "name": "Greet",
    "plan_json": [
        {
            "order": 1,
            "provider": "logic",
            "action_id": "transform",
            "action_name": "Write the greeting",
            "params": {"template": "Hello {{ trigger.body.name }}"},
        }
    ],
}


@dataclass
class Client:
    """Speaks to the server as a program would."""

    address: str
    session: requests.Session

    def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        return self.session.request(method, f"{self.address}/api{path}", json=body, timeout=30, **options)

    def plan(self, **changes: Any) -> dict[str, Any]:
        answer = self("POST", "/execution-plans", {**GREETING, **changes})
        assert answer.status_code == 201, answer.text
        stored: dict[str, Any] = answer.json()
        return stored


@pytest.fixture
def application(monkeypatch: pytest.MonkeyPatch) -> Iterator[Application]:
    monkeypatch.setenv("ENCRYPTION_KEY", Fernet.generate_key().decode())
    application = app.build(load_settings(max_body_bytes=100_000, synchronous="NORMAL"))
    application.start()
    yield application
    application.close()


@pytest.fixture
def call(application: Application) -> Iterator[Client]:
    info = application.serve(port=0)
    with requests.Session() as session:
        yield Client(info.address, session)
