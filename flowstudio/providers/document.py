"""The shape of a manifest file: what keys there are, of which type. `loader` turns it into a Manifest.

Strict: a number where a text belongs is a fault, so is an unknown key. docs/providers.md explains every key.
"""

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from flowstudio.providers.manifest import AuthKind, Category, Effect, FieldKind

ID: Final = r"^[a-z][a-z0-9_]*$"
NAME: Final = r"^[A-Za-z_][A-Za-z0-9_]*$"
METHOD: Final = r"^([A-Z]+|\{[A-Za-z_][A-Za-z0-9_]*\})$"

Id = Annotated[str, Field(pattern=ID)]
Name = Annotated[str, Field(pattern=NAME)]
Filled = Annotated[str, Field(min_length=1)]
Method = Annotated[str, Field(pattern=METHOD)]


class Doc(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ChoiceDoc(Doc):
    value: Any
    title: Filled


Scalar = str | int | float | bool
AnyChoice = Annotated[
    Annotated[ChoiceDoc, Tag("choice")] | Annotated[Scalar, Tag("plain")],
    Discriminator(lambda value: "choice" if isinstance(value, dict) else "plain"),
]


class FieldDoc(Doc):
    name: Name
    title: str = ""
    kind: Annotated[FieldKind, Field(strict=False)] = FieldKind.TEXT
    required: bool = False
    default: Any = None
    choices: list[AnyChoice] = []
    help: str = ""
    placeholder: str = ""
    minimum: float | None = None
    maximum: float | None = None
    language: str = ""
    advanced: bool = False
    any_value: bool = False


class CredentialFieldDoc(Doc):
    name: Name
    title: str = ""
    secret: bool = True
    required: bool = True
    help: str = ""
    example: str = ""
    default: str = ""


class AuthDoc(Doc):
    kind: Annotated[AuthKind, Field(strict=False)]
    fields: list[CredentialFieldDoc] = []
    header: Filled = "Authorization"
    prefix: str | None = None
    optional: bool = False
    explicit: bool = False


class RateDoc(Doc):
    calls: Annotated[int, Field(gt=0)] | None = None
    per_s: Annotated[float, Field(gt=0)] = 1.0
    concurrent: Annotated[int, Field(gt=0)] | None = None


class RequestDoc(Doc):
    method: Method
    path: str
    query: dict[str, Any] = {}
    headers: dict[str, str] = {}
    json_: Any = Field(default=None, alias="json")
    form: dict[str, Any] | None = None
    multipart: dict[str, Any] | None = None
    raw: str | None = None


class AnswerDoc(Doc):
    output: str | None = None
    success: str | None = None
    error: str | None = None


class ActionDoc(Doc):
    id: Id
    title: Filled
    description: str = ""
    effect: Annotated[Effect, Field(strict=False)] | None = None
    reads: dict[str, list[Scalar]] = {}
    aliases: list[Id] = []
    fields: list[FieldDoc] = []
    request: RequestDoc | None = None
    answer: AnswerDoc = AnswerDoc()
    timeout_s: Annotated[float, Field(gt=0)] = 60.0
    idempotency_header: str = ""
    icon: str = ""


class ManifestDoc(Doc):
    id: Id
    title: Filled
    category: Annotated[Category, Field(strict=False)]
    icon: Filled
    description: str = ""
    docs: str = ""
    source: str = ""
    aliases: list[Id] = []
    keywords: list[str] = []
    auth: AuthDoc = AuthDoc(kind=AuthKind.NONE)
    base_url: str = ""
    headers: dict[str, str] = {}
    rate: RateDoc = RateDoc()
    answer: AnswerDoc = AnswerDoc()
    actions: Annotated[list[ActionDoc], Field(min_length=1)]
