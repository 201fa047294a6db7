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


def test_all_but_the_output_of_a_result_is_masked() -> None:
    error = ResultError("c", "a s3cret", "a s3cret", {"s3cret": ["s3cret", 1]})
    result = ProviderResult(False, {"data": "s3cret"}, "a s3cret", {"k": {"x": "s3cret"}}, error)
    masked = Mask(["s3cret"]).result(result)
    assert masked.output == {"data": "s3cret"}
    assert "s3cret" not in f"{masked.message} {masked.metadata} {masked.error}"
