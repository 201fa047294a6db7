"""Secrets are hidden however they are spelled."""

import pytest

from flowstudio.providers.auth import secrets_of
from flowstudio.providers.manifest import AuthKind, AuthScheme, Category, CredentialField, Manifest
from flowstudio.providers.redaction import Mask
from flowstudio.providers.result import ProviderResult, ResultError

FIELDS = (CredentialField("username", "U", secret=False), CredentialField("password", "P"))
BASIC = Manifest("v", "V", Category.HTTP, "i", auth=AuthScheme(AuthKind.BASIC, FIELDS))


@pytest.mark.parametrize("spelled", ["p/ss:word", "p%2Fss%3Aword", "p/ss%3Aword", "YW5uYTpwL3NzOndvcmQ="])
def test_a_secret_is_hidden_in_every_spelling(spelled: str) -> None:
    mask = Mask(secrets_of(BASIC, {"username": "anna", "password": "p/ss:word"}))
    assert mask.text(f"anna sent {spelled}!") == "anna sent ••••!"


@pytest.mark.parametrize("spelled", [r"p\"a\\s", r"w\u00f6rd", "wÃ¶rd", r"w\u00c3\u00b6rd"])
def test_a_secret_is_hidden_as_json_and_a_header_spell_it(spelled: str) -> None:
    assert Mask(['p"a\\s', "wörd"]).text(f'{{"you sent": "{spelled}"}}') == '{"you sent": "••••"}'


def test_a_long_secret_is_masked_in_the_output_too() -> None:
    result = ProviderResult(True, {"data": ["a long-s3cret"], "long-s3cret": None})
    assert Mask(["long-s3cret"]).result(result).output == {"data": ["a ••••"], "••••": None}


def test_the_short_path_of_a_secret_address_stays_in_the_output() -> None:
    result = ProviderResult(True, {"tool": "https://hooks.test/tool"})
    assert Mask(["https://hooks.test/tool"]).result(result).output == {"tool": "••••"}


def test_a_secret_too_short_to_be_sure_of_stays_in_the_output_alone() -> None:
    error = ResultError("c", "a s3cret", "a s3cret", {"s3cret": ["s3cret", 1]})
    result = ProviderResult(False, {"data": "s3cret"}, "a s3cret", {"k": {"x": "s3cret"}}, error)
    masked = Mask(["s3cret"]).result(result)
    assert masked.output == {"data": "s3cret"}
    assert "s3cret" not in f"{masked.message} {masked.metadata} {masked.error}"


@pytest.mark.parametrize("coded", ["bTRpbC1wYXNzd29yZC1mb3ItdGVzdHM=", "bTRpbC1wYXNzd29yZC1mb3ItdGVzdHM"])
def test_a_secret_is_hidden_in_base64(coded: str) -> None:
    assert Mask(["m4il-password-for-tests"]).text(f"535 Not {coded}.") == "535 Not ••••."


def test_a_secret_that_a_shortened_sentence_cuts_is_hidden() -> None:
    mask = Mask(["s3cret-and-long"])
    assert mask.text("It said “Bearer s3cret-an… (status 500).") == "It said “Bearer ••••… (status 500)."
    assert mask.text("as… it said s3c…") == "as… it said s3c…"


def test_a_secret_address_is_hidden_without_its_host_too() -> None:
    mask = Mask(["https://hooks.example/42/s3cret"])
    assert mask.text("POST /42/s3cret failed") == "POST /•••• failed"
    assert mask.text("hooks.example refused it") == "hooks.example refused it"
