"""Answers become results, or the vendor's own sentence with status and request id."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from flowstudio.plan.model import Json
from flowstudio.providers.errors import (
    AuthRejectedError,
    BadAnswerError,
    NotFoundError,
    ProviderError,
    RateLimitedError,
    VendorError,
)
from flowstudio.providers.manifest import Action, AnswerRule, Category, Manifest
from flowstudio.providers.ports import HttpAnswer
from flowstudio.providers.response import Reader, retry_after_s
from flowstudio.providers.result import ProviderResult

PLAIN = AnswerRule()
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
Answer = Callable[..., HttpAnswer]


def read(answer: HttpAnswer, rule: AnswerRule = PLAIN, base_url: str = "https://v.test") -> ProviderResult:
    action = Action("v", "go", "Go", answer=rule)
    return Reader(Manifest("v", "V", Category.HTTP, "i", base_url=base_url), action, answer, NOW).result()


def fault(answer: HttpAnswer, rule: AnswerRule = PLAIN) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        read(answer, rule)
    return caught.value


def test_the_output_is_the_part_the_rule_names(answer_of: Answer) -> None:
    answer = answer_of('{"data": {"items": [{"id": 1}]}}', x_request_id="r-1")
    result = read(answer, AnswerRule(output="data.items[0].id"))
    assert (result.success, result.output) == (True, 1)
    assert result.message == "Go: 200 in 12 ms"
    assert result.metadata["request_id"] == "r-1"


def test_the_whole_answer_is_an_output_too(answer_of: Answer) -> None:
    output = read(answer_of("<p>x</p>", content_type="text/html"), AnswerRule(output="@")).output
    assert output == {"status": 200, "headers": {"content-type": "text/html"}, "body": "<p>x</p>"}


@pytest.mark.parametrize(
    ("content", "content_type", "expected"),
    [
        (b"", "application/json", None),
        (b"\xef\xbb\xbf[1]", "application/json", [1]),
        ('{"a": "ü"}'.encode("utf-16"), "application/json; charset=utf-16", {"a": "ü"}),
        ('{"a": "ü"}'.encode("latin-1"), "application/json", {"a": "ü"}),
        ("ü".encode("latin-1"), "text/plain; charset=utf-8", "ü"),
        ("ü".encode(), "text/plain; charset=no-such-charset", "ü"),
        (b'{"a": 1}', "application/octet-stream", {"a": 1}),
        (b"\x89PNG", "image/png", {"base64": "iVBORw==", "content_type": "image/png", "size_bytes": 4}),
    ],
)
def test_content_is_read_as_what_it_is(answer_of: Answer, content: bytes, content_type: str, expected: Json) -> None:
    assert read(answer_of(content, content_type=content_type)).output == expected


def test_an_empty_204_is_a_success(answer_of: Answer) -> None:
    assert read(answer_of("", 204), AnswerRule(output="data")).output is None


def test_a_page_instead_of_data_is_told(answer_of: Answer) -> None:
    page = answer_of("<html><title>Log in &amp; go</title>", content_type="text/html")
    error = fault(page)
    assert isinstance(error, BadAnswerError)
    assert "is a web page instead of data (“Log in & go”)" in str(error)
    assert read(page, base_url="").output == "<html><title>Log in &amp; go</title>"


def test_broken_json_and_missing_parts_are_told(answer_of: Answer) -> None:
    assert "says it is JSON but is not" in str(fault(answer_of("{oops")))
    assert "a number has too many digits" in str(fault(answer_of('{"n": ' + "9" * 5000 + "}")))
    assert "NaN is not a JSON number" in str(fault(answer_of('{"n": NaN}')))
    assert "too large a number" in str(fault(answer_of('{"n": 1e999}')))
    assert "nested too deeply" in str(fault(answer_of("[" * 100_000 + "]" * 100_000)))
    assert "has no “data.id”" in str(fault(answer_of("{}"), AnswerRule(output="data.id")))
    assert isinstance(fault(answer_of("[" * 100_000)), BadAnswerError)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"error": {"message": "No such list."}}', "No such list"),
        ('{"message": "Not here", "errors": [{"message": "x"}]}', "Not here"),
        ('{"errors": [{"detail": "Bad id"}]}', "Bad id"),
        ('{"errors": ["first"]}', "first"),
        ('{"error": "oops", "error_description": "Token expired"}', "Token expired"),
        ('"just text"', "just text"),
        ("plain\n text", "plain text"),
        ("<html><title>502 Bad Gateway</title></html>", "502 Bad Gateway"),
        ("", "it gave no reason"),
        ('{"code": 7}', "it gave no reason"),
        ("x" * 1000, "x" * 299 + "…"),
    ],
)
def test_the_vendor_s_own_sentence_is_found(answer_of: Answer, body: str, expected: str) -> None:
    assert str(fault(answer_of(body, 400))).startswith(f"V refused “Go”: {expected} (status 400).")


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, VendorError, False),
        (401, AuthRejectedError, False),
        (403, AuthRejectedError, False),
        (404, NotFoundError, False),
        (429, RateLimitedError, True),
        (500, VendorError, True),
        (501, VendorError, False),
        (503, VendorError, True),
        (304, BadAnswerError, False),
    ],
)
def test_a_status_decides_the_kind(answer_of: Answer, status: int, kind: type[ProviderError], retryable: bool) -> None:
    error = fault(answer_of("{}", status, x_request_id="r-9"))
    assert type(error) is kind
    assert error.retryable is retryable
    assert error.facts == {"provider": "v", "action": "go", "status": status, "request_id": "r-9"}


def test_a_spent_quota_behind_a_403_is_a_rate_limit(answer_of: Answer) -> None:
    error = fault(answer_of('{"message": "API rate limit"}', 403, x_ratelimit_remaining="0", retry_after="30"))
    assert isinstance(error, RateLimitedError)
    assert error.retry_after_s == 30


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("5", 5),
        ("0.5", 0.5),
        ("-1", 0),
        ("Tue, 24 Nov 2026 12:01:00 GMT", 60),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("nan", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(given: str, expected: float | None) -> None:
    assert retry_after_s({"retry-after": given}, NOW) == expected


def test_a_failure_inside_a_200_is_a_failure(answer_of: Answer) -> None:
    rule = AnswerRule(success="ok", error="error")
    error = fault(answer_of('{"ok": false, "error": "channel_not_found"}'), rule)
    assert isinstance(error, VendorError)
    assert str(error).startswith("V refused “Go”: channel_not_found.")
    assert isinstance(fault(answer_of('{"ok": false, "error": "invalid_auth"}'), rule), AuthRejectedError)
    assert isinstance(fault(answer_of(""), rule), VendorError)
