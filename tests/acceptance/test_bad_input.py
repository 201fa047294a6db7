"""Bad input from the terminal: a sentence that says what, where and what to do, the right exit code, no traceback.

What is proven here, in the product's words: bad input tried and answered with a sentence and exit code, nothing lost:
broken JSON, unknown provider, a cycle, a dangling edge, an expression error, a 500, a timeout, a wrong key · without
any value a step that needs a credential fails with a sentence that names provider and credential, before any request.
"""

from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest
from faces import Answer, CommandLine
from plans import chain, flow, save, step
from pytest_httpserver import HTTPServer
from werkzeug import Response

BAD_PLAN, FAILED_RUN = 2, 1


def says(answer: Answer, code: int, *words: str) -> None:
    assert answer.code == code, answer.text
    assert "Traceback" not in answer.text
    for word in words:
        assert word.lower() in answer.text.lower(), (word, answer.text)


def template(step_id: str, text: str, **keys: Any) -> dict[str, Any]:
    return step(step_id, "logic", "transform", template=text, **keys)


def test_broken_json_names_line_and_column(cli: CommandLine, tmp_path: Path) -> None:
    says(cli("run", save(tmp_path, '{"flowstudio": 1,\n  "steps": [}')), BAD_PLAN, "line 2")


def test_a_missing_file_is_named(cli: CommandLine, tmp_path: Path) -> None:
    says(cli("run", str(tmp_path / "nowhere.flow")), BAD_PLAN, "nowhere.flow")


def test_a_newer_format_is_refused(cli: CommandLine, tmp_path: Path) -> None:
    says(cli("run", save(tmp_path, {"flowstudio": 99, "id": "x", "name": "x", "steps": []})), BAD_PLAN, "newer")


def test_a_binary_file_is_refused(cli: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "plan.flow"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff" * 20)
    says(cli("run", str(path)), BAD_PLAN, "plan.flow")


def test_an_unknown_provider_suggests_the_right_one(cli: CommandLine, tmp_path: Path) -> None:
    plan = chain("p", step("post", "slak", "post_message", channel="c", text="t"))
    says(cli("run", save(tmp_path, plan)), BAD_PLAN, "slak", "slack")


def test_an_unknown_action_suggests_the_right_one(cli: CommandLine, tmp_path: Path) -> None:
    plan = chain("p", step("post", "slack", "post_mesage", channel="c", text="t"))
    says(cli("run", save(tmp_path, plan)), BAD_PLAN, "post_mesage", "post_message")


def test_a_cycle_names_its_steps(cli: CommandLine, tmp_path: Path) -> None:
    plan = flow("p", [template("a", "1", title="First"), template("b", "2", title="Second")], "a > b", "b > a")
    says(cli("plan", "check", save(tmp_path, plan)), BAD_PLAN, "First", "Second", "loop")


def test_a_dangling_wire_is_named(cli: CommandLine, tmp_path: Path) -> None:
    plan = flow("p", [template("a", "1")], "a > ghost")
    says(cli("run", save(tmp_path, plan)), BAD_PLAN, "ghost")


def test_an_expression_that_does_not_compile_names_step_and_field(cli: CommandLine, tmp_path: Path) -> None:
    plan = chain("p", template("a", "{{ trim( }}", title="Greet"))
    says(cli("run", save(tmp_path, plan)), BAD_PLAN, "Greet", "template")


def test_a_missing_value_names_step_field_and_path(cli: CommandLine, tmp_path: Path) -> None:
    plan = chain("p", template("a", "hello {{ trigger.person.email }}", title="Greet"))
    says(cli("run", save(tmp_path, plan), "--input", "{}"), FAILED_RUN, "Greet", "template", "trigger.person")


def test_bad_input_json_is_a_usage_error(cli: CommandLine, tmp_path: Path) -> None:
    says(cli("run", save(tmp_path, chain("p", template("a", "1"))), "--input", "{nope"), BAD_PLAN, "--input")


def test_a_500_of_the_vendor_is_told(cli: CommandLine, tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/broken").respond_with_data("boom", status=500)
    plan = chain("p", step("get", "http", "request", title="Ask", method="GET", url=httpserver.url_for("/broken")))
    says(cli("run", save(tmp_path, plan)), FAILED_RUN, "Ask", "500")


def test_a_timeout_is_told(cli: CommandLine, tmp_path: Path, httpserver: HTTPServer) -> None:
    import threading

    gate = threading.Event()

    def never(_request: object) -> Response:
        gate.wait(20)
        return Response("late")

    httpserver.expect_request("/slow").respond_with_handler(never)
    url = httpserver.url_for("/slow")
    plan = chain("p", step("get", "http", "request", title="Ask", method="GET", url=url, timeout_s=0.5))
    try:
        says(cli("run", save(tmp_path, plan), timeout=15), FAILED_RUN, "Ask", "0.5")
    finally:
        gate.set()


def test_a_refused_connection_is_told(cli: CommandLine, tmp_path: Path) -> None:
    plan = chain("p", step("get", "http", "request", title="Ask", method="GET", url="http://127.0.0.1:9/"))
    says(cli("run", save(tmp_path, plan)), FAILED_RUN, "Ask", "127.0.0.1")


def test_a_missing_credential_names_provider_before_any_request(cli: CommandLine, tmp_path: Path) -> None:
    plan = chain("p", step("post", "slack", "post_message", channel="c", text="t"))
    says(cli("run", save(tmp_path, plan)), FAILED_RUN, "Slack", "credential")


@pytest.mark.parametrize("key", ["short", "AAAA" * 8])
def test_a_malformed_encryption_key_is_refused(cli: CommandLine, tmp_path: Path, key: str) -> None:
    plan = save(tmp_path, chain("p", template("a", "1")))
    answer = CommandLine(cli.data_dir, {"ENCRYPTION_KEY": key})("run", plan)
    says(answer, BAD_PLAN, "ENCRYPTION_KEY")
    assert key not in answer.text


def test_a_wrong_key_is_told_and_changes_nothing(cli: CommandLine, tmp_path: Path, httpserver: HTTPServer) -> None:
    first, second = (urlsafe_b64encode(bytes([each]) * 32).decode() for each in (1, 2))
    httpserver.expect_request("/", headers={"Authorization": "Bearer sesame"}).respond_with_json({"ok": True})
    asking = step("ask", "http", "request", method="GET", url=httpserver.url_for("/"), credential="mine")
    plan = save(tmp_path, chain("p", asking))
    right, wrong = (CommandLine(cli.data_dir, {"ENCRYPTION_KEY": key}) for key in (first, second))
    stored = right("credentials", "set", "http", "--name", "mine", "--field", "token", stdin="sesame\n")
    assert stored.code == 0, stored.text

    says(wrong("run", plan), FAILED_RUN, "key")
    says(wrong("serve", "--port", "0"), FAILED_RUN, "key")
    says(wrong("credentials", "set", "http", "--field", "token", stdin="other\n"), FAILED_RUN, "key")

    assert right("run", plan).code == 0
