"""Names that say that a value is nobody's business. Pure."""

import re
from functools import lru_cache
from typing import Final

_FIELD: Final = re.compile(
    r"(?i)^(?:.*[-_.\[])?(?:authorization|cookie|password|passwd|pwd|passphrase|secret|credentials?|apikey|signature"
    r"|(?:api|access|private|secret|auth|account)[-_]?key|(?:access|refresh|auth|bearer|api|bot|id|secret|session)?[-_]?"
    r"token)\]?$|(?:password|secret|accesstoken|refreshtoken|apikey|privatekey)$"
)
_PAGE: Final = re.compile(r"(?i)(?:next|page|sync|continuation|cursor|start)[-_]?token$")
"""A place in a list of answers, no secret."""

_PARAMETER: Final = re.compile(r"(?i)^(?:key|code|auth|sig|session(?:id)?)$")
"""What in data is an ordinary word and in an address or a header is a secret."""


@lru_cache(maxsize=4096)
def is_secret_field(name: str) -> bool:
    """Of a member of an object, a form's field, a variable."""
    return _FIELD.search(name) is not None and _PAGE.search(name) is None


@lru_cache(maxsize=4096)
def is_secret_parameter(name: str) -> bool:
    """Of a header, or of a value in an address."""
    return is_secret_field(name) or _PARAMETER.search(name) is not None
