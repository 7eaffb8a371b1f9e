"""Taking a port, before anything else is done that a second server on it would make useless."""

from __future__ import annotations

import errno
import os
import socket

from demo_app.server.errors import StartError


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket.

    Parameters
    ----------
    host
        A name or address of this machine.
    port
        0 for a free one.

    Raises
    ------
    StartError
        The host is not one of this machine, or the port cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as error:
        raise StartError(f"the host {host!r} is not known: use 127.0.0.1") from error
    # Not socket.create_server(): it leaves the protocol open, and asyncio then leaves Nagle's algorithm on for the
    # connections. Each answer took 44 ms instead of 2, until the client's delayed acknowledgement of its headers.
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere it lets two servers have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        match error.errno:
            case errno.EADDRINUSE:
                reason = f"port {port} of {host} is in use: name another, or --port 0 for a free one"
            case errno.EADDRNOTAVAIL:
                reason = f"{host} is no address of this machine: use 127.0.0.1"
            case errno.EACCES:
                reason = f"port {port} of {host} is reserved: name one above 1023, or --port 0 for a free one"
            case _:
                reason = f"port {port} of {host} cannot be had: {error.strerror}"
        raise StartError(reason) from error
    return listener


def url_of(listener: socket.socket) -> str:
    """Say under which address a listening socket is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
