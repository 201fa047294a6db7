"""ANY /api/webhook/PATH."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from flowstudio.app import Application
from flowstudio.plan.model import Edge, Plan, Step, Trigger, TriggerKind


def hook(path: str = "leads", **config: Any) -> dict[str, Any]:
    return {"type": "webhook", "config": {"webhook_path": path, **config}}


def test_a_request_runs_the_plan_that_owns_the_path(call: Any) -> None:
    plan = call.plan(trigger=hook())
    answer = call("POST", "/webhook/leads", {"name": "Ada"})
    assert answer.status_code == 200
    execution = answer.json()
    assert execution["execution_plan_id"] == plan["id"]
    assert execution["status"] == "success"
    assert "Hello Ada" in str(execution["logs"][0]["output"])


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_any_method_is_taken_and_told_to_the_run(call: Any, method: str) -> None:
    call.plan(trigger=hook("a/b"))
    trigger = call(method, "/webhook/a/b?x=1&y=2&y=3").json()["trigger_data"]
    assert trigger["method"] == method
    assert trigger["query"] == {"x": "1", "y": ["2", "3"]}
    assert trigger["timestamp"]
    assert trigger["body"] is None


@pytest.mark.parametrize(
    ("content_type", "body", "seen"),
    [
        ("application/json", b'{"a": 1}', {"a": 1}),
        ("application/x-www-form-urlencoded", b"a=1&b=2&b=3", {"a": "1", "b": ["2", "3"]}),
        ("application/x-www-form-urlencoded", b'{"a": 1}', {"a": 1}),
        ("text/plain", "h\u00e4llo".encode(), "h\u00e4llo"),
        ("application/octet-stream", b"\xff\x00", {"base64": "/wA="}),
        ("application/json", b"{broken", "{broken"),
    ],
)
def test_any_body_is_taken(call: Any, content_type: str, body: bytes, seen: Any) -> None:
    call.plan(trigger=hook())
    answer = call("POST", "/webhook/leads", data=body, headers={"Content-Type": content_type})
    assert answer.json()["trigger_data"]["body"] == seen


def test_a_multipart_body_gives_fields_and_files(call: Any) -> None:
    call.plan(trigger=hook())
    answer = call("POST", "/webhook/leads", data={"name": "Ada"}, files={"cv": ("cv.txt", b"text", "text/plain")})
    body = answer.json()["trigger_data"]["body"]
    assert body == {"name": "Ada", "cv": {"filename": "cv.txt", "content_type": "text/plain", "base64": "dGV4dA=="}}


def test_an_unknown_path_and_a_plan_that_is_off_are_404(call: Any) -> None:
    plan = call.plan(trigger=hook())
    assert call("POST", "/webhook/nothing").json()["error"] == "Webhook not found"
    call("PUT", f"/execution-plans/{plan['id']}", {"enabled": False})
    assert call("POST", "/webhook/leads").status_code == 404
    call("PUT", f"/execution-plans/{plan['id']}", {"enabled": True})
    assert call("POST", "/webhook/leads").status_code == 200
    call("DELETE", f"/execution-plans/{plan['id']}")
    assert call("POST", "/webhook/leads").status_code == 404


def test_a_secret_is_wanted_and_never_reaches_the_run(call: Any) -> None:
    call.plan(trigger=hook(webhook_secret="open sesame"))
    assert call("POST", "/webhook/leads", {}).status_code == 401
    assert call("POST", "/webhook/leads", {}, headers={"X-Webhook-Secret": "wrong"}).status_code == 401
    assert call("POST", "/webhook/leads?secret=open%20sesam", {}).status_code == 401
    shown = {"X-Webhook-Secret": "open sesame", "Authorization": "Bearer t", "Cookie": "c=1", "X-Api-Key": "k"}
    by_header = call("POST", "/webhook/leads", {"name": "Ada"}, headers=shown)
    by_query = call("POST", "/webhook/leads?secret=open%20sesame", {"name": "Ada"})
    assert by_header.status_code == by_query.status_code == 200
    assert "open sesame" not in by_header.text + by_query.text
    names = {name.lower() for name in by_header.json()["trigger_data"]["headers"]}
    assert not names & {"authorization", "cookie", "x-api-key", "x-webhook-secret"}
    assert "content-type" in names


@pytest.mark.parametrize("header", ["X-Delivery-Id", "X-GitHub-Delivery", "Idempotency-Key"])
def test_a_repeated_delivery_meets_the_same_run(call: Any, header: str) -> None:
    call.plan(trigger=hook())
    answers = [call("POST", "/webhook/leads", {"name": "Ada"}, headers={header: "d-1"}) for _ in range(3)]
    other = call("POST", "/webhook/leads", {"name": "Ada"}, headers={header: "d-2"})
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert other.json()["id"] != answers[0].json()["id"]
    assert len(call("GET", "/execution-logs").json()) == 2


def test_repeats_at_the_same_moment_make_one_run(call: Any) -> None:
    call.plan(trigger=hook())

    def deliver(_number: int) -> str:
        run_id: str = call("POST", "/webhook/leads", {"name": "Ada"}, headers={"X-Delivery-Id": "d"}).json()["id"]
        return run_id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(deliver, range(16)))) == 1
    assert len(call("GET", "/execution-logs").json()) == 1


def test_a_changed_plan_is_what_the_next_request_runs(call: Any) -> None:
    plan = call.plan(trigger=hook())
    assert "Hello Ada" in call("POST", "/webhook/leads", {"name": "Ada"}).text
    steps = [{**plan["plan_json"][0], "params": {"template": "Bye {{ trigger.body.name }}"}}]
    call("PUT", f"/execution-plans/{plan['id']}", {"plan_json": steps})
    assert "Bye Ada" in call("POST", "/webhook/leads", {"name": "Ada"}).text


def respond_plan(params: dict[str, Any]) -> Plan:
    return Plan(
        "p-respond",
        "Answer",
        steps=(
            Step("hello", "logic", "transform", params={"template": "Hello {{ trigger.query.name }}"}),
            Step("answer", "flow", "respond", params=params),
        ),
        edges=(Edge("hello", "out", "answer"),),
        triggers=(Trigger("t1", TriggerKind.WEBHOOK, {"webhook_path": "hello"}),),
    )


def test_a_respond_step_sets_status_headers_and_body(call: Any, application: Application) -> None:
    params = {"status": 201, "headers": {"X-Answer": "yes"}, "body": {"said": "{{ steps.hello.output }}"}}
    application.services.plans.save_plan("local", respond_plan(params))
    answer = call("GET", "/webhook/hello?name=Ada")
    assert answer.status_code == 201
    assert answer.headers["X-Answer"] == "yes"
    assert "Hello Ada" in json.dumps(answer.json())


def test_a_respond_step_may_answer_text(call: Any, application: Application) -> None:
    params = {"headers": {"Content-Type": "text/html"}, "body": "<p>Done</p>"}
    application.services.plans.save_plan("local", respond_plan(params))
    answer = call("GET", "/webhook/hello?name=Ada")
    assert (answer.status_code, answer.text) == (200, "<p>Done</p>")
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_respond_step_cannot_break_out_of_its_header(call: Any, application: Application) -> None:
    params = {"headers": {"X-Answer": "a\r\nSet-Cookie: stolen=1"}, "body": "x"}
    application.services.plans.save_plan("local", respond_plan(params))
    answer = call("GET", "/webhook/hello?name=Ada")
    assert "Set-Cookie" not in answer.headers


def test_a_page_from_elsewhere_needs_a_secret(call: Any) -> None:
    call.plan(trigger=hook())
    assert call("POST", "/webhook/leads", {}, headers={"Origin": "https://evil.example"}).status_code == 401
    assert call("POST", "/webhook/leads", {"name": "A"}, headers={"Origin": "http://localhost:3000"}).status_code == 200


@pytest.mark.parametrize("body", ['{"a": NaN}', '{"a": 1e999}', "[" * 300 + "]" * 300, "[" * 5000])
def test_what_json_has_no_place_for_stays_text(call: Any, body: str) -> None:
    call.plan(trigger=hook(), plan_json=[{"provider": "logic", "action_id": "transform", "params": {"template": "x"}}])
    answer = call.session.post(
        f"{call.address}/api/webhook/leads", data=body, headers={"Content-Type": "application/json"}, timeout=30
    )
    assert answer.status_code == 200
    assert answer.json()["trigger_data"]["body"] == body


def test_a_header_of_an_answer_may_hold_any_letter(call: Any) -> None:
    params = {"headers": {"X-Place": "Łódź ☃"}, "body": "x"}
    call.plan(trigger=hook(), plan_json=[{"provider": "flow", "action_id": "respond", "params": params}])
    answer = call("POST", "/webhook/leads")
    assert (answer.status_code, answer.text) == (200, "x")
    assert answer.headers["X-Place"].encode("latin-1").decode() == "Łódź ☃"


def test_half_a_character_pair_is_sent_as_a_question_mark(call: Any) -> None:
    params = {"body": "a\ud800"}
    call.plan(trigger=hook(), plan_json=[{"provider": "flow", "action_id": "respond", "params": params}])
    assert call("POST", "/webhook/leads").text == "a?"
