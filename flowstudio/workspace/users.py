"""User ids: which texts can name a user of this installation."""

from flowstudio.workspace.errors import BadRequestError

MAX_USER_ID = 200


def check_user_id(text: str) -> str:
    """The text itself. Raises BadRequestError."""
    if not text.strip() or len(text) > MAX_USER_ID or not text.isprintable():
        raise BadRequestError(
            f"`user_id` must be a text of 1 to {MAX_USER_ID} printable characters.", facts={"field": "user_id"}
        )
    return text
