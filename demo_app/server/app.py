"""The server as an ASGI application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware

from demo_app.server.answers import EXCEPTION_HANDLERS
from demo_app.server.faults import FaultyMiddleware
from demo_app.server.routes import routes

if TYPE_CHECKING:
    from demo_app.server.faults import Faults
    from demo_app.server.store import Store


def create_app(store: Store, faults: Faults, *, control: bool = False) -> Starlette:
    """Make the application.

    Parameters
    ----------
    store
        The people; closed by whoever opened it, after the application has ended.
    faults
        How slow and unreliable to be.
    control
        Whether ``/control`` lets a client change the faults.
    """
    app = Starlette(
        routes=routes(control=control),
        middleware=[Middleware(FaultyMiddleware, faults)],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    app.state.store = store
    app.state.faults = faults
    return app
