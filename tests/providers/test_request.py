"""Templates, params and credentials become requests; what cannot is a sentence."""

from collections.abc import Mapping

import pytest

from flowstudio.plan.model import Json
from flowstudio.providers.errors import BadParamError
from flowstudio.providers.manifest import (
    Action,
    AuthKind,
    AuthScheme,
    BodyKind,
    Category,
    CredentialField,
    Field,
    HttpRequest,
    Manifest,
)
from flowstudio.providers.ports import HttpCall
from flowstudio.providers.registry import Registry
from flowstudio.providers.request import build

NO_AUTH = AuthScheme()
BEARER = AuthScheme(AuthKind.BEARER, (CredentialField("token", "Token"),), prefix="Bearer")


def built(
    request: HttpRequest,
    params: Mapping[str, Json],
    *,
    auth: AuthScheme = NO_AUTH,
    credential: Mapping[str, str] | None = None,
    base_url: str = "https://v.test/api",
    idempotency_header: str = "",
) -> HttpCall:
    fields = tuple(Field(name, name.title()) for name in params)
    action = Action("v", "go", "Go", fields=fields, request=request, idempotency_header=idempotency_header)
    manifest = Manifest(
        "v", "V", Category.HTTP, "i", auth=auth, base_url=base_url, headers={"Accept": "a/b"}, actions=(action,)
    )
    return build(manifest, action, params, credential or {}, idempotency_key="key-1")


def fault(request: HttpRequest, params: Mapping[str, Json], **more: str) -> str:
    with pytest.raises(BadParamError) as caught:
        built(request, params, **more)
    return str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("/items/{id}", "a/b ?#%", "https://v.test/api/items/a%2Fb%20%3F%23%25"),
        ("/items/{id}", "ü", "https://v.test/api/items/%C3%BC"),
        ("/items/{id}", 7, "https://v.test/api/items/7"),
        ("/repos/{id:path}/x", "/octo/hello world/", "https://v.test/api/repos/octo/hello%20world/x"),
        ("{id:url}/more", "https://w.test/a/", "https://w.test/a/more"),
        ("{id}", "https://w.test/a?x=1", "https://w.test/a?x=1"),
        ("{id}", " https://w.test/a/ ", "https://w.test/a/"),
    ],
)
def test_a_param_stands_in_the_path(path: str, value: Json, expected: str) -> None:
    assert built(HttpRequest("GET", path), {"id": value}).url == expected


@pytest.mark.parametrize(
    ("path", "value"),
    [("/i/{id}", ".."), ("/r/{id:path}", "a/../../b"), ("/r/{id:path}", "a//b"), ("/i/{id}", ""), ("/i/{id}", None)],
)
def test_a_param_cannot_leave_its_place_in_the_path(path: str, value: Json) -> None:
    sentence = fault(HttpRequest("GET", path), {"id": value})
    assert sentence.startswith("V, “Go”: “Id”")


@pytest.mark.parametrize(
    "url", ["ftp://a.test", "a.test/x", "file:///etc/passwd", "http://", "https://a b.test", "http://[x"]
)
def test_an_address_has_to_be_http(url: str) -> None:
    assert "has to be an address that begins with http" in fault(HttpRequest("GET", "{id}"), {"id": url}, base_url="")


def test_a_credential_field_in_the_address_cannot_change_the_host() -> None:
    request, base = HttpRequest("GET", "/x"), "https://{region}.v.test"
    auth = AuthScheme(AuthKind.URL_SECRET, (CredentialField("region", "Region"),))
    call = built(request, {}, auth=auth, credential={"region": "eu1"}, base_url=base)
    assert call.url == "https://eu1.v.test/x"
    call = built(request, {}, auth=auth, credential={"region": "evil.test/#"}, base_url=base)
    assert call.url == "https://evil.test%2F%23.v.test/x"


@pytest.mark.parametrize(
    ("auth", "credential", "header", "value"),
    [
        (BEARER, {"token": "t"}, "Authorization", "Bearer t"),
        (AuthScheme(AuthKind.HEADER, BEARER.fields, "X-Key", "Key "), {"token": "t"}, "X-Key", "Key t"),
        (AuthScheme(AuthKind.BASIC), {"username": "a", "password": "ü"}, "Authorization", "Basic YTrDvA=="),
    ],
)
def test_a_credential_becomes_a_header(auth: AuthScheme, credential: dict, header: str, value: str) -> None:
    assert built(HttpRequest("GET", "/"), {}, auth=auth, credential=credential).headers[header] == value


def test_a_credential_becomes_a_query_parameter() -> None:
    auth = AuthScheme(AuthKind.QUERY, BEARER.fields, "appid")
    call = built(HttpRequest("GET", "/", query={"q": "{q}"}), {"q": "x"}, auth=auth, credential={"token": "t"})
    assert call.query == (("q", "x"), ("appid", "t"))


def test_an_optional_credential_leaves_nothing() -> None:
    assert built(HttpRequest("GET", "/"), {}, auth=BEARER).headers == {"Accept": "a/b"}


def test_a_header_cannot_hold_a_line_break() -> None:
    request = HttpRequest("GET", "/", headers={"X-A": "{a}"})
    assert "line breaks" in fault(request, {"a": "x\r\nX-Evil: 1"})


def test_a_header_may_hold_any_letter() -> None:
    call = built(HttpRequest("GET", "/", headers={"X-A": "{a}"}), {"a": "дом"})
    assert call.headers["X-A"].encode("latin-1").decode("utf-8") == "дом"


def test_a_step_s_header_wins_whatever_its_case() -> None:
    request = HttpRequest("POST", "/", headers={"...": "{headers}"}, body_kind=BodyKind.JSON, body={"a": 1})
    call = built(request, {"headers": {"content-type": "application/ld+json", "ACCEPT": "c/d"}})
    assert call.headers == {"ACCEPT": "c/d", "content-type": "application/ld+json"}


def test_two_bodies_are_one_too_many() -> None:
    request = HttpRequest("POST", "/", body_kind=BodyKind.ANY, body={"json": "{json}", "raw": "{raw}"})
    assert "leave all but one of these empty: Json, Raw" in fault(request, {"json": {"a": 1}, "raw": "x"})


def test_nan_is_not_json() -> None:
    request = HttpRequest("POST", "/", body_kind=BodyKind.JSON, body="{a}")
    assert "NaN" in fault(request, {"a": [float("nan")]})


def test_a_method_from_a_param_has_to_be_a_word() -> None:
    assert "like GET or POST" in fault(HttpRequest("{m}", "/"), {"m": "GET / HTTP/1.1"})


def test_the_idempotency_key_is_sent_where_the_vendor_takes_one() -> None:
    call = built(HttpRequest("POST", "/"), {}, idempotency_header="Idempotency-Key")
    assert call.headers["Idempotency-Key"] == "key-1"


def test_the_same_multipart_request_has_the_same_bytes() -> None:
    request = HttpRequest("POST", "/", body_kind=BodyKind.MULTIPART, body={'a"b': "{a}"})
    assert built(request, {"a": "x"}) == built(request, {"a": "x"})
    assert b'name="a%22b"' in (built(request, {"a": "x"}).body or b"")


@pytest.mark.parametrize("name", ["X A", "é", "X:", "X(", "\ud800"])
def test_what_is_no_header_name_is_refused(name: str) -> None:
    request = HttpRequest("GET", "/", headers={"...": "{headers}"})
    assert "cannot be the name of a header" in fault(request, {"headers": {name: "x"}})


@pytest.mark.parametrize("kind", [BodyKind.FORM, BodyKind.MULTIPART])
def test_half_a_character_pair_cannot_be_sent(kind: BodyKind) -> None:
    request = HttpRequest("POST", "/", headers={"X-A": "{h}"}, body_kind=kind, body={"a": "{a}"})
    assert "half of a character pair" in fault(request, {"a": "\ud800"})
    assert "half of a character pair" in fault(request, {"h": "\ud800"})


def test_a_request_that_anybody_can_shape_tells_by_its_params_whether_it_reads(registry: Registry) -> None:
    action = registry.find("http", "request")
    assert action is not None
    assert action.effect_with({}) == "read", "the default method is GET"
    assert action.effect_with({"method": "HEAD"}) == "read"
    assert action.effect_with({"method": "POST"}) == "write"
    assert action.effect_with({"method": "{{ vars.method }}"}) == "write", "nobody knows yet, so it counts as the worst"


def test_a_step_can_name_the_header_in_which_its_vendor_takes_the_key(registry: Registry) -> None:
    action, manifest = registry.find("http", "request"), registry.provider("http")
    assert action is not None
    assert manifest is not None
    params = {"method": "POST", "url": "https://example.com/", "idempotency_header": "Idempotency-Key"}
    call = build(manifest, action, params, {}, idempotency_key="key-1")
    assert call.headers["Idempotency-Key"] == "key-1"
    assert action.idempotency_header_with(params) == "Idempotency-Key"
    assert action.idempotency_header_with({"method": "POST"}) == ""
