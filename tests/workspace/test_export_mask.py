from datetime import UTC, datetime
from typing import Any

import pytest

from flowstudio.engine.model import Run, RunState, TriggerEvent
from flowstudio.plan.evaluation.deferred import Deferred
from flowstudio.plan.model import Json, Plan, Step
from flowstudio.vault.redact import MASK, Redactor
from flowstudio.workspace.export_mask import ExportMask

NOW = datetime(2026, 3, 4, tzinfo=UTC)


def mask(params: dict[str, Any] | None = None, data: Json = None, key: str = "") -> ExportMask:
    plan = Plan("p", "Plan", steps=(Step("s", "http", "request", params=params or {}),))
    run = Run("r", "ann", plan, RunState.SUCCEEDED, TriggerEvent(data=data), NOW, resume_key=key)
    return ExportMask(Redactor(["known-to-the-vault"]), run)


@pytest.mark.parametrize(
    "secret",
    [
        {"password": "pa55word"},
        {"X-Api-Key": "abc123xyz"},
        {"accessToken": "abc123xyz"},
        {"client_secret": 123456},
        {"name": "Authorization", "value": "Custom abc123xyz"},
        {"body": '{"user": "ann", "password": "p a 5 5"}'},
        {"body": "user=ann&api_key=abc123xyz"},
        {"url": "http://x.test/?page=2&key=abc123xyz"},
        {"text": "X-Auth-Token: abc123xyz"},
        {"text": "it said known-to-the-vault"},
        {"text": r'{"body": "{\"user\": 1, \"password\": \"pa55word\"}"}'},
        {"text": "user=ann: password: pa55word"},
        {"text": '{"user": "ann", "password": "pa55word, cut'},
        {"text": "{'password': 'pa55word"},
    ],
)
def test_what_a_name_or_the_vault_calls_secret_is_hidden(secret: dict[str, Json]) -> None:
    shown = str(mask().value(secret))
    assert MASK in shown
    assert not any(each in shown for each in ("abc123xyz", "pa55word", "123456", "p a 5 5", "known-to-the-vault"))


@pytest.mark.parametrize(
    "plain",
    [
        {"key": "PROJ-123", "code": "E404", "auth": "none"},
        {"next_page_token": "abc123xyz", "total_tokens": 12, "max_tokens": 100},
        {"url": "http://x.test/?page=2&q=token"},
        {"text": "The password is wrong. Key figures: 12"},
        {"password": "", "token": None, "secret": True},
        {"text": "password={{ vars.pass }}"},
    ],
)
def test_ordinary_data_stays_as_it_is(plain: dict[str, Json]) -> None:
    assert mask().value(plain) == plain


def test_a_secret_of_the_plan_is_hidden_where_a_server_repeats_it() -> None:
    hiding = mask({"headers": {"Authorization": "Bearer in-the-plan-1"}, "url": "http://x/?api_key=in-the-plan-2"})
    assert hiding.text("you sent in-the-plan-1 and in-the-plan-2") == f"you sent {MASK} and {MASK}"


def test_a_secret_that_started_the_run_and_its_resume_key_are_hidden_too() -> None:
    hiding = mask(data={"body": {"password": "from-outside"}}, key="resume-key-of-the-run")
    assert hiding.value(["from-outside", "…/api/resume/resume-key-of-the-run"]) == [MASK, f"…/api/resume/{MASK}"]


def test_a_part_in_a_file_is_masked_when_it_is_brought() -> None:
    class InFile(Deferred):
        size, length, is_list = 10, 1, False

        def load(self) -> Json:
            return {"password": "pa55word", "n": 1}

    (part,) = mask().value([InFile()])
    assert isinstance(part, Deferred)
    assert part.load() == {"password": MASK, "n": 1}


@pytest.mark.parametrize("part", ["aa=", "k1=k2:", '"a":"b=', '\\"a\\":'])
def test_text_that_is_names_all_the_way_is_looked_through(part: str) -> None:
    text = part * 20_000
    assert mask(data=text).text(f"{text} password=pa55word").endswith(f"password={MASK}")


def test_however_many_secrets_a_run_brings_those_of_the_vault_stay_hidden() -> None:
    crowd: Json = [{"token": f"secret-{number}"} for number in range(3000)]
    assert mask(data=crowd).text("it said known-to-the-vault") == f"it said {MASK}"


@pytest.mark.parametrize("way", ["http://x.test:5001/api/resume/{}/hear?iteration=1", "to=%2Fapi%2Fresume%2F{}"])
def test_an_address_that_resumes_another_run_is_hidden(way: str) -> None:
    key = "Ab3-" * 8
    shown = mask().text(way.format(key))
    assert key not in shown
    assert MASK in shown
