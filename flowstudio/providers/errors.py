"""Why an action could not do its work.

ProviderError                      provider.failed
├── UnknownActionError             provider.unknown_action       no such provider or action
├── BadParamError                  provider.bad_param            a param is missing or of the wrong type
├── CredentialMissingError         provider.credential_missing   the step needs a credential and there is none
├── AuthRejectedError              provider.auth_rejected        the vendor refused the credential (401, 403)
├── NotFoundError                  provider.not_found            404
├── RateLimitedError               provider.rate_limited         429 (retryable)
├── VendorError                    provider.vendor               any other refusal; 5xx is retryable
├── BadAnswerError                 provider.bad_answer           the answer is not usable (too large, HTML ...)
├── ConnectionFailedError          provider.connection           DNS, TLS, refused, reset (retryable)
├── ActionTimeoutError             provider.timeout              connect, read or total limit (retryable)
└── ActionCancelledError           provider.cancelled            the run was cancelled
"""

from collections.abc import Mapping
from typing import ClassVar

from flowstudio.errors import FlowStudioError


class ProviderError(FlowStudioError):
    """retryable: trying again later can help. retry_after_s: how long the vendor asked to wait, seconds."""

    code: ClassVar[str] = "provider.failed"
    retryable: bool = False

    def __init__(
        self,
        sentence: str,
        *,
        fix: str = "",
        facts: Mapping[str, object] | None = None,
        retryable: bool | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(sentence, fix=fix, facts=facts)
        if retryable is not None:
            self.retryable = retryable
        self.retry_after_s = retry_after_s


class UnknownActionError(ProviderError):
    code = "provider.unknown_action"


class BadParamError(ProviderError):
    code = "provider.bad_param"


class CredentialMissingError(ProviderError):
    code = "provider.credential_missing"


class AuthRejectedError(ProviderError):
    code = "provider.auth_rejected"


class NotFoundError(ProviderError):
    code = "provider.not_found"


class RateLimitedError(ProviderError):
    code = "provider.rate_limited"
    retryable = True


class VendorError(ProviderError):
    code = "provider.vendor"


class BadAnswerError(ProviderError):
    code = "provider.bad_answer"


class ConnectionFailedError(ProviderError):
    code = "provider.connection"
    retryable = True


class ActionTimeoutError(ProviderError):
    code = "provider.timeout"
    retryable = True


class ActionCancelledError(ProviderError):
    code = "provider.cancelled"
