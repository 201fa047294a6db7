import base64
from urllib.parse import quote

import pytest

from flowstudio.vault.redact import MASK, Redactor

VALUE = "correct horse/battery+staple="


@pytest.mark.parametrize(
    "spelling", [VALUE, quote(VALUE, safe=""), base64.b64encode(VALUE.encode()).decode().rstrip("=")]
)
def test_a_known_value_is_masked_in_every_spelling(spelling: str) -> None:
    assert Redactor([VALUE]).text(f"got [{spelling}] back") == f"got [{MASK}] back"


@pytest.mark.parametrize("spelling", [r"p\"a\\s-wörd", r"p\"a\\s-w\u00f6rd", r"p\"a\\s-w\u00c3\u00b6rd"])
def test_a_known_value_is_masked_as_json_spells_it(spelling: str) -> None:
    assert Redactor(['p"a\\s-wörd']).text(f'{{"got": "{spelling}"}}') == f'{{"got": "{MASK}"}}'


def test_the_longer_of_two_values_is_masked_whole() -> None:
    assert Redactor(["abcdef", "abcdef-more"]).text("x abcdef-more x") == f"x {MASK} x"


def test_a_short_value_is_left_alone() -> None:
    assert Redactor(["on"]).text("turned on") == "turned on"


def test_each_line_of_a_long_secret_is_masked() -> None:
    redactor = Redactor(["first-line\nsecond-line"])
    assert redactor.text("… second-line …") == f"… {MASK} …"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer abc.def-123", "abc.def-123"),
        ('{"authorization": "Basic dXNlcjpwYXNz"}', "dXNlcjpwYXNz"),
        ("curl -H 'X-Api-Key: 0123456789'", "0123456789"),
        ("postgresql://me:pa55word@host/db", "pa55word"),
        ("https://api.example/x?api_key=0123456789&page=2", "0123456789"),
        ("https://api.example/x?token=0123456789", "0123456789"),
        ('{"password": "hunter22", "user": "ann"}', "hunter22"),
        ("sk-proj-abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnop"),
        ("ghp_abcdefghijklmnopqrstuvwxyz012345", "abcdefghijklmnop"),
        ("xoxb-1234567890-abcdefghijkl", "1234567890"),
        ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN7EXAMPLE"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghij", "eyJzdWIiOiIxIn0"),
        ("https://api.telegram.org/bot123456789:AAabcdefghijklmnopqrstuvwxyz0123456/send", "AAabcdef"),
        ("https://discord.com/api/webhooks/123/abc-DEF_123", "abc-DEF_123"),
        ("https://hooks.slack.com/services/T000/B000/XXXX", "B000"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----", "MIIabc"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, secret: str) -> None:
    redacted = Redactor().text(text)
    assert secret not in redacted
    assert MASK in redacted


@pytest.mark.parametrize(
    "text",
    [
        "Fetched 3 items from https://example.org/feed?page=2 in 0.2 s.",
        "The step “Send mail” needs the credential “default” for smtp.",
        "2026-03-04T05:06:07+00:00 run cron:plan_1:2026-03-04T05:06:07Z started",
        "Author: Ann; authorship is hers. token count 512",
    ],
)
def test_plain_words_are_left_alone(text: str) -> None:
    assert Redactor().text(text) == text


def test_json_is_masked_in_depth_and_keeps_its_shape() -> None:
    redactor = Redactor(["the-value"])
    assert redactor.json({"a": ["the-value", 1, None], "b": {"the-value": True}}) == {
        "a": [MASK, 1, None],
        "b": {MASK: True},
    }


def test_what_is_learned_later_is_masked_later() -> None:
    redactor = Redactor()
    assert redactor.text("a-later-value") == "a-later-value"
    redactor.learn(["a-later-value"])
    assert redactor.text("a-later-value") == MASK


def test_a_long_hostile_text_is_searched_quickly() -> None:
    for text in ("a" * 200_000, "://" * 50_000, "password" * 20_000, "eyJ" * 60_000, "1" * 200_000):
        Redactor(["the-value"]).text(text)
