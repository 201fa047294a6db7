"""How an address names an iteration."""

import pytest

from flowstudio.workspace.errors import BadRequestError
from flowstudio.workspace.resumption import iteration_path


@pytest.mark.parametrize(("text", "path"), [(None, None), ("", ()), ("3", (3,)), ("3.0", (3, 0))])
def test_an_iteration_is_read_as_it_is_shown(text: str | None, path: tuple[int, ...] | None) -> None:
    assert iteration_path(text) == path


@pytest.mark.parametrize("text", ["a", "-1", "3.", ".", "1e3", "²", "9" * 30])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadRequestError):
        iteration_path(text)
