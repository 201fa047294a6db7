"""Services: the bundle app.py builds and every face receives."""

from collections.abc import Callable
from dataclasses import dataclass

from flowstudio.bus import Bus
from flowstudio.providers.registry import Registry
from flowstudio.settings import Settings
from flowstudio.workspace.breakpoints import Breakpoints
from flowstudio.workspace.credentials import Credentials
from flowstudio.workspace.editing import Editing
from flowstudio.workspace.exports import Exports
from flowstudio.workspace.history import History
from flowstudio.workspace.history_space import HistorySpace
from flowstudio.workspace.integration_trial import IntegrationTrials
from flowstudio.workspace.integrations import Integrations
from flowstudio.workspace.plans import Plans
from flowstudio.workspace.public_address import PublicAddress
from flowstudio.workspace.reruns import Reruns
from flowstudio.workspace.resumption import Resumption
from flowstudio.workspace.runs import Runs
from flowstudio.workspace.schedules import Schedules
from flowstudio.workspace.tokens import Tokens
from flowstudio.workspace.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class Services:
    """catalogue: user id -> what that user's steps can call (the catalogue and the user's own integrations).

    health: part name ("database", "scheduler", "journal") -> what is wrong with it, "" if nothing; quick, never raises.
    """

    plans: Plans
    runs: Runs
    breakpoints: Breakpoints
    reruns: Reruns
    credentials: Credentials
    schedules: Schedules
    webhooks: Webhooks
    resumption: Resumption
    address: PublicAddress
    integrations: Integrations
    trials: IntegrationTrials
    history: History
    history_space: HistorySpace
    exports: Exports
    editing: Editing
    tokens: Tokens
    catalogue: Callable[[str], Registry]
    health: Callable[[], dict[str, str]]
    bus: Bus
    settings: Settings

    def registry(self, user_id: str) -> Registry:
        return self.catalogue(user_id)
