"""A network that is loaded with its first request: requests takes a tenth of a start, and many starts send nothing."""

from threading import Lock
from typing import TYPE_CHECKING

from flowstudio.providers.ports import Cancel, HttpAnswer, HttpCall, Limits

if TYPE_CHECKING:
    from flowstudio.providers.network import Network


class LateNetwork:
    """Implements HttpSender as its Network does. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._network: Network | None = None

    def send(self, call: HttpCall, *, cancel: Cancel, limits: Limits) -> HttpAnswer:
        return self._loaded().send(call, cancel=cancel, limits=limits)

    def close(self) -> None:
        with self._lock:
            if self._network is not None:
                self._network.close()

    def _loaded(self) -> "Network":
        with self._lock:
            if self._network is None:
                from flowstudio.providers.network import Network

                self._network = Network()
            return self._network
