"""What an HTTP status says about a call that a coded action made itself."""

from collections.abc import Mapping
from datetime import UTC, datetime

from flowstudio.providers.errors import AuthRejectedError, NotFoundError, ProviderError, RateLimitedError, VendorError
from flowstudio.providers.response import retry_after_s


def refusal(status: int, headers: Mapping[str, str], who: str, reason: str = "") -> ProviderError:
    """The error for a status of 400 or more.

    who: whose answer it is; reason: the vendor's own words; headers with lower-case names.
    """
    said = f": {reason.strip().rstrip('.')}." if reason.strip() else "."
    facts: dict[str, object] = {"status": status}
    wait_s = retry_after_s(headers, datetime.now(UTC))
    if request_id := headers.get("x-request-id"):
        facts["request_id"] = request_id
    if status in (401, 403):
        fix = "Check the credential in the vault; it may be wrong, expired or not allowed to do this."
        return AuthRejectedError(f"{who} refused the credential ({status}){said}", fix=fix, facts=facts)
    if status == 404:
        return NotFoundError(f"{who} does not know what was asked for (404){said}", facts=facts)
    if status == 429:
        fix = "Wait a while, or set retries on the step."
        return RateLimitedError(f"{who} asks to slow down (429){said}", fix=fix, facts=facts, retry_after_s=wait_s)
    retryable = status >= 500 or status == 408
    fix = "This is a fault on their side; trying again later can help." if status >= 500 else ""
    return VendorError(
        f"{who} refused the request ({status}){said}",
        fix=fix,
        facts=facts,
        retryable=retryable,
        retry_after_s=wait_s,
    )
