"""The log file: what is logged stands in it, secrets do not."""

import logging
from pathlib import Path

import pytest

from flowstudio.vault.redact import Redactor
from flowstudio.workspace.log_file import NAME, LogFile


@pytest.mark.logs("it was the-value")
def test_a_log_holds_no_secret_not_even_in_a_traceback(tmp_path: Path) -> None:
    file = LogFile(tmp_path, Redactor(["the-value"]).text)
    try:
        raise ValueError("about the-value")
    except ValueError:
        logging.getLogger("flowstudio.elsewhere").exception("it was %s", "the-value")
    finally:
        file.close()
    text = (tmp_path / NAME).read_text("utf-8")
    assert "the-value" not in text
    assert "Traceback" in text
