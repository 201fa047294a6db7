"""The one executor of actions that are an HTTP request. It does not retry: the engine does."""

import logging
import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from flowstudio.plan.model import Json
from flowstudio.providers.errors import BadParamError
from flowstudio.providers.manifest import Action, FieldKind, Manifest
from flowstudio.providers.ports import ActionContext, HttpCall
from flowstudio.providers.request import Upload, build
from flowstudio.providers.response import Reader
from flowstudio.providers.result import ProviderResult

log = logging.getLogger(__name__)


def run(manifest: Manifest, action: Action, context: ActionContext) -> ProviderResult:
    """Performs the action's request. Raises ProviderError."""
    request = request_of(manifest, action, context)
    answer = context.http.send(request, cancel=context.call.cancel, limits=context.limits)
    log.debug("%s.%s answered %d in %.0f ms", manifest.id, action.id, answer.status, answer.elapsed_ms)
    return Reader(manifest, action, answer, datetime.now(UTC)).result()


def request_of(manifest: Manifest, action: Action, context: ActionContext) -> HttpCall:
    """The action's request, ready to send, its files read. Raises BadParamError."""
    uploads = read_uploads(manifest, action, context.params, context.limits.max_bytes)
    key = context.call.idempotency_key
    return build(manifest, action, context.params, context.credential, uploads=uploads, idempotency_key=key)


def read_uploads(manifest: Manifest, action: Action, params: Mapping[str, Json], max_bytes: int) -> dict[str, Upload]:
    """The files that file fields name, by field. Raises BadParamError."""
    uploads = {}
    for field in action.fields:
        path = params.get(field.name)
        if field.kind is not FieldKind.FILE or not isinstance(path, str) or not path:
            continue
        where = f"{manifest.title}, “{action.title}”: the file “{path}”"
        facts = {"provider": manifest.id, "action": action.id, "field": field.name}
        try:
            file = Path(path).expanduser()
            content = _content(file, max_bytes)
        except (OSError, ValueError, RuntimeError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "it has no usable name"
            fix = "Check the path and the rights."
            raise BadParamError(f"{where} cannot be read: {reason}.", fix=fix, facts=facts) from error
        if content is None:
            raise BadParamError(f"{where} is a folder, a device or a pipe.", fix="Choose a file.", facts=facts)
        if len(content) > max_bytes:
            sentence = f"{where} is larger than {max_bytes / 1024 / 1024:.3g} MB."
            raise BadParamError(sentence, fix="Send a smaller file.", facts=facts)
        uploads[field.name] = Upload(file.name, content)
    return uploads


def _content(file: Path, max_bytes: int) -> bytes | None:
    """At most a byte more than max_bytes; None for what is no regular file, such as /dev/zero, which has no end."""
    if not stat.S_ISREG(file.stat().st_mode):
        return None
    with file.open("rb") as stream:
        return stream.read(max_bytes + 1)
