"""Network: sends HTTP requests with limits that hold, and ends them within milliseconds when told to."""

import logging
import os
import re
import ssl
import sys
import time
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies, select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from flowstudio.providers.errors import (
    ActionTimeoutError,
    BadAnswerError,
    BadParamError,
    ConnectionFailedError,
    ProviderError,
)
from flowstudio.providers.ports import Cancel, HttpAnswer, HttpCall, Limits
from flowstudio.providers.sockets import Deadlines, Watch, Wire, connect

USER_AGENT: Final = "FlowStudio/0.1"
MAX_REDIRECTS: Final = 10

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})
_CARRIED: Final = frozenset({"accept", "accept-language", "content-type", "user-agent"})
"""Headers that may follow a redirect to another host: all others may hold a credential."""

_CHUNK: Final = 64 * 1024

_PROXY_VARIABLES: Final = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")

_watch: ContextVar[Watch] = ContextVar("watch")
"""The call this thread is making, for the connections below urllib3's pools."""


class _Watched(HTTPConnection):
    """A connection whose socket the running call can cut."""

    _wire: Wire | None = None

    def _new_conn(self) -> Any:
        limit = self.timeout if isinstance(self.timeout, int | float) else 10.0
        sock, self._wire = connect(self._dns_host, self.port, _watch.get(), limit)
        return sock

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self._wire is not None:
            _watch.get().claim(self._wire)
        super().request(*args, **kwargs)

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None
        super().close()


class _WatchedTls(_Watched, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched

    def _put_conn(self, conn: Any) -> None:
        _let_go(conn)
        super()._put_conn(conn)


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls

    def _put_conn(self, conn: Any) -> None:
        _let_go(conn)
        super()._put_conn(conn)


def _let_go(conn: Any) -> None:
    """Before another call can take the connection, this one must lose the right to cut it."""
    wire = getattr(conn, "_wire", None)
    watch = _watch.get(None)
    if wire is not None and watch is not None:
        watch.release(wire)


class _Adapter(HTTPAdapter):
    """requests' adapter over pools of watched connections."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager


class Network:
    """Implements HttpSender. Thread-safe; connections are kept per host, cookies never.

    Proxies and certificate bundles come from the environment as requests reads it; .netrc is not read.
    """

    def __init__(self, *, hosts: int = 64, connections_per_host: int = 16) -> None:
        self._adapter = _Adapter(pool_connections=hosts, pool_maxsize=connections_per_host)
        self._deadlines = Deadlines()
        # At DEBUG urllib3 writes whole addresses, with the secrets that stand in some of them.
        logging.getLogger("urllib3").setLevel(logging.INFO)

    def close(self) -> None:
        self._adapter.close()
        self._deadlines.close()

    def watch(self, cancel: Cancel, total_s: float) -> Watch:
        """A watch of this network's clock, for coded actions that open sockets themselves."""
        return Watch(cancel, total_s, self._deadlines)

    def send(self, call: HttpCall, *, cancel: Cancel, limits: Limits) -> HttpAnswer:
        started = time.monotonic()
        with self.watch(cancel, limits.total_s) as watch:
            before = _watch.set(watch)
            hops: list[HttpAnswer] = []
            try:
                for _ in range(MAX_REDIRECTS + 1):
                    answer, target = self._exchange(call, watch, limits, started)
                    if target is None:
                        return replace(answer, hops=tuple(hops)) if hops else answer
                    hops.append(answer)
                    call = redirected(call, answer.status, target)
            finally:
                _watch.reset(before)
        sentence = f"{_host(call.url)} redirected more than {MAX_REDIRECTS} times."
        raise BadAnswerError(sentence, fix="Check the address.")

    def _exchange(self, call: HttpCall, watch: Watch, limits: Limits, started: float) -> tuple[HttpAnswer, str | None]:
        """One request and its whole answer; the second value is where it redirects to."""
        host = _host(call.url)
        if cut := watch.fault(host):
            raise cut
        prepared = _prepared(call)
        asked = time.monotonic()
        try:
            with self._open(prepared, watch, limits) as response:
                wait_ms = (time.monotonic() - asked) * 1000
                content = _content(response, watch, limits, host)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise watch.fault(host) or _fault(host, error, limits) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        elapsed_ms = (time.monotonic() - started) * 1000
        url, sent = str(prepared.url), HttpCall(call.method, str(prepared.url), prepared.headers, (), call.body)
        answer = HttpAnswer(response.status_code, headers, content, url, elapsed_ms, wait_ms, sent)
        target = headers.get("location") if response.status_code in _REDIRECTS else None
        return answer, urljoin(str(prepared.url), target) if target else None

    def _open(self, prepared: requests.PreparedRequest, watch: Watch, limits: Limits) -> requests.Response:
        proxies = _proxies(str(prepared.url))
        bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        times = (min(limits.connect_s, watch.remaining_s), min(limits.read_s, watch.remaining_s))
        return self._adapter.send(prepared, stream=True, timeout=times, verify=bundle, proxies=proxies)


def _proxies(url: str) -> dict[str, str]:
    """What the environment, or the system's settings where there are some, wants this address to go through."""
    if sys.platform == "linux" and not any(name in os.environ for name in _PROXY_VARIABLES):
        return {}  # requests would look through the whole environment, twice: a fifth of a short call
    proxies = get_environ_proxies(url)
    return proxies if select_proxy(url, proxies) else {}


def redirected(call: HttpCall, status: int, target: str) -> HttpCall:
    """The request that follows a redirect; RFC 9110, 15.4. Raises BadAnswerError for an address that is not HTTP.

    Another host gets no header that may hold a credential, and no request goes from https to http with one.
    """
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadAnswerError(
            f"{_host(call.url)} redirected to something that is no web address.", fix="Check the address."
        )
    same = _is_same_place(call.url, target)
    headers = {name: value for name, value in call.headers.items() if same or name.lower() in _CARRIED}
    becomes_get = (status == 303 and call.method != "HEAD") or (status in (301, 302) and call.method == "POST")
    if not becomes_get:
        return HttpCall(call.method, target, headers, (), call.body)
    return HttpCall("GET", target, {k: v for k, v in headers.items() if k.lower() != "content-type"})


def _is_same_place(old: str, new: str) -> bool:
    """Same scheme, host and port; http to https on the default ports counts as the same."""
    one, two = urlsplit(old), urlsplit(new)
    if one.hostname != two.hostname:
        return False
    ports = {"http": 80, "https": 443}
    places = [(each.scheme, each.port or ports.get(each.scheme)) for each in (one, two)]
    return places[0] == places[1] or places == [("http", 80), ("https", 443)]


def _prepared(call: HttpCall) -> requests.PreparedRequest:
    """The request with its size as it is: a length that a plan claims would leave the server waiting for the rest."""
    own = {name: value for name, value in call.headers.items() if name.lower() not in _FRAMING}
    headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate", "Accept": "*/*", **own}
    try:
        return requests.Request(call.method, full_url(call), headers=headers, data=call.body).prepare()
    except (requests.RequestException, UnicodeError, ValueError) as error:
        sentence = f"The request to {_host(call.url)} cannot be sent: its address or a header is not valid."
        raise BadParamError(sentence, fix="Check the address and the headers.") from error


def as_sent(call: HttpCall) -> HttpCall:
    """The call with its whole address and all headers, as `send` sends it. Raises BadParamError."""
    prepared = _prepared(call)
    return HttpCall(str(prepared.method), str(prepared.url), dict(prepared.headers.items()), (), call.body)


def full_url(call: HttpCall) -> str:
    """The address with the call's query after the one it has."""
    if not call.query:
        return call.url
    parts = urlsplit(call.url)
    query = "&".join(part for part in (parts.query, urlencode(call.query)) if part)
    return urlunsplit(parts._replace(query=query))


def _content(response: requests.Response, watch: Watch, limits: Limits, host: str) -> bytes:
    """The whole body, decoded; stops at max_bytes. A cut without a fault looks like an end, so ask the watch."""
    announced = response.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limits.max_bytes:
        raise _too_large(host, limits)
    chunks, size = [], 0
    for chunk in response.raw.stream(_CHUNK, decode_content=True):
        size += len(chunk)
        if size > limits.max_bytes:
            raise _too_large(host, limits)
        chunks.append(chunk)
    if cut := watch.fault(host):
        raise cut
    return b"".join(chunks)


def _too_large(host: str, limits: Limits) -> BadAnswerError:
    sentence = f"The answer of {host} is larger than {limits.max_bytes / 1024 / 1024:.3g} MB."
    return BadAnswerError(sentence, fix="Ask for less at once.")


def _host(url: str) -> str:
    """What an error may show of an address: paths and queries can hold secrets."""
    try:
        return urlsplit(url).hostname or "the server"
    except ValueError:
        return "the server"


def _fault(host: str, error: Exception, limits: Limits) -> ProviderError:
    """urllib3's and requests' exceptions as ours; their texts hold addresses, so none is passed on."""
    causes = _causes(error)
    if certificate := _first(causes, ssl.SSLCertVerificationError):
        return _untrusted(host, certificate)
    if any(
        isinstance(each, ssl.SSLError | urllib3.exceptions.SSLError | requests.exceptions.SSLError) for each in causes
    ):
        sentence = f"{host} does not speak TLS as expected."
        return ConnectionFailedError(sentence, fix="Check that the address begins with the right http:// or https://.")
    if any(isinstance(each, TimeoutError | urllib3.exceptions.TimeoutError | requests.Timeout) for each in causes):
        waited_s = limits.connect_s if "handshake" in str(error) else limits.read_s
        sentence = f"{host} sent nothing for {waited_s:g} s."
        return ActionTimeoutError(sentence, fix="Try again, or raise the step's time limit.")
    if any(isinstance(each, urllib3.exceptions.ProxyError | requests.exceptions.ProxyError) for each in causes):
        sentence = f"The proxy did not connect to {host}."
        return ConnectionFailedError(sentence, fix="Check the proxy settings of this computer.")
    if any(isinstance(each, urllib3.exceptions.DecodeError) for each in causes):
        return BadAnswerError(f"The answer of {host} is compressed in a way that cannot be read.", fix="Try again.")
    if any(isinstance(each, urllib3.exceptions.LocationParseError | requests.exceptions.InvalidURL) for each in causes):
        return BadParamError(f"The address of {host} is not valid.", fix="Check the address in the step.")
    sentence = f"{host} closed the connection before its answer was complete."
    return ConnectionFailedError(sentence, fix="Try again.")


def _untrusted(host: str, error: ssl.SSLCertVerificationError) -> ConnectionFailedError:
    reason = re.sub(r"\s+", " ", error.verify_message or "it cannot be verified").rstrip(".")
    sentence = f"The TLS certificate of {host} is not trusted: {reason}."
    return ConnectionFailedError(sentence, fix="Check the address; ask the server's owner.", retryable=False)


def _first(
    causes: list[BaseException], kind: type[ssl.SSLCertVerificationError]
) -> ssl.SSLCertVerificationError | None:
    return next((each for each in causes if isinstance(each, kind)), None)


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what lies behind it: causes, contexts, urllib3's `reason` and wrapped arguments."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and each not in found:
            found.append(each)
            waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
    return found
