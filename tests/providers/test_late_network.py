"""The network that is loaded with its first request."""

from pytest_httpserver import HTTPServer

from flowstudio.engine.cancel import CancelToken
from flowstudio.providers.late_network import LateNetwork
from flowstudio.providers.ports import HttpCall, Limits


def test_it_sends_as_the_network_does(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("hello")
    network = LateNetwork()
    answer = network.send(HttpCall("GET", httpserver.url_for("/")), cancel=CancelToken(), limits=Limits())
    network.close()
    assert answer.content == b"hello"


def test_closing_one_that_sent_nothing_loads_nothing() -> None:
    LateNetwork().close()
