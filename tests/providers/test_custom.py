"""Users' integrations act as providers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flowstudio.plan.model import Json
from flowstudio.providers.custom import to_manifest, trial
from flowstudio.providers.dispatch import Dispatcher
from flowstudio.providers.network import full_url
from flowstudio.providers.registry import Registry

CONFIG: dict[str, Json] = {"base_url": "https://crm.test/api/", "auth_header": "X-Token", "auth_prefix": ""}


@dataclass(frozen=True)
class Own:
    id: str = "5f-1"
    name: str = "my_crm"
    display_name: str = "My CRM"
    description: str = ""
    oauth_config: Mapping[str, Json] = field(default_factory=lambda: CONFIG)
    actions: tuple[Mapping[str, Json], ...] = (
        {"id": "add", "name": "Add", "endpoint": "lists/{list}/people", "params": ["list", "e-mail", "age"]},
        {"id": "find", "name": "Find", "method": "get", "endpoint": "/people", "params": ["q"]},
    )


def test_an_integration_is_called_by_its_name(
    registry: Registry, call_of: Callable, credentials_of: Callable, recorder_of: Callable
) -> None:
    sender, stored = recorder_of(), credentials_of({("custom_5f-1", None): {"api_key": "k"}})
    dispatcher = Dispatcher(lambda user: registry.with_custom([to_manifest(Own())]), stored, sender, {})
    params = {"list": "a b", "e-mail": "x@y.test", "age": 5}

    assert dispatcher.invoke(call_of(provider="my_crm", action="add", params=params)).success
    assert dispatcher.invoke(call_of(provider="custom_5f-1", action="find", params={"q": "ü"})).success

    add, find = sender.calls
    assert (add.method, add.url) == ("POST", "https://crm.test/api/lists/a%20b/people")
    assert add.body == b'{"e-mail":"x@y.test","age":5}'
    assert add.headers["X-Token"] == "k"
    assert (find.method, full_url(find)) == ("GET", "https://crm.test/api/people?q=%C3%BC")


def test_a_credential_stored_under_the_name_is_found(
    registry: Registry, call_of: Callable, credentials_of: Callable, recorder_of: Callable
) -> None:
    sender, stored = recorder_of(), credentials_of({("my_crm", None): {"oauth": "k"}})
    dispatcher = Dispatcher(lambda user: registry.with_custom([to_manifest(Own())]), stored, sender, {})
    dispatcher.invoke(call_of(provider="my_crm", action="find"))
    assert sender.calls[0].headers["X-Token"] == "k"


def test_the_header_and_prefix_have_defaults() -> None:
    auth = to_manifest(Own(oauth_config={"base_url": "https://crm.test"})).auth
    assert (auth.header, auth.prefix) == ("Authorization", "Bearer")


def test_a_trial_carries_the_key_to_its_own_host_only() -> None:
    call = trial(Own(), "post", "people", {"X-A": "b"}, {"a": 1}, {"api_key": "k"})
    assert (call.method, call.url, call.body) == ("POST", "https://crm.test/api/people", b'{"a":1}')
    assert call.headers == {"Content-Type": "application/json", "X-Token": "k", "X-A": "b"}
    away = trial(Own(), "GET", "https://elsewhere.test/", {}, None, {"api_key": "k"})
    assert "k" not in away.headers.values()
