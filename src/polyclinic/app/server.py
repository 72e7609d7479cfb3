"""Run the server processes."""

import os
from typing import Final

import uvicorn

from polyclinic.base.db.database import Database
from polyclinic.base.settings import Settings

_GRACE_SECONDS: Final = 10
_KEEP_ALIVE_SECONDS: Final = 75


def run(settings: Settings, database: Database) -> int:
    """Serve until SIGINT or SIGTERM; requests that are being answered are finished.

    ``database`` is held open by the caller, so that an embedded server outlives every worker.
    """
    del database
    for name, value in _environment(settings).items():
        os.environ[name] = value  # noqa: TID251 - what the server processes read
    uvicorn.run(
        "polyclinic.app.http:create",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers if settings.workers > 1 else None,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    return 0


def _environment(settings: Settings) -> dict[str, str]:
    """Return what the command line changed, for the processes that read it again."""
    return {
        "POLYCLINIC_DATA": str(settings.data),
        "POLYCLINIC_JOB_CONCURRENCY": str(settings.job_concurrency),
    }
