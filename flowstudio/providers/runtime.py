"""The one executor of actions that are an HTTP request. It does not retry: the engine does."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from flowstudio.plan.model import Json
from flowstudio.providers.errors import BadParamError
from flowstudio.providers.manifest import Action, FieldKind, Manifest
from flowstudio.providers.ports import ActionContext
from flowstudio.providers.request import Upload, build
from flowstudio.providers.response import Reader
from flowstudio.providers.result import ProviderResult

log = logging.getLogger(__name__)


def run(manifest: Manifest, action: Action, context: ActionContext) -> ProviderResult:
    """Performs the action's request. Raises ProviderError."""
    uploads = read_uploads(manifest, action, context.params, context.limits.max_bytes)
    key = context.call.idempotency_key
    request = build(manifest, action, context.params, context.credential, uploads=uploads, idempotency_key=key)
    answer = context.http.send(request, cancel=context.call.cancel, limits=context.limits)
    log.debug("%s.%s answered %d in %.0f ms", manifest.id, action.id, answer.status, answer.elapsed_ms)
    return Reader(manifest, action, answer, datetime.now(UTC)).result()


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
            if file.stat().st_size > max_bytes:
                sentence = f"{where} is larger than {max_bytes / 1024 / 1024:.3g} MB."
                raise BadParamError(sentence, fix="Send a smaller file.", facts=facts)
            uploads[field.name] = Upload(file.name, file.read_bytes())
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "it has no usable name"
            fix = "Check the path and the rights."
            raise BadParamError(f"{where} cannot be read: {reason}.", fix=fix, facts=facts) from error
    return uploads
