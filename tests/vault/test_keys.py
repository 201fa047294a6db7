import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as FailKeyring
from keyring.backends.null import Keyring as NullKeyring
from keyring.errors import InitError, NoKeyringError

from flowstudio.settings import Settings
from flowstudio.vault import keys
from flowstudio.vault.errors import BadKeyError, NoKeyError
from flowstudio.vault.keys import find_key
from flowstudio.vault.os_keyring import ENTRY, PROBE, SERVICE, OsKeyring

KEY = Fernet.generate_key().decode()


class DictKeyring(KeyringBackend):
    """Keeps what it is given."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


class ForgetfulKeyring(DictKeyring):
    def get_password(self, service: str, username: str) -> str | None:
        return None


class FailingKeyring(DictKeyring):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def get_password(self, service: str, username: str) -> str | None:
        raise self.error


class SilentKeyring(DictKeyring):
    """Waits for a password that nobody types."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.released.wait(30)
        return None


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def ring(backend: KeyringBackend) -> OsKeyring:
    return OsKeyring(lambda: backend)


def test_the_environment_comes_first(tmp_path: Path) -> None:
    backend = DictKeyring()
    backend.set_password(SERVICE, ENTRY, Fernet.generate_key().decode())
    found = find_key(Settings(tmp_path, encryption_key=KEY), keyring=ring(backend))
    assert (found.key, found.source, found.warning) == (KEY.encode(), "ENCRYPTION_KEY", "")


def test_a_new_key_goes_to_the_keyring_and_is_found_there_again(settings: Settings) -> None:
    backend = DictKeyring()
    made = find_key(settings, keyring=ring(backend))
    assert made == find_key(settings, create=False, keyring=ring(backend))
    assert (made.source, made.warning) == ("the system keyring", "")
    assert backend.entries == {(SERVICE, ENTRY): made.key.decode()}
    assert not settings.data_dir.exists()


def test_the_probe_leaves_nothing_behind(settings: Settings) -> None:
    backend = DictKeyring()
    find_key(settings, keyring=ring(backend))
    assert (SERVICE, PROBE) not in backend.entries


@pytest.mark.parametrize(
    "make",
    [
        FailKeyring,
        NullKeyring,
        ForgetfulKeyring,
        lambda: FailingKeyring(NoKeyringError("none")),
        lambda: FailingKeyring(InitError("locked")),
        lambda: FailingKeyring(OSError("no bus")),
    ],
)
def test_without_a_keyring_that_works_a_private_file_holds_the_key(
    settings: Settings, make: Callable[[], KeyringBackend]
) -> None:
    found = find_key(settings, keyring=ring(make()))
    file = settings.data_dir / "vault.key"
    assert file.read_text() == found.key.decode()
    assert file.stat().st_mode & 0o777 == 0o600
    assert found.source == str(file)
    assert str(file) in found.warning
    assert [each.name for each in settings.data_dir.iterdir()] == ["vault.key"]
    assert find_key(settings, create=False, keyring=ring(make())) == found


def test_a_key_file_stays_in_use_when_a_keyring_appears(settings: Settings) -> None:
    found = find_key(settings, keyring=ring(NullKeyring()))
    assert find_key(settings, keyring=ring(DictKeyring())) == found


def test_a_keyring_that_does_not_answer_holds_nobody_up(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "START_PATIENCE_S", 0.05)
    backend = SilentKeyring()
    found = find_key(settings, keyring=ring(backend))
    backend.released.set()
    assert found.source.endswith("vault.key")


def test_rights_that_grew_are_taken_back(settings: Settings) -> None:
    find_key(settings, keyring=ring(NullKeyring()))
    file = settings.data_dir / "vault.key"
    file.chmod(0o644)
    find_key(settings, keyring=ring(NullKeyring()))
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_key_that_must_exist_and_is_nowhere_is_a_sentence(settings: Settings) -> None:
    with pytest.raises(NoKeyError, match=r"this system has no keyring, and there is no .*vault\.key") as caught:
        find_key(settings, create=False, keyring=ring(NullKeyring()))
    assert "ENCRYPTION_KEY" in caught.value.fix
    assert not settings.data_dir.exists()


def test_a_file_that_holds_no_key_is_named(settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "vault.key").write_text("oops")
    with pytest.raises(BadKeyError, match=r"vault\.key") as caught:
        find_key(settings, keyring=ring(NullKeyring()))
    assert "oops" not in str(caught.value)


def test_a_folder_that_cannot_hold_the_key_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NoKeyError, match="cannot be stored"):
        find_key(Settings(tmp_path / "file" / "data"), keyring=ring(NullKeyring()))


def test_two_first_starts_agree_on_one_key(settings: Settings) -> None:
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(find_key(settings, keyring=ring(NullKeyring())).key))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


def test_the_key_does_not_show_in_the_representation(settings: Settings) -> None:
    found = find_key(settings, keyring=ring(NullKeyring()))
    assert found.key.decode() not in repr(found)
