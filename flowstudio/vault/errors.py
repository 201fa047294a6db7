"""Why a secret cannot be read or written. No sentence holds a value or a key.

VaultError                    vault.error
├── WrongKeyError             vault.wrong_key       the key at hand is not the one this vault was made with
├── NoKeyError                vault.no_key          the vault was made with a key that is nowhere to be found
├── BadKeyError               vault.bad_key         what should be a key is none
├── DamagedSecretError        vault.damaged         a stored value cannot be decrypted with the right key
├── CredentialExpiredError    vault.expired
├── AmbiguousCredentialError  vault.ambiguous       several credentials, none is the default, the step names none
└── NoVariableError           vault.no_variable     a value says env:NAME and there is no such variable
"""

from flowstudio.errors import FlowStudioError


class VaultError(FlowStudioError):
    code = "vault.error"


class WrongKeyError(VaultError):
    code = "vault.wrong_key"


class NoKeyError(VaultError):
    code = "vault.no_key"


class BadKeyError(VaultError):
    code = "vault.bad_key"


class DamagedSecretError(VaultError):
    code = "vault.damaged"


class CredentialExpiredError(VaultError):
    code = "vault.expired"


class AmbiguousCredentialError(VaultError):
    code = "vault.ambiguous"


class NoVariableError(VaultError):
    code = "vault.no_variable"
