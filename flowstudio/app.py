"""The composition root: the only module that constructs concrete classes and joins them."""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flowstudio import paths
from flowstudio.bus import Bus
from flowstudio.engine.engine import Engine
from flowstudio.engine.limits import EngineLimits
from flowstudio.providers.coded.table import CODED
from flowstudio.providers.dispatch import Dispatcher
from flowstudio.providers.loader import load_catalog
from flowstudio.providers.network import Network
from flowstudio.providers.registry import Registry
from flowstudio.scheduling.scheduler import Scheduler
from flowstudio.settings import Settings
from flowstudio.storage.credential_store import SqlCredentialStore
from flowstudio.storage.database import Database, open_database
from flowstudio.storage.edit_journal import SqlEditJournal
from flowstudio.storage.integration_store import SqlIntegrationStore
from flowstudio.storage.plan_store import SqlPlanStore
from flowstudio.storage.run_store import SqlRunStore
from flowstudio.storage.schedule_store import SqlScheduleStore
from flowstudio.vault.keys import find_key
from flowstudio.vault.redact import Redactor
from flowstudio.vault.vault import Vault
from flowstudio.workspace.catalogue import Catalogue
from flowstudio.workspace.credentials import Credentials
from flowstudio.workspace.editing import Editing
from flowstudio.workspace.errors import ReadOnlyError
from flowstudio.workspace.history import History
from flowstudio.workspace.integration_trial import IntegrationTrials
from flowstudio.workspace.integrations import Integrations, IntegrationsChanged
from flowstudio.workspace.log_file import LogFile
from flowstudio.workspace.plans import Plans
from flowstudio.workspace.presence import Presence
from flowstudio.workspace.runs import Runs
from flowstudio.workspace.schedules import ScheduledStart, Schedules
from flowstudio.workspace.services import Services
from flowstudio.workspace.tokens import Tokens
from flowstudio.workspace.webhooks import Webhooks

if TYPE_CHECKING:
    from flowstudio.server.host import Host, ServerInfo

log = logging.getLogger(__name__)


class SystemClock:
    """engine.ports.Clock over the machine's own."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class _Parts:
    """What Application starts and stops beside the services."""

    engine: Engine
    scheduler: Scheduler
    is_alone: bool


class Application:
    """Services and the threads behind them. close() ends everything in order; use it from one thread."""

    def __init__(self, services: Services, parts: _Parts, warnings: tuple[str, ...], closing: ExitStack) -> None:
        self.services = services
        self.warnings = warnings
        """Sentences the user should see once: an unsafe key file, a manifest that was skipped."""
        self._parts = parts
        self._closing = closing
        self._host: Host | None = None
        self._is_started = False

    def start(self) -> int:
        """Takes up what a crash left and lets the clock start runs; returns how many runs go on.

        Runs are left alone while another process works on the same data: they may be its own.
        """
        self._is_started = True
        recovered = self._parts.engine.recover() if self._parts.is_alone else 0
        if not self._parts.is_alone:
            log.info("Another FlowStudio works on this data; unfinished runs are left to it")
        self.services.schedules.register_all()
        self._parts.scheduler.start()
        return recovered

    def serve(self, host: str | None = None, port: int | None = None) -> "ServerInfo":
        """Starts the API server and says where it listens. Raises HostError."""
        from flowstudio.server.access import Access
        from flowstudio.server.factory import create_app
        from flowstudio.server.host import Host

        self.stop_server()
        services, settings = self.services, self.services.settings
        self._host = Host()
        return self._host.start(
            host or settings.host,
            settings.port if port is None else port,
            lambda bound: create_app(services, Access.of(settings, bound, services.tokens.user_of)),
            settings.max_body_bytes,
        )

    def stop_server(self) -> None:
        if self._host is not None:
            self._host.stop()
            self._host = None

    def close(self) -> None:
        """Server first, then clock, runs, database. Runs under way stay in the journal and go on at the next start."""
        self.stop_server()
        self._closing.close()


def build(settings: Settings) -> Application:
    """An application on the settings' data folder. Raises the StorageError family, VaultError.

    Nothing recovers or fires by itself before start(): a short-lived command must not take up others' runs.
    """
    with ExitStack() as closing:
        database = _database(settings)
        closing.callback(database.close)
        is_alone = _enter(settings, closing)
        found = find_key(settings)
        redactor = Redactor()
        log_file = LogFile(paths.log_dir(settings.data_dir), redactor.text)
        closing.callback(log_file.close)
        clock, bus = SystemClock(), Bus()
        shipped = shipped_registry()
        integrations = Integrations(SqlIntegrationStore(database), clock, bus.publish)
        catalogue = Catalogue(shipped, integrations.manifests)
        bus.subscribe(_forget_changed(catalogue))
        vault = Vault(SqlCredentialStore(database), found.key)
        network = Network()
        closing.callback(network.close)
        runs_store, plans_store = SqlRunStore(database), SqlPlanStore(database)
        invoker = Dispatcher(catalogue, vault, network, CODED)
        engine = Engine(runs_store, invoker, shipped, bus.publish, clock, EngineLimits(threads=settings.threads))
        engine.start()
        closing.callback(engine.close)
        runs = Runs(engine, runs_store, catalogue, clock)
        scheduler = Scheduler(SqlScheduleStore(database), ScheduledStart(plans_store, runs), clock)
        closing.callback(scheduler.close)
        schedules = Schedules(scheduler, plans_store, clock)
        credentials = Credentials(vault, catalogue, clock)
        services = Services(
            plans=Plans(plans_store, schedules, credentials, catalogue, clock, bus.publish),
            runs=runs,
            credentials=credentials,
            schedules=schedules,
            webhooks=Webhooks(plans_store, runs),
            integrations=integrations,
            trials=IntegrationTrials(network, vault),
            history=History(runs_store),
            editing=Editing(SqlEditJournal(database), bus.publish),
            tokens=Tokens(settings.data_dir / "tokens.json"),
            catalogue=catalogue,
            health=lambda: {"database": database.health(), "scheduler": scheduler.is_running},
            bus=bus,
            settings=settings,
        )
        warnings = tuple(filter(None, (found.warning, *(str(each) for each in shipped.problems))))
        return Application(services, _Parts(engine, scheduler, is_alone), warnings, closing.pop_all())


def catalogue(settings: Settings, user_id: str) -> Registry:
    """What a user's steps can call. Reads the database only for own integrations, and only when there is one."""
    shipped = shipped_registry()
    if not settings.database_url and not paths.database_file(settings.data_dir).exists():
        return shipped
    database = _database(settings)
    try:
        integrations = Integrations(SqlIntegrationStore(database), SystemClock(), Bus().publish)
        return Catalogue(shipped, integrations.manifests)(user_id)
    finally:
        database.close()


def run_desktop(settings: Settings) -> int:
    """Opens the window; returns its exit code. The one place that needs Qt."""
    from flowstudio.ui.application import run

    application = build(settings)
    try:
        return run(application)
    finally:
        application.close()


def shipped_registry() -> Registry:
    """The catalogue's manifests; broken ones are left out and listed in `problems`."""
    manifests, problems = load_catalog(paths.catalog())
    for problem in problems:
        log.warning("A manifest is skipped: %s", problem)
    return Registry(manifests, problems)


def _database(settings: Settings) -> Database:
    return open_database(settings)


def _enter(settings: Settings, closing: ExitStack) -> bool:
    """Shows this process to others on the same data folder; whether it is alone."""
    presence = Presence(settings.data_dir / "processes")
    try:
        is_alone = presence.enter()
    except OSError as error:
        raise ReadOnlyError(
            f"The data folder {settings.data_dir} cannot be written to: {error.strerror}.",
            fix="Change its permissions, or choose another with FLOWSTUDIO_DATA_DIR.",
        ) from error
    closing.callback(presence.leave)
    return is_alone


def _forget_changed(catalogue: Catalogue) -> Callable[[object], None]:
    def on_event(event: object) -> None:
        if isinstance(event, IntegrationsChanged):
            catalogue.forget(event.user_id)

    return on_event
