"""Dispatcher: one call of one action, from the plan's params to a result. Implements the engine's ActionInvoker."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final

from flowstudio.errors import FlowStudioError
from flowstudio.plan.model import Json
from flowstudio.providers import runtime
from flowstudio.providers.auth import complete, missing, secrets_of
from flowstudio.providers.errors import ProviderError, UnknownActionError
from flowstudio.providers.exchanges import RecordedSender
from flowstudio.providers.fields import coerce_params, unknown_params
from flowstudio.providers.manifest import Action, AuthKind, Effect, FieldKind, Manifest
from flowstudio.providers.ports import ActionContext, Call, CodedAction, CredentialSource, HttpSender, Limits
from flowstudio.providers.preview import action_shown, request_shown
from flowstudio.providers.ratelimit import CallLimit, limit_of
from flowstudio.providers.redaction import Mask
from flowstudio.providers.registry import Registry
from flowstudio.providers.result import ProviderResult, ResultError, json_facts

LONGEST_SENTENCE: Final = 1000
"""Characters. A sentence that quotes what it was given may have been given a novel."""

_NO_SECRETS: Final[Mapping[str, str]] = {}
_NOTHING_HIDDEN: Final = Mask(())
_USUAL: Final = Limits()


class Dispatcher:
    """Thread-safe. registry gives what a user may call; coded maps (provider id, action id) to functions."""

    def __init__(
        self,
        registry: Callable[[str], Registry],
        credentials: CredentialSource,
        http: HttpSender,
        coded: Mapping[tuple[str, str], CodedAction],
    ) -> None:
        self._registry = registry
        self._credentials = credentials
        self._http = http
        self._coded = coded

    def limit(self, user_id: str, provider: str, credential: str | None) -> CallLimit | None:
        """What the user's calls of a provider with that credential share; None for nothing. Keeping to it is the
        caller's part: it knows who else waits."""
        manifest = self._registry(user_id).provider(provider)
        return limit_of(manifest, user_id, credential) if manifest is not None else None

    def invoke(self, call: Call) -> ProviderResult:
        """Performs the call; expected faults come back as an unsuccessful result, bugs raise. Blocks."""
        return self._answer(call, self._perform, Mask.result)

    def preview(self, call: Call) -> ProviderResult:
        """What `invoke` would send, as the output, with secrets masked; sends nothing.

        A request is {"method", "url", "headers", "body"}, an action that is code {"provider", "action", "params"}.
        What would fail before anything is sent (a wrong param, no credential) fails here, too.
        """
        return self._answer(call, self._show, _hidden)

    def masked(self, call: Call) -> dict[str, Json]:
        """The call's params fit to be shown: the user's own secrets hidden."""
        registry = self._registry(call.user_id)
        manifest, action = registry.provider(call.provider), registry.find(call.provider, call.action)
        secrets: list[str] = []
        if manifest is not None:
            with suppress(FlowStudioError):  # without its credential the step is shown all the same
                secrets += secrets_of(manifest, self._credential(manifest, call))
        if action is not None:
            secrets += _secret_params(action, call.params)
        mask = Mask(secrets)
        return {name: mask.value(value) for name, value in call.params.items()}

    def _answer(
        self,
        call: Call,
        act: Callable[[Manifest, Action, ActionContext], ProviderResult],
        masked: Callable[[Mask, ProviderResult], ProviderResult],
    ) -> ProviderResult:
        mask = _NOTHING_HIDDEN
        try:
            manifest, action = self._look_up(call)
            params = self._params(manifest, action, call)
            credential = self._credential(manifest, call)
            if secrets := (*secrets_of(manifest, credential), *_secret_params(action, params)):
                mask = Mask(secrets)
            result = act(manifest, action, self._context(action, call, params, credential, mask))
        except ProviderError as error:
            result = ProviderResult.failed(error)
        except FlowStudioError as error:
            result = _failed(error)
        return _brief(masked(mask, result))

    def _look_up(self, call: Call) -> tuple[Manifest, Action]:
        registry = self._registry(call.user_id)
        manifest, action = registry.provider(call.provider), registry.find(call.provider, call.action)
        if manifest is not None and action is not None:
            return manifest, action
        what = f"There is no provider “{call.provider}”."
        if manifest is not None:
            what = f"{manifest.title} has no action “{call.action}”."
        fix = registry.suggest(call.provider, call.action) or "Choose another action for this step."
        raise UnknownActionError(what, fix=fix, facts={"provider": call.provider, "action": call.action})

    def _params(self, manifest: Manifest, action: Action, call: Call) -> dict[str, Json]:
        for sentence in unknown_params(action, call.params):
            call.log("warning", sentence)
        return coerce_params(manifest.title, action, call.params)

    def _credential(self, manifest: Manifest, call: Call) -> Mapping[str, str]:
        """The credential the step names, else the user's default one. Raises CredentialMissingError."""
        auth, name = manifest.auth, call.credential
        if auth.kind is AuthKind.NONE or (auth.explicit and name is None):
            return _NO_SECRETS
        for provider in (manifest.id, *manifest.aliases):
            found = self._credentials.fields(call.user_id, provider, name)
            if found is not None:
                return complete(manifest, found, name)
        if auth.is_needed or name is not None:
            raise missing(manifest, name)
        return _NO_SECRETS

    def _context(
        self, action: Action, call: Call, params: Mapping[str, Json], credential: Mapping[str, str], mask: Mask
    ) -> ActionContext:
        total_s = call.timeout_s if call.timeout_s is not None else action.timeout_s
        limits = Limits(read_s=min(_USUAL.read_s, total_s), total_s=total_s)

        def log(level: str, text: str) -> None:
            call.log(level, mask.text(text))

        http = self._http if action.effect is Effect.PURE else RecordedSender(self._http, mask, call.keep)
        return ActionContext(call, params, credential, limits, http, log)

    def _perform(self, manifest: Manifest, action: Action, context: ActionContext) -> ProviderResult:
        if action.request is not None:
            return runtime.run(manifest, action, context)
        coded = self._coded.get((manifest.id, action.id))
        if coded is None:
            sentence = f"{manifest.title}, “{action.title}” cannot be called by itself."
            raise UnknownActionError(sentence, fix="Choose another action for this step.")
        return coded(context)

    def _show(self, manifest: Manifest, action: Action, context: ActionContext) -> ProviderResult:
        if action.request is None:
            return ProviderResult(True, action_shown(manifest, action, context.params))
        request = runtime.request_of(manifest, action, context)
        return ProviderResult(True, request_shown(manifest, context.credential, request))


def _hidden(mask: Mask, result: ProviderResult) -> ProviderResult:
    """Of what is only shown every secret is hidden, however short: nothing works with it."""
    return replace(mask.result(result), output=mask.value(result.output))


def _secret_params(action: Action, params: Mapping[str, Json]) -> list[str]:
    secret = (each.name for each in action.fields if each.kind is FieldKind.SECRET)
    return [value for name in secret if isinstance(value := params.get(name), str) and len(value) >= 4]


def _failed(error: FlowStudioError) -> ProviderResult:
    """A fault of another room, the vault's above all, as a result."""
    reason = ResultError(error.code, error.sentence, error.fix, json_facts(error.facts))
    return ProviderResult(success=False, message=error.sentence, error=reason)


def _brief(result: ProviderResult) -> ProviderResult:
    error = result.error
    if error is None or len(error.sentence) <= LONGEST_SENTENCE:
        return result
    sentence = f"{error.sentence[: LONGEST_SENTENCE - 1]}…"
    return replace(result, message=sentence, error=replace(error, sentence=sentence))
