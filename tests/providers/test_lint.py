"""Each rule finds its fault."""

from dataclasses import replace

import pytest

from flowstudio.providers import lint
from flowstudio.providers.manifest import (
    Action,
    AuthKind,
    AuthScheme,
    Category,
    Choice,
    CredentialField,
    Field,
    FieldKind,
    HttpRequest,
    Manifest,
)

GO = Action("v", "go", "Go", fields=(Field("id", "Id", required=True),), request=HttpRequest("GET", "/{id}"))
GOOD = Manifest(
    "v", "V", Category.DATA, "i", "Does it.", "https://v.test", "v.test, 2026", base_url="https://v.test", actions=(GO,)
)


def with_field(field: Field) -> Manifest:
    return replace(GOOD, actions=(replace(GO, fields=(field,)),))


def with_auth(kind: AuthKind, *fields: CredentialField) -> Manifest:
    return replace(GOOD, auth=AuthScheme(kind, fields))


def test_a_good_manifest_has_no_problem() -> None:
    assert lint.check([GOOD]) == []


@pytest.mark.parametrize(
    ("manifests", "rule"),
    [
        ([with_auth(AuthKind.BEARER)], "auth_fields"),
        ([with_auth(AuthKind.BASIC, CredentialField("username", "U"))], "auth_fields"),
        ([with_auth(AuthKind.URL_SECRET, CredentialField("token", "T"))], "auth_fields"),
        ([with_auth(AuthKind.NONE, CredentialField("token", "T"))], "auth_fields"),
        ([with_auth(AuthKind.BEARER, CredentialField("bot_token", "T", secret=False))], "secrets_secret"),
        ([with_field(Field("id", "Id", FieldKind.INTEGER, True, default="many"))], "default_fits"),
        ([with_field(Field("id", "Id", FieldKind.INTEGER, True, default="5"))], "default_fits"),
        ([with_field(Field("id", "Id", FieldKind.CHOICE, True))], "default_fits"),
        ([with_field(Field("id", "Id", FieldKind.TEXT, True, choices=(Choice(1, "1"),)))], "default_fits"),
        ([with_field(Field("id", "Id"))], "fields_used"),
        ([with_field(Field("other", "Other"))], "fields_used"),
        ([GOOD, replace(GOOD, id="w", aliases=("v",))], "names_unique"),
        ([replace(GOOD, aliases=("v",))], "names_unique"),
        ([replace(GOOD, source="")], "sources_named"),
        ([replace(GOOD, docs="http://v.test")], "sources_named"),
        ([replace(GOOD, description="")], "sources_named"),
    ],
)
def test_a_rule_finds_its_fault(manifests: list[Manifest], rule: str) -> None:
    assert {problem.rule for problem in lint.check(manifests)} == {rule}
