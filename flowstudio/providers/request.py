"""An action's template, params and credential -> the HTTP request. Pure: files come in as Upload values."""

import hashlib
import json
import mimetypes
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import quote, urlencode, urlsplit

from flowstudio.plan.model import Json
from flowstudio.providers import template
from flowstudio.providers.auth import authorise
from flowstudio.providers.errors import BadParamError
from flowstudio.providers.manifest import Action, BodyKind, HttpRequest, Manifest
from flowstudio.providers.ports import HttpCall

Pairs: TypeAlias = tuple[tuple[str, str], ...]

_METHOD: Final = re.compile(r"[A-Z]{1,20}")
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token as RFC 9110, 5.6.2 defines it."""
_SEGMENT_SAFE: Final = ":@,"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to send. content as it is."""

    filename: str
    content: bytes

    @property
    def content_type(self) -> str:
        return mimetypes.guess_type(self.filename)[0] or "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Values:
    """What placeholders stand for. titles: names as people know them; where: opens every error's sentence."""

    names: Mapping[str, Json]
    titles: Mapping[str, str]
    uploads: Mapping[str, Upload]
    where: str
    facts: Mapping[str, str]

    def title(self, name: str) -> str:
        return self.titles.get(name, name)

    def fault(self, name: str, sentence: str) -> BadParamError:
        facts = {**self.facts, "field": name}
        return BadParamError(f"{self.where}: {sentence}", fix="Correct this field in the step.", facts=facts)


def build(
    manifest: Manifest,
    action: Action,
    params: Mapping[str, Json],
    credential: Mapping[str, str],
    *,
    uploads: Mapping[str, Upload] | None = None,
    idempotency_key: str = "",
) -> HttpCall:
    """The request of an action that has one. params are coerced. Raises BadParamError."""
    assert action.request is not None
    request = action.request
    values = _values(manifest, action, params, credential, uploads or {})
    authorisation = authorise(manifest.auth, credential)
    content_type, body = _body(request, values)
    repeat_header = action.idempotency_header_with(params)
    headers = {
        **_headers(manifest.headers, values),
        **({"Content-Type": content_type} if content_type else {}),
        **({repeat_header: idempotency_key} if repeat_header and idempotency_key else {}),
    }
    merged = _merged(headers, authorisation.headers, _headers(request.headers, values))
    query = (*_pairs(template.render(dict(request.query), values.names)), *authorisation.query)
    return HttpCall(_method(request, values), _url(manifest, request, values), merged, query, body)


def _values(
    manifest: Manifest,
    action: Action,
    params: Mapping[str, Json],
    credential: Mapping[str, str],
    uploads: Mapping[str, Upload],
) -> Values:
    given = {name: value for name, value in params.items() if not template.is_empty(value)}
    titles = {each.name: each.title for each in manifest.auth.fields}
    titles.update({each.name: each.title for each in action.fields})
    facts = {"provider": manifest.id, "action": action.id}
    return Values({**credential, **given}, titles, uploads, f"{manifest.title}, “{action.title}”", facts)


def _method(request: HttpRequest, values: Values) -> str:
    method = (template.render_text(request.method, values.names) or "").strip().upper()
    if not _METHOD.fullmatch(method):
        raise values.fault("method", "the method has to be a word like GET or POST.")
    return method


def _url(manifest: Manifest, request: HttpRequest, values: Values) -> str:
    path = _address(request.path, values)
    absolute = "://" in request.path or _is_address(request.path)
    url = path if absolute else _address(manifest.base_url, values) + path
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(char.isspace() or ord(char) < 32 for char in url):
        name = next((name for name, _ in template.placeholders(request.path)), "base_url")
        raise values.fault(name, f"“{values.title(name)}” has to be an address that begins with http:// or https://.")
    return url


def _is_address(path: str) -> bool:
    """Whether the path begins with a placeholder that holds an address: it is the whole path, or says `:url`."""
    match = template.PLACEHOLDER.match(path)
    return match is not None and match[1] is not None and (match[2] == "url" or match.end() == len(path))


def _address(path: str, values: Values) -> str:
    """The path with its placeholders filled. One alone, or one that says `:url`, stands as it is."""
    whole = template.PLACEHOLDER.fullmatch(path) is not None

    def filled(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return match[0][0]
        text = template.as_text(values.names.get(name)).strip()
        if not text:
            raise values.fault(name, f"“{values.title(name)}” is missing.")
        if match[2] == "url" or whole:
            return text.rstrip("/") if match.end() < len(path) else text
        keep_slashes = match[2] == "path"
        segments = text.strip("/").split("/") if keep_slashes else [text]
        if any(segment in (".", "..", "") for segment in segments):
            raise values.fault(name, f"“{values.title(name)}” cannot stand in an address: “{text[:60]}”.")
        return "/".join(quote(segment, safe=_SEGMENT_SAFE) for segment in segments)

    return template.PLACEHOLDER.sub(filled, path)


def _headers(templates: Mapping[str, str], values: Values) -> dict[str, str]:
    rendered = template.render(dict(templates), values.names)
    assert isinstance(rendered, dict)
    headers = {}
    for name, value in rendered.items():
        text = template.as_text(value)
        if any(char in name + text for char in "\r\n\0"):
            raise values.fault("headers", f"the header “{name[:40]!r}” must not contain line breaks.")
        if name.strip() and not _HEADER_NAME.fullmatch(name.strip()):
            raise values.fault("headers", f"“{name[:40]!r}” cannot be the name of a header.")
        try:
            # HTTP headers travel as Latin-1; what is not Latin-1 goes as UTF-8 bytes, which servers expect today.
            headers[name.strip()] = text.strip().encode().decode("latin-1")
        except UnicodeEncodeError:
            sentence = f"the header “{name[:40]}” holds half of a character pair, which cannot be sent."
            raise values.fault("headers", sentence) from None
    return {name: text for name, text in headers.items() if name and text}


def _merged(*parts: Mapping[str, str]) -> dict[str, str]:
    """Later headers win, names compared without case."""
    merged: dict[str, tuple[str, str]] = {}
    for part in parts:
        for name, value in part.items():
            merged[name.lower()] = (name, value)
    return dict(merged.values())


def _body(request: HttpRequest, values: Values) -> tuple[str, bytes | None]:
    """(content type, body); None for no body."""
    if request.body_kind is BodyKind.NONE:
        return "", None
    if request.body_kind is not BodyKind.ANY:
        return _encoded(request.body_kind, request.body, values)
    assert isinstance(request.body, dict)
    filled = [kind for kind, body in request.body.items() if _is_filled(body, values)]
    if len(filled) > 1:
        names = [values.title(name) for kind in filled for name, _ in template.placeholders(request.body[kind])]
        raise values.fault("body", f"only one body can be sent; leave all but one of these empty: {', '.join(names)}.")
    if not filled:
        return "", None
    return _encoded(BodyKind(filled[0]), request.body[filled[0]], values)


def _is_filled(body: Json, values: Values) -> bool:
    return template.render(body, values.names) not in (None, {}, [])


def _encoded(kind: BodyKind, body: Json, values: Values) -> tuple[str, bytes | None]:
    if kind is BodyKind.RAW:
        return _raw(body, values)
    rendered = template.render(body, values.names)
    if rendered is None:
        return "", None
    try:
        if kind is BodyKind.FORM:
            return "application/x-www-form-urlencoded", urlencode(_pairs(rendered)).encode()
        if kind is BodyKind.MULTIPART:
            return _multipart(rendered, values)
        return "application/json", json_body(rendered)
    except UnicodeEncodeError as error:
        raise values.fault("body", "the body holds half of a character pair, which cannot be sent.") from error
    except ValueError as error:
        raise values.fault("body", "the body holds a number that JSON does not know (NaN or infinity).") from error


def json_body(value: Json) -> bytes:
    """Raises ValueError for NaN and infinity."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")  # a lone surrogate becomes its \u escape, which JSON allows


def _raw(body: Json, values: Values) -> tuple[str, bytes | None]:
    names = [name for name, _ in template.placeholders(body)]
    if len(names) == 1 and names[0] in values.uploads:
        upload = values.uploads[names[0]]
        return upload.content_type, upload.content
    text = template.render_text(body if isinstance(body, str) else "", values.names)
    return ("text/plain; charset=utf-8", text.encode("utf-8", "replace")) if text else ("", None)


def _multipart(rendered: Json, values: Values) -> tuple[str, bytes]:
    """RFC 7578. The boundary comes from the content, so that the same request has the same bytes."""
    paths = {template.as_text(values.names.get(name)): upload for name, upload in values.uploads.items()}
    parts = []
    for name, text in _pairs(rendered):
        upload = paths.get(text)
        disposition = f'Content-Disposition: form-data; name="{_quoted(name)}"'
        if upload is None:
            parts.append(f"{disposition}\r\n\r\n".encode() + text.encode())
            continue
        head = f'{disposition}; filename="{_quoted(upload.filename)}"\r\nContent-Type: {upload.content_type}\r\n\r\n'
        parts.append(head.encode() + upload.content)
    boundary = hashlib.sha256(b"\0".join(parts)).hexdigest()[:32]
    body = b"".join(f"--{boundary}\r\n".encode() + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()
    return f"multipart/form-data; boundary={boundary}", body


def _quoted(name: str) -> str:
    """As browsers escape it (WHATWG HTML, multipart form data)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _pairs(values: Json) -> Pairs:
    """An object as name-value pairs: a list repeats its name, an inner object becomes name[key]."""
    return tuple(_flat(values)) if isinstance(values, dict) else ()


def _flat(values: Mapping[str, Json], around: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        name = f"{around}[{key}]" if around else key
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                yield from _flat(each, name)
            elif each is not None:
                yield name, template.as_text(each)
