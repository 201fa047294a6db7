"""Manifest files: YAML -> Manifest, with file, line and key for every fault. Faults are collected, not thrown."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flowstudio.plan.model import Json
from flowstudio.providers import template
from flowstudio.providers.document import (
    ID,
    METHOD,
    NAME,
    ActionDoc,
    AnswerDoc,
    AuthDoc,
    ChoiceDoc,
    FieldDoc,
    ManifestDoc,
    RequestDoc,
    Scalar,
)
from flowstudio.providers.manifest import (
    Action,
    AnswerRule,
    AuthKind,
    AuthScheme,
    BodyKind,
    Choice,
    CredentialField,
    Effect,
    Field,
    HttpRequest,
    Manifest,
    RateLimit,
)
from flowstudio.providers.yaml_source import Key, Source, SourceFault, show


@dataclass(frozen=True, slots=True)
class ManifestProblem:
    """A fault in a manifest file. line counts from 1; key is like actions[0].fields[1].kind, "" for the file."""

    file: str
    line: int
    key: str
    sentence: str

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}"
        return f"{where}, {self.key}: {self.sentence}" if self.key else f"{where}: {self.sentence}"


def load_catalog(folder: Traversable) -> tuple[list[Manifest], list[ManifestProblem]]:
    """Every *.yaml in the folder, by file name. A file with a fault is left out, its problems are returned."""
    manifests: list[Manifest] = []
    problems: list[ManifestProblem] = []
    files = (each for each in folder.iterdir() if each.name.endswith(".yaml"))
    for file in sorted(files, key=lambda each: each.name):
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(ManifestProblem(file.name, 1, "", f"The file cannot be read: {error}."))
            continue
        manifest, faults = load_manifest(text, file.name)
        problems += faults
        if manifest is not None:
            manifests.append(manifest)
    return manifests, problems


def load_manifest(text: str, file: str) -> tuple[Manifest | None, list[ManifestProblem]]:
    """One file's text. Either a manifest and no problems, or None and at least one."""
    try:
        source = Source(text)
    except SourceFault as fault:
        return None, [ManifestProblem(file, fault.line, show(fault.key), fault.sentence)]
    try:
        doc = ManifestDoc.model_validate(source.data)
    except ValidationError as error:
        faults = [_told(detail) for detail in error.errors(include_url=False)]
    else:
        faults = list(_contradictions(doc))
        if not faults:
            return _manifest(doc), []
    unique = dict.fromkeys(faults)
    return None, [ManifestProblem(file, source.line(key), show(key), sentence) for key, sentence in unique]


Fault = tuple[Key, str]

_EXPECTED: Final[Mapping[str, str]] = {
    "string_type": "a text (put it in quotes)",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
}
_FORMS: Final[Mapping[str, str]] = {
    ID: "lower-case letters, digits and _, with a letter first",
    NAME: "letters, digits and _, with no digit first",
    METHOD: "a method in capitals or one {name}",
}


def _told(detail: ErrorDetails) -> Fault:
    """A validation error as the key it stands at and a sentence."""
    kind, key, context = detail["type"], _real_key(detail["loc"]), detail.get("ctx", {})
    if kind == "missing":
        return key[:-1], f"The key “{key[-1]}” is missing."
    if kind == "extra_forbidden":
        return key, f"There is no key “{key[-1]}”. {_suggestion(key)}".strip()
    if kind == "enum":
        return key, f"“{detail['input']}” is not possible here; it can be {context['expected']}."
    if kind == "string_pattern_mismatch":
        form = _FORMS.get(context["pattern"], "a name")
        return key, f"“{detail['input']}” is not possible here; it has to be {form}."
    if kind in ("string_too_short", "too_short"):
        return key, "This must not be empty."
    if kind in _EXPECTED:
        return key, f"{template.as_text(detail['input'])[:60]} is not possible here; it has to be {_EXPECTED[kind]}."
    return key, f"{detail['msg']}."


def _real_key(loc: tuple[int | str, ...]) -> Key:
    """Where in the file: pydantic adds the names of a union's members to the path."""
    members = {"choice", "plain", "str", "int", "float", "bool"}
    return tuple(part for part in loc if part not in members)


def _suggestion(key: Key) -> str:
    close = difflib.get_close_matches(str(key[-1]), _keys_at(key[:-1]), n=1, cutoff=0.6)
    return f"Did you mean “{close[0]}”?" if close else ""


def _keys_at(key: Key) -> list[str]:
    """The keys the format knows at that place."""
    model: type[BaseModel] = ManifestDoc
    for part in key:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part) or model.model_fields.get(f"{part}_")
        inner = next(_models_in(field.annotation), None) if field else None
        if inner is None:
            return []
        model = inner
    return [field.alias or name for name, field in model.model_fields.items()]


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _contradictions(doc: ManifestDoc) -> Iterator[Fault]:
    """Faults between keys that are fine by themselves."""
    credential = {each.name for each in doc.auth.fields}
    yield from _repeated([name for each in doc.actions for name in (each.id, *each.aliases)], ("actions",), "action")
    yield from _repeated([each.name for each in doc.auth.fields], ("auth", "fields"), "field")
    yield from _unknown_names(doc.base_url, credential, ("base_url",))
    yield from _unknown_names(dict(doc.headers), credential, ("headers",))
    for index, action in enumerate(doc.actions):
        key: Key = ("actions", index)
        yield from _repeated([each.name for each in action.fields], (*key, "fields"), "field")
        own = {each.name for each in action.fields}
        yield from _unknown_names(action.idempotency_header, own, (*key, "idempotency_header"))
        yield from _unknown_names([f"{{{name}}}" for name in action.reads], own, (*key, "reads"))
        if action.request is None:
            continue
        names = credential | own
        for part, value in action.request.model_dump(by_alias=True).items():
            yield from _unknown_names(value, names, (*key, "request", part))
        if not doc.base_url and not action.request.path.startswith(("http://", "https://", "{")):
            yield (*key, "request", "path"), "Without a base_url the path has to be an absolute address."


def _repeated(names: list[str], key: Key, what: str) -> Iterator[Fault]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield key, f"Two of these have the same {what} name “{name}”."


def _unknown_names(value: Json, names: set[str], key: Key) -> Iterator[Fault]:
    for name, conversion in template.placeholders(value):
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            hint = f" Did you mean {{{close[0]}}}?" if close else ""
            yield key, f"{{{name}}} is neither a field of the action nor of the credential.{hint}"
        if conversion not in template.CONVERSIONS:
            yield key, f"{{{name}:{conversion}}} is not known; after the colon stands text, path or url."


def _manifest(doc: ManifestDoc) -> Manifest:
    return Manifest(
        id=doc.id,
        title=doc.title,
        category=doc.category,
        icon=doc.icon,
        description=doc.description,
        docs=doc.docs,
        source=doc.source,
        auth=_auth(doc.auth),
        base_url=doc.base_url.rstrip("/"),
        headers=doc.headers,
        rate=RateLimit(doc.rate.calls, doc.rate.per_s, doc.rate.concurrent),
        actions=tuple(_action(each, doc) for each in doc.actions),
        aliases=tuple(doc.aliases),
        keywords=tuple(doc.keywords),
    )


def _auth(doc: AuthDoc) -> AuthScheme:
    fields = tuple(
        CredentialField(each.name, each.title or _title(each.name), **each.model_dump(exclude={"name", "title"}))
        for each in doc.fields
    )
    bearer = "Bearer" if doc.kind is AuthKind.BEARER else ""
    prefix = bearer if doc.prefix is None else doc.prefix
    return AuthScheme(doc.kind, fields, doc.header, prefix, doc.optional, doc.explicit)


def _action(doc: ActionDoc, provider: ManifestDoc) -> Action:
    return Action(
        provider=provider.id,
        id=doc.id,
        title=doc.title,
        description=doc.description,
        effect=doc.effect or _effect(doc.request),
        reads={name: tuple(values) for name, values in doc.reads.items()},
        fields=tuple(_field(each) for each in doc.fields),
        aliases=tuple(doc.aliases),
        request=_request(doc.request) if doc.request else None,
        answer=_answer(doc.answer, provider.answer),
        timeout_s=doc.timeout_s,
        idempotency_header=doc.idempotency_header,
        icon=doc.icon,
    )


def _effect(request: RequestDoc | None) -> Effect:
    return Effect.READ if request and request.method in ("GET", "HEAD") else Effect.WRITE


def _field(doc: FieldDoc) -> Field:
    plain = doc.model_dump(exclude={"name", "title", "choices"})
    return Field(doc.name, doc.title or _title(doc.name), choices=tuple(_choice(each) for each in doc.choices), **plain)


def _choice(doc: ChoiceDoc | Scalar) -> Choice:
    return Choice(doc.value, doc.title) if isinstance(doc, ChoiceDoc) else Choice(doc, template.as_text(doc))


def _title(name: str) -> str:
    """`channel_id` as Channel id."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _request(doc: RequestDoc) -> HttpRequest:
    kinds = (BodyKind.JSON, BodyKind.FORM, BodyKind.MULTIPART, BodyKind.RAW)
    bodies = dict(zip(kinds, (doc.json_, doc.form, doc.multipart, doc.raw), strict=True))
    given: dict[BodyKind, Json] = {kind: body for kind, body in bodies.items() if body is not None}
    if len(given) > 1:
        kind, body = BodyKind.ANY, dict[str, Json]({str(each): value for each, value in given.items()})
        return HttpRequest(doc.method, doc.path, doc.query, doc.headers, kind, body)
    for only, value in given.items():
        return HttpRequest(doc.method, doc.path, doc.query, doc.headers, only, value)
    return HttpRequest(doc.method, doc.path, doc.query, doc.headers)


def _answer(own: AnswerDoc, general: AnswerDoc) -> AnswerRule:
    """The action's rule; what it does not say, the provider's rule says."""
    return AnswerRule(
        output=next((each for each in (own.output, general.output) if each is not None), ""),
        success=next((each for each in (own.success, general.success) if each is not None), ""),
        error=next((each for each in (own.error, general.error) if each is not None), ""),
    )
