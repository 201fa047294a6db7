"""The FlowStudio that serves this data folder, asked through its API: runs under way are steered where they are."""

import json
import os
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from flowstudio.errors import FlowStudioError
from flowstudio.settings import Settings
from flowstudio.workspace.presence import serving

Document = dict[str, Any]

PATIENCE_S = 30.0
TOKEN = "FLOWSTUDIO_TOKEN"


class ServingError(FlowStudioError):
    """The FlowStudio that serves this folder refused, or cannot be reached. status: its HTTP answer, 0 for none."""

    code = "cli.serving"

    def __init__(self, sentence: str, *, fix: str = "", status: int = 0) -> None:
        super().__init__(sentence, fix=fix)
        self.status = status


class NotServedError(FlowStudioError):
    """Nothing that could be asked works on this folder."""

    code = "cli.not_served"


class Serving:
    """All that serve this folder; a run is under way in one of them."""

    def __init__(self, addresses: list[str], user_id: str) -> None:
        self._addresses = addresses
        self._user_id = user_id

    @property
    def is_any(self) -> bool:
        return bool(self._addresses)

    def run(self, run_id: str) -> Document:
        return self._ask("GET", f"/api/runs/{quote(run_id, safe='')}")

    def steer(self, run_id: str, order: str, **body: Any) -> Document:
        """The run after it. Raises ServingError."""
        return self._ask("POST", f"/api/runs/{quote(run_id, safe='')}/{order}", body)

    def cancel_all(self) -> int:
        return sum(
            int(_asked(each, "POST", self._query("/api/runs/cancel"), {})["cancelled"]) for each in self._addresses
        )

    def call(self, resume_url: str, step_id: str | None, iteration: str | None, body: Any) -> Document:
        """Calls the step that waits, at this folder's own address: the public one may lead around the world."""
        path = urlsplit(resume_url).path + (f"/{quote(step_id, safe='')}" if step_id is not None else "")
        query = f"?{urlencode({'iteration': iteration})}" if iteration is not None else ""
        return self._ask("POST", path + query, body)

    def _ask(self, method: str, path: str, body: Any = None) -> Document:
        """The first answer that is no conflict: whoever does not have the run at work cannot steer it."""
        target = self._query(path) if path.startswith("/api/runs") else path
        for address in self._addresses[:-1]:
            try:
                return _asked(address, method, target, body)
            except ServingError as error:
                if error.status != HTTPStatus.CONFLICT:
                    raise
        return _asked(self._addresses[-1], method, target, body)

    def _query(self, path: str) -> str:
        return f"{path}?{urlencode({'user_id': self._user_id})}"


def serving_here(settings: Settings, user_id: str) -> Serving:
    return Serving(serving(settings.data_dir / "processes"), user_id)


def _asked(address: str, method: str, path: str, body: Any) -> Document:
    headers = {"Content-Type": "application/json"}
    if token := os.environ.get(TOKEN):
        headers["Authorization"] = f"Bearer {token}"
    data = None if method == "GET" else json.dumps(body).encode()
    request = Request(address + path, data, headers, method=method)  # noqa: S310 - an address of our own
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=PATIENCE_S) as answer:
            document: Document = json.load(answer)
            return document
    except HTTPError as refusal:
        raise _refused(refusal) from refusal
    except (URLError, OSError, ValueError) as fault:
        sentence = f"The FlowStudio at {address}, which serves this data folder, does not answer."
        raise ServingError(sentence, fix="Look at its window or terminal, or start it anew.") from fault


def _refused(refusal: HTTPError) -> ServingError:
    try:
        told: Mapping[str, Any] = json.load(refusal)
    except ValueError:
        told = {}
    fix = f"Set {TOKEN} to a token: flowstudio token create." if refusal.code == HTTPStatus.UNAUTHORIZED else ""
    return ServingError(str(told.get("error", refusal.reason)), fix=fix, status=refusal.code)
