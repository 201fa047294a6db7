"""Who may call: the rules over header values."""

from dataclasses import replace
from pathlib import Path

import pytest

from flowstudio.server.access import (
    Access,
    ForeignHostError,
    ForeignOriginError,
    OtherUserError,
    TokenMissingError,
    host_name,
    is_loopback,
)
from flowstudio.settings import Settings
from flowstudio.workspace.errors import BadRequestError

TOKENS = {"fs_ada": "ada"}
LOCAL = Access("local", "127.0.0.1", frozenset({"https://flows.example.org"}), TOKENS.get)
TOKEN = Access("token", "192.168.1.5", frozenset({"https://flows.example.org"}), TOKENS.get)


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:5001", "app.localhost:80", "127.0.0.1:5001", "127.8.9.1", "[::1]:5001", "0.0.0.0:5001"],
)
def test_loopback_hosts_are_answered(host: str) -> None:
    LOCAL.check_host(host)
    TOKEN.check_host(host)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:5001", "", "10.0.0.1", "[::2]", "a:b"]
)
def test_any_other_host_is_refused_with_421(host: str) -> None:
    with pytest.raises(ForeignHostError) as caught:
        LOCAL.check_host(host)
    assert caught.value.status == 421


def test_the_bound_host_is_answered() -> None:
    TOKEN.check_host("192.168.1.5:5001")


def test_by_the_public_name_strangers_reach_what_is_open_and_tokens_all() -> None:
    public = replace(LOCAL, public_host="flows.example.org")
    public.check_host("flows.example.org", is_open=True)
    with pytest.raises(ForeignHostError):
        public.check_host("flows.example.org")
    with pytest.raises(ForeignHostError):
        public.check_host("other.example.org", is_open=True)
    replace(public, policy="token").check_host("Flows.example.org:443")


def test_the_public_name_is_that_of_the_setting(tmp_path: Path) -> None:
    settings = Settings(tmp_path, public_url="https://Flows.example.org:8443/studio")
    assert Access.of(settings, "127.0.0.1", TOKENS.get).public_host == "flows.example.org"
    assert Access.of(Settings(tmp_path), "127.0.0.1", TOKENS.get).public_host == ""


def test_pages_of_this_computer_are_welcome_under_local_only() -> None:
    assert LOCAL.is_welcome("http://localhost:5000")
    assert LOCAL.is_welcome("http://127.0.0.1:3000")
    assert not TOKEN.is_welcome("http://localhost:5000")


@pytest.mark.parametrize(
    "origin",
    ["null", "https://evil.example", "http://localhost.evil.example", "file://", "http://localhost@evil.example", ""],
)
def test_pages_from_elsewhere_may_not_change_anything(origin: str) -> None:
    with pytest.raises(ForeignOriginError):
        LOCAL.check_origin(origin, "POST")


def test_pages_from_elsewhere_may_ask_without_being_answered_to() -> None:
    LOCAL.check_origin("https://evil.example", "GET")
    assert not LOCAL.is_welcome("https://evil.example")


def test_origins_of_the_setting_are_welcome_under_both_policies() -> None:
    LOCAL.check_origin("https://flows.example.org", "DELETE")
    TOKEN.check_origin("https://flows.example.org", "DELETE")


def test_without_a_token_local_acts_as_the_desktops_user_or_as_who_is_asked_for() -> None:
    assert LOCAL.user(None, None) == "local"
    assert LOCAL.user(None, "grace") == "grace"


def test_a_token_names_the_user_under_both_policies() -> None:
    assert LOCAL.user("Bearer fs_ada", None) == "ada"
    assert TOKEN.user("bearer fs_ada", "ada") == "ada"


def test_a_token_and_another_user_id_is_403() -> None:
    with pytest.raises(OtherUserError) as caught:
        TOKEN.user("Bearer fs_ada", "grace")
    assert caught.value.status == 403


@pytest.mark.parametrize("header", [None, "", "Basic abc", "Bearer", "Bearer fs_wrong"])
def test_the_token_policy_wants_a_valid_token(header: str | None) -> None:
    with pytest.raises(TokenMissingError) as caught:
        TOKEN.user(header, None)
    assert caught.value.status == 401


@pytest.mark.parametrize("user", ["", "  ", "a\nb", "x" * 201])
def test_a_user_id_that_is_no_name_is_refused(user: str) -> None:
    with pytest.raises(BadRequestError, match="user_id"):
        LOCAL.user(None, user)


def test_host_names_lose_port_brackets_and_dot() -> None:
    assert host_name("[::1]:80") == "::1"
    assert host_name("LOCALHOST.:80") == "localhost"


def test_loopback_is_known_by_name_and_address() -> None:
    assert is_loopback("::1")
    assert is_loopback("127.1.2.3")
    assert not is_loopback("128.0.0.1")
