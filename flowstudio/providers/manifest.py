"""Manifest, Action, Field, AuthScheme: what a provider offers, as frozen values.

One Manifest feeds the palette, the form, dispatch, /api/providers and the planner. Loaded from
`catalog/<provider>.yaml` by `loader`; `custom` makes them from users' integrations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from flowstudio.plan.model import Json


class FieldKind(StrEnum):
    """Which editor a form shows and how a value is coerced."""

    TEXT = "text"
    MULTILINE = "multiline"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    DATETIME = "datetime"
    FILE = "file"
    FOLDER = "folder"
    KEYVALUE = "keyvalue"
    LIST = "list"
    JSON = "json"
    CODE = "code"
    CONDITION = "condition"
    SECRET = "secret"


class Category(StrEnum):
    """Groups of the palette and colours of the cards (UI_SPEC section 6)."""

    TRIGGER = "trigger"
    AI = "ai"
    DATA = "data"
    MESSAGE = "message"
    LOGIC = "logic"
    FILE = "file"
    CODE = "code"
    HTTP = "http"


class Effect(StrEnum):
    """What a call does to the world; decides what must be durable before it and whether it may be repeated."""

    PURE = "pure"
    READ = "read"
    WRITE = "write"
    COSTS = "costs"


@dataclass(frozen=True, slots=True)
class Choice:
    value: Json
    title: str


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter of an action. minimum and maximum bound numbers; language names a code field's syntax.

    any_value: a form edits it as its kind, but the action takes whatever an expression gave, as it is.
    """

    name: str
    title: str
    kind: FieldKind = FieldKind.TEXT
    required: bool = False
    default: Json = None
    choices: tuple[Choice, ...] = ()
    help: str = ""
    placeholder: str = ""
    minimum: float | None = None
    maximum: float | None = None
    language: str = ""
    advanced: bool = False
    any_value: bool = False


@dataclass(frozen=True, slots=True)
class CredentialField:
    name: str
    title: str
    secret: bool = True
    required: bool = True
    help: str = ""
    example: str = ""
    default: str = ""


class AuthKind(StrEnum):
    NONE = "none"
    BEARER = "bearer"
    HEADER = "header"
    QUERY = "query"
    BASIC = "basic"
    URL_SECRET = "url_secret"
    CUSTOM = "custom"  # a coded action uses the fields itself (SMTP, SQL)


@dataclass(frozen=True, slots=True)
class AuthScheme:
    """How credential fields get onto a request.

    bearer: header (default Authorization) = "<prefix> {field}"; header: header = prefix + {field}; query: parameter
    `header` = {field}; basic: username and password fields; url_secret: fields appear in base_url or path templates.
    optional: the action also works without. explicit: only a credential the step names is used, never the default
    one (a generic HTTP action would send it to whatever host a plan says).
    """

    kind: AuthKind = AuthKind.NONE
    fields: tuple[CredentialField, ...] = ()
    header: str = "Authorization"
    prefix: str = ""
    optional: bool = False
    explicit: bool = False

    @property
    def is_needed(self) -> bool:
        return self.kind is not AuthKind.NONE and not self.optional


@dataclass(frozen=True, slots=True)
class RateLimit:
    """calls allowed per window of seconds, and how many at once; None means no limit of that sort."""

    calls: int | None = None
    per_s: float = 1.0
    concurrent: int | None = None


class BodyKind(StrEnum):
    NONE = "none"
    JSON = "json"
    FORM = "form"
    MULTIPART = "multipart"
    RAW = "raw"
    ANY = "any"  # body maps kinds to templates; the one that is not empty is sent


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request template, in the language of `template`. `path` is appended to the provider's base_url, or is an
    absolute URL itself."""

    method: str
    path: str
    query: Mapping[str, Json] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body_kind: BodyKind = BodyKind.NONE
    body: Json = None


@dataclass(frozen=True, slots=True)
class AnswerRule:
    """How to read the vendor's answer.

    output: dotted path of the part that becomes the step's output, "" for the whole body, "@" for
    {"status", "headers", "body"}.
    success: dotted path that must be truthy in a 2xx answer, "" when the status alone decides (Slack: `ok`).
    error: dotted path of the vendor's own sentence in a failed answer.
    """

    output: str = ""
    success: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """Something a provider can do. request is None for coded actions and for the language's own keywords.

    reads: param -> values with which a call changes nothing, whatever `effect` says (the method GET of an action that
    sends any request). idempotency_header: the header in which the vendor takes a key and answers a repeated call
    without doing it twice; "{param}" when a param of the step names it.
    """

    provider: str
    id: str
    title: str
    description: str = ""
    effect: Effect = Effect.WRITE
    reads: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)
    fields: tuple[Field, ...] = ()
    aliases: tuple[str, ...] = ()
    request: HttpRequest | None = None
    answer: AnswerRule = AnswerRule()
    timeout_s: float = 60.0
    idempotency_header: str = ""
    icon: str = ""

    def field(self, name: str) -> "Field | None":
        return next((each for each in self.fields if each.name == name), None)

    def effect_with(self, params: Mapping[str, Json]) -> Effect:
        """What a call with these params does; a param that is still an expression counts as the worst."""
        return Effect.READ if any(self._value(name, params) in self.reads[name] for name in self.reads) else self.effect

    def idempotency_header_with(self, params: Mapping[str, Json]) -> str:
        """The header that makes a call with these params safe to repeat, "" when there is none."""
        header = self.idempotency_header
        if not header.startswith("{"):
            return header
        named = self._value(header.strip("{}"), params)
        return named.strip() if isinstance(named, str) else ""

    def _value(self, name: str, params: Mapping[str, Json]) -> Json:
        given = params.get(name)
        known = self.field(name)
        return known.default if given in (None, "") and known is not None else given


@dataclass(frozen=True, slots=True)
class Manifest:
    """A provider. icon is a QtAwesome name; docs an address; source says where the facts come from and when."""

    id: str
    title: str
    category: Category
    icon: str
    description: str = ""
    docs: str = ""
    source: str = ""
    auth: AuthScheme = AuthScheme()
    base_url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    rate: RateLimit = RateLimit()
    actions: tuple[Action, ...] = ()
    aliases: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()

    def action(self, name: str) -> Action | None:
        """By id or alias."""
        return next((each for each in self.actions if each.id == name or name in each.aliases), None)
