from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from flowstudio.engine.cancel import CancelToken
from flowstudio.plan.model import Json
from flowstudio.providers.errors import ConnectionFailedError
from flowstudio.providers.exchanges import LONGEST_BODY, MOST, RecordedSender
from flowstudio.providers.ports import Cancel, HttpAnswer, HttpCall, Limits
from flowstudio.providers.redaction import MASK, Mask

CALL = HttpCall("POST", "http://x.test/a", {"Content-Type": "text/plain"}, (("page", "2"),), b"hello")


class Vendor:
    """Answers as told."""

    def __init__(self, *answers: HttpAnswer | Exception) -> None:
        self._answers = list(answers)

    def send(self, call: HttpCall, *, cancel: Cancel, limits: Limits) -> HttpAnswer:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def answer(content: bytes = b"{}", **more: Any) -> HttpAnswer:
    return HttpAnswer(200, {"content-type": "application/json"}, content, CALL.url, 12.0, 7.5, **more)


def kept(vendor: Vendor, call: HttpCall = CALL, times: int = 1, secrets: tuple[str, ...] = ()) -> list[Any]:
    found: list[Mapping[str, Json]] = []

    def keep(at: datetime, document: Mapping[str, Json]) -> None:
        found.append(document)

    sender = RecordedSender(vendor, Mask(secrets), keep)
    for _ in range(times):
        sender.send(call, cancel=CancelToken(), limits=Limits())
    return found


def test_it_keeps_what_went_and_what_came() -> None:
    assert kept(Vendor(answer(b"hi"))) == [
        {
            "method": "POST",
            "url": "http://x.test/a?page=2",
            "headers": [["Content-Type", "text/plain"]],
            "body": "hello",
            "body_bytes": 5,
            "status": 200,
            "answer_headers": [["content-type", "application/json"]],
            "answer": "hi",
            "answer_bytes": 2,
            "wait_ms": 7.5,
            "elapsed_ms": 12.0,
            "error": None,
        }
    ]


def test_a_request_without_an_answer_is_kept_with_the_reason() -> None:
    found: list[Mapping[str, Json]] = []
    vendor = Vendor(ConnectionFailedError("x.test hung up."))
    sender = RecordedSender(vendor, Mask(()), lambda at, each: found.append(each))
    with pytest.raises(ConnectionFailedError):
        sender.send(CALL, cancel=CancelToken(), limits=Limits())
    assert [(each["status"], each["error"]) for each in found] == [(0, "x.test hung up.")]


def test_redirects_are_exchanges_of_their_own_with_their_own_times() -> None:
    hop = HttpAnswer(302, {"location": "/b"}, b"", CALL.url, 5.0, 4.0, CALL)
    last = answer(sent=HttpCall("GET", "http://x.test/b"), hops=(hop,))
    assert [(each["status"], each["method"], each["elapsed_ms"]) for each in kept(Vendor(last))] == [
        (302, "POST", 5.0),
        (200, "GET", 7.0),
    ]


def test_secrets_are_hidden_by_value_and_by_name() -> None:
    headers = {"Authorization": "Bearer t0k3n", "X-Api-Key": "by-name", "Cookie": "a=b", "Accept": "*/*"}
    query = (("key", "by-name"), ("page", "2"), ("said", "kn0wn-secret"))
    call = HttpCall("GET", "http://ann:pw@x.test/?token=by-name", headers, query, b"kn0wn-secret and more")
    (document,) = kept(Vendor(answer(b"you said kn0wn-secret")), call, secrets=("kn0wn-secret",))
    shown = str(document)
    assert not any(secret in shown for secret in ("t0k3n", "by-name", "a=b", "kn0wn-secret", "pw@"))
    assert document["url"] == f"http://{MASK}@x.test/?token={MASK}&key={MASK}&page=2&said={MASK}"
    assert ["Accept", "*/*"] in document["headers"]


def test_a_secret_across_the_cut_of_a_long_body_is_hidden() -> None:
    content = b"x" * (LONGEST_BODY - 6) + b"kn0wn-secret"
    (document,) = kept(Vendor(answer(content)), secrets=("kn0wn-secret",))
    assert document["answer"].endswith(f"x{MASK}…")
    assert document["answer_bytes"] == len(content)


def test_a_character_is_not_cut_in_half_and_what_is_no_text_is_left_out() -> None:
    (text,) = kept(Vendor(answer(b"x" + "é".encode() * LONGEST_BODY)))
    (binary,) = kept(Vendor(answer(b"\x89PNG\x00\xff")))
    assert text["answer"].endswith("é…")
    assert (binary["answer"], binary["answer_bytes"]) == (None, 6)


def test_an_action_that_turns_a_thousand_pages_keeps_the_first() -> None:
    assert len(kept(Vendor(answer()), times=MOST + 20)) == MOST
