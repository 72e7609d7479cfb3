"""Run the server processes."""

import os
import socket
from typing import Final

import uvicorn
from uvicorn.supervisors import Multiprocess

from polyclinic.app.one_write import OneWrite
from polyclinic.base.settings import Settings

_GRACE_SECONDS: Final = 10
_KEEP_ALIVE_SECONDS: Final = 75
_BACKLOG: Final = 2048


class CannotListen(Exception):
    """The address cannot be listened on; the text is one line."""


def listen(settings: Settings) -> socket.socket:
    """Take the address before anything is started. Raise ``CannotListen`` when that fails."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((settings.host, settings.port))
        taken.listen(_BACKLOG)
    except OSError as error:
        taken.close()
        message = (
            f"cannot listen on {settings.host}:{settings.port} ({error.strerror}); stop what "
            "listens there, or choose another port with --port"
        )
        raise CannotListen(message) from None
    taken.set_inheritable(True)
    return taken


def run(settings: Settings, listening: socket.socket) -> int:
    """Serve until SIGINT or SIGTERM; requests that are being answered are finished.

    The caller holds the database open, so that an embedded server outlives every worker.
    """
    for name, value in _environment(settings).items():
        os.environ[name] = value  # noqa: TID251 - what the server processes read
    config = uvicorn.Config(
        "polyclinic.app.http:create",
        factory=True,
        workers=settings.workers,
        loop="uvloop",
        http=OneWrite,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    if settings.workers > 1:
        Multiprocess(config, sockets=[listening]).run()
        return 0
    server = uvicorn.Server(config)
    server.run(sockets=[listening])
    return 0 if server.started else 1


def _environment(settings: Settings) -> dict[str, str]:
    """Return what the command line changed, for the processes that read it again."""
    return {
        "POLYCLINIC_DATA": str(settings.data),
        "POLYCLINIC_JOB_CONCURRENCY": str(settings.job_concurrency),
    }
