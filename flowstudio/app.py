"""The composition root: the only module that constructs concrete classes and joins them."""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from flowstudio import __version__, paths
from flowstudio.bus import Bus
from flowstudio.engine.engine import Engine
from flowstudio.engine.limits import EngineLimits
from flowstudio.providers.coded.table import CODED
from flowstudio.providers.dispatch import Dispatcher
from flowstudio.providers.late_network import LateNetwork
from flowstudio.providers.loader import load_catalog
from flowstudio.providers.registry import Registry
from flowstudio.scheduling.scheduler import Scheduler
from flowstudio.settings import Settings
from flowstudio.storage.credential_store import SqlCredentialStore
from flowstudio.storage.database import Database, open_database
from flowstudio.storage.edit_journal import SqlEditJournal
from flowstudio.storage.integration_store import SqlIntegrationStore
from flowstudio.storage.payload_store import PayloadFiles, payload_files
from flowstudio.storage.payload_uses import PayloadCollection
from flowstudio.storage.plan_store import SqlPlanStore
from flowstudio.storage.retention import Retention
from flowstudio.storage.run_store import SqlRunStore
from flowstudio.storage.schedule_store import SqlScheduleStore
from flowstudio.storage.space import make_shrinkable
from flowstudio.vault.keys import find_key
from flowstudio.vault.redact import Redactor
from flowstudio.vault.vault import Vault
from flowstudio.workspace.breakpoints import Breakpoints
from flowstudio.workspace.catalogue import Catalogue
from flowstudio.workspace.credentials import Credentials
from flowstudio.workspace.editing import Editing
from flowstudio.workspace.errors import ReadOnlyError
from flowstudio.workspace.exports import Exports
from flowstudio.workspace.history import History
from flowstudio.workspace.history_space import HistoryLimits
from flowstudio.workspace.housekeeping import Housekeeping
from flowstudio.workspace.integration_trial import IntegrationTrials
from flowstudio.workspace.integrations import Integrations, IntegrationsChanged
from flowstudio.workspace.live_plans import LivePlans
from flowstudio.workspace.log_file import LogFile
from flowstudio.workspace.plan_check import PlanCheck, RunnablePlans
from flowstudio.workspace.plans import PlanDeleted, Plans, PlanStored
from flowstudio.workspace.presence import Presence
from flowstudio.workspace.public_address import PublicAddress
from flowstudio.workspace.reruns import Reruns
from flowstudio.workspace.resumption import Resumption
from flowstudio.workspace.routes import Routes
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
class _Stores:
    """Every table's keeper, on one database."""

    database: Database
    payloads: PayloadFiles
    plans: SqlPlanStore
    runs: SqlRunStore
    edits: SqlEditJournal
    credentials: SqlCredentialStore
    schedules: SqlScheduleStore
    integrations: SqlIntegrationStore

    @classmethod
    def on(cls, database: Database, payloads: PayloadFiles) -> "_Stores":
        return cls(
            database,
            payloads,
            SqlPlanStore(database),
            SqlRunStore(database, payloads),
            SqlEditJournal(database),
            SqlCredentialStore(database),
            SqlScheduleStore(database),
            SqlIntegrationStore(database),
        )


@dataclass(frozen=True, slots=True)
class _Machinery:
    """What acts by itself, beside the services that people call."""

    engine: Engine
    scheduler: Scheduler
    housekeeping: Housekeeping
    presence: Presence


class Application:
    """Services and the threads behind them. close() ends everything in order. For one thread at a time."""

    def __init__(self, services: Services, machinery: _Machinery, closing: ExitStack) -> None:
        self.services = services
        self._machinery = machinery
        self._closing = closing
        self._host: Host | None = None

    def start(self) -> int:
        """Takes up what a crash left and lets the clock start runs; returns how many runs go on.

        Runs are left alone while another process works on the same data: they may be its own. A key that was given but
        does not fit the vault is told now (VaultError), not at the first run that needs it.
        """
        if self.services.settings.encryption_key:
            self.services.credentials.unlock()
        is_alone = self._machinery.presence.is_alone
        recovered = self._machinery.engine.recover() if is_alone else 0
        if not is_alone:
            log.info("Another FlowStudio works on this data; unfinished runs are left to it")
        self.services.schedules.register_all()
        self._machinery.scheduler.start()
        self._machinery.housekeeping.start()
        return recovered

    def serve(self, host: str | None = None, port: int | None = None) -> "ServerInfo":
        """Starts the API server and says where it listens. Raises HostError."""
        from flowstudio.server.access import Access
        from flowstudio.server.factory import create_app
        from flowstudio.server.host import Host

        self.stop_server()
        services, settings = self.services, self.services.settings
        where = host or settings.host
        access = Access.of(settings, where, services.tokens.user_of)
        self._host = Host()
        info = self._host.start(
            where,
            settings.port if port is None else port,
            create_app(services, access),
            settings.max_body_bytes,
        )
        services.address.listens_at(info.address)
        self._machinery.presence.serves_at(info.address)
        log.info("The server listens on %s", info.address)
        if access.policy == settings.auth:
            return info
        forced = f"{where} is not only this computer, so every request needs a token: flowstudio token create."
        return replace(info, message=f"{info.message} {forced}".strip())

    def stop_server(self) -> None:
        if self._host is not None:
            self._machinery.presence.serves_at("")
            self._host.stop()
            self._host = None

    def close(self, timeout_s: float = 5.0) -> None:
        """Server first, then clock, runs, database. Runs under way stay in the journal and go on at the next start.

        Steps at work have timeout_s to come to their end; one that is cut off is done again at the next start. Clients
        that wait for a run hear 202 when the engine lets go of it, so the server's answers outlive the engine.
        """
        if self._host is not None:
            self._host.refuse()
        self._machinery.scheduler.close()
        self._machinery.housekeeping.close()
        self._machinery.engine.close(timeout_s)
        self.stop_server()
        self._closing.close()


def build(settings: Settings) -> Application:
    """An application on the settings' data folder. Raises the StorageError family.

    Nothing recovers or fires by itself before start(): a short-lived command must not take up others' runs.
    """
    with ExitStack() as closing:
        stores = _Stores.on(open_database(settings), payload_files(settings))
        closing.callback(stores.database.close)
        presence = _enter(settings, closing)
        redactor = _open_log(settings, closing)
        log.info("FlowStudio %s works on %s", __version__, settings.data_dir)
        if presence.is_alone:
            make_shrinkable(stores.database)
        clock, bus = SystemClock(), Bus()
        collection = PayloadCollection(stores.database, stores.payloads)
        space = Retention(stores.database, _history_limits(settings), collection.collect, clock)
        integrations = Integrations(stores.integrations, clock, bus.publish)
        catalogue = Catalogue(shipped_registry(), integrations.manifests)
        bus.subscribe(_forgetting(catalogue), IntegrationsChanged)
        vault = Vault(stores.credentials, partial(find_key, settings), redactor=redactor)
        network = LateNetwork()
        closing.callback(network.close)
        invoker = Dispatcher(catalogue, vault, network, CODED)
        live, address, check = LivePlans(stores.plans), PublicAddress(settings), PlanCheck(catalogue)
        surroundings = (EngineLimits(threads=settings.threads), RunnablePlans(live, check), address.to_resume)
        engine = Engine(
            stores.runs, invoker, catalogue, bus.publish, clock, *surroundings, stores.payloads, bus.is_heard
        )
        engine.start()
        closing.callback(engine.close)
        runs = Runs(engine, stores.runs, check, clock)
        scheduler = Scheduler(stores.schedules, ScheduledStart(stores.plans, runs), clock)
        closing.callback(scheduler.close)
        schedules, credentials = Schedules(scheduler, stores.plans), Credentials(vault, catalogue, clock)
        plans = Plans(stores.plans, schedules, credentials, catalogue, clock, bus.publish)
        routes = Routes(stores.plans, clock)
        bus.subscribe(routes.forget, PlanStored, PlanDeleted)
        services = Services(
            plans=plans,
            runs=runs,
            breakpoints=Breakpoints(engine, runs, stores.runs),
            reruns=Reruns(runs, stores.runs, lambda user_id, plan_id: plans.get(user_id, plan_id).plan),
            credentials=credentials,
            schedules=schedules,
            webhooks=Webhooks(routes, live, runs),
            resumption=Resumption(engine, stores.runs.find_by_resume_key),
            address=address,
            integrations=integrations,
            trials=IntegrationTrials(network, vault),
            history=History(stores.runs),
            history_space=space,
            exports=Exports(stores.runs, redactor, clock),
            editing=Editing(stores.edits, bus.publish),
            tokens=Tokens(settings.data_dir / "tokens.json"),
            catalogue=catalogue,
            health=lambda: _health(stores.database, scheduler, engine),
            bus=bus,
            settings=settings,
        )
        return Application(services, _Machinery(engine, scheduler, Housekeeping(space), presence), closing.pop_all())


def catalogue(settings: Settings, user_id: str) -> Registry:
    """What a user's steps can call. Reads the database only for own integrations, and only when there is one."""
    shipped = shipped_registry()
    if not settings.database_url and not paths.database_file(settings.data_dir).exists():
        return shipped
    database = open_database(settings)
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


def _history_limits(settings: Settings) -> HistoryLimits:
    return HistoryLimits(settings.history_max_bytes, settings.history_days, settings.history_runs)


def _open_log(settings: Settings, closing: ExitStack) -> Redactor:
    """Starts the log file; the redactor masks its lines and learns secrets from the vault."""
    redactor = Redactor()
    log_file = LogFile(paths.log_dir(settings.data_dir), redactor.text)
    closing.callback(log_file.close)
    return redactor


def _enter(settings: Settings, closing: ExitStack) -> Presence:
    """Shows this process to others on the same data folder."""
    presence = Presence(settings.data_dir / "processes")
    try:
        presence.enter()
    except OSError as error:
        raise ReadOnlyError(
            f"The data folder {settings.data_dir} cannot be written to: {error.strerror}.",
            fix="Change its permissions, or choose another with FLOWSTUDIO_DATA_DIR.",
        ) from error
    closing.callback(presence.leave)
    return presence


def _health(database: Database, scheduler: Scheduler, engine: Engine) -> dict[str, str]:
    return {
        "database": "" if database.health() else "The database does not answer.",
        "scheduler": "" if scheduler.is_running else "The scheduler does not run.",
        "journal": str(engine.stall or ""),
    }


def _forgetting(catalogue: Catalogue) -> Callable[[object], None]:
    def on_event(event: object) -> None:
        if isinstance(event, IntegrationsChanged):
            catalogue.forget(event.user_id)

    return on_event
