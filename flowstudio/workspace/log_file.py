"""The program's log: a rotating file in the data folder, secrets masked."""

import logging
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path

NAME = "flowstudio.log"
MAX_BYTES = 2 * 1024 * 1024
KEPT = 5
FORMAT = "%(asctime)s %(levelname)-7s %(name)s [%(threadName)s] %(message)s"

log = logging.getLogger(__name__)


class _Masked(logging.Formatter):
    """Masks the finished line, tracebacks included."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__(FORMAT)
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


class LogFile:
    """Takes what the package logs until close. A folder that cannot be written to costs the log, not the program."""

    def __init__(self, folder: Path, redact: Callable[[str], str]) -> None:
        self._handler: logging.Handler | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handler = RotatingFileHandler(folder / NAME, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8")
        except OSError as error:
            log.warning("There is no log file: %s cannot be written (%s)", folder, error.strerror)
            return
        handler.setLevel(logging.INFO)
        handler.setFormatter(_Masked(redact))
        self._handler = handler
        for name in ("flowstudio", "waitress"):
            logger = logging.getLogger(name)
            logger.addHandler(handler)
            if logger.level == logging.NOTSET:
                logger.setLevel(logging.INFO)

    def close(self) -> None:
        if self._handler is None:
            return
        for name in ("flowstudio", "waitress"):
            logging.getLogger(name).removeHandler(self._handler)
        self._handler.close()
        self._handler = None
