"""The AWS services that are not ours, answered by moto on the same address.

moto keeps their state in memory: it is gone when the server ends.
"""

from typing import Any, cast

from starlette.types import ASGIApp

__all__ = ["other_services"]

_WORKERS = 10


def other_services() -> ASGIApp:
    """Return moto's server as an ASGI application. Importing it takes about a second."""
    from a2wsgi import WSGIMiddleware
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    wsgi: Any = DomainDispatcherApplication(create_backend_app)
    return cast(ASGIApp, WSGIMiddleware(wsgi, workers=_WORKERS))
