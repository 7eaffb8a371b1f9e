from __future__ import annotations

import socket

import pytest

from demo_app.server.errors import StartError
from demo_app.server.listening import listen, url_of

pytestmark = pytest.mark.realtime


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_the_address_is_one_that_a_client_can_connect_to(host: str) -> None:
    try:
        listener = listen(host, 0)
    except StartError:
        if host != "::1":
            raise
        pytest.skip("this machine has no IPv6")
    with listener:
        name, _, port = url_of(listener).removeprefix("http://").rpartition(":")
        with socket.create_connection((name.strip("[]"), int(port)), timeout=5):
            pass


def test_an_ipv6_address_is_put_in_brackets() -> None:
    with listen("127.0.0.1", 0) as listener:
        assert url_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        listener = listen("::1", 0)
    except StartError:
        pytest.skip("this machine has no IPv6")
    with listener:
        assert url_of(listener).startswith("http://[::1]:")


def test_a_port_is_taken_at_once_and_given_back_at_the_end() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(StartError, match=f"port {port} of 127.0.0.1 is in use"):
            listen("127.0.0.1", port)
    listen("127.0.0.1", port).close()


def test_asyncio_sees_that_it_is_tcp_and_sends_answers_without_delay() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.proto == socket.IPPROTO_TCP
