"""The embedded server's configuration, written anew at each start.

It lies outside the cluster and includes the cluster's own file, so that ``ALTER SYSTEM`` still
overrides every line (an option on the command line could not be overridden). Not set here:
``fsync``, ``full_page_writes`` and ``synchronous_commit``, whose defaults keep every
acknowledged write.
"""

from collections.abc import Mapping
from typing import Final

from polyclinic.base.db.embedded.place import Place

_BASE: Final = {
    "shared_buffers": "256MB",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "pglz",
    "random_page_cost": "1.1",
    "jit": "off",
    "log_lock_waits": "on",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "idle_in_transaction_session_timeout": "60s",
    "password_encryption": "scram-sha-256",
    # A statement's text may hold a person's data; the error's code and place are enough.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
}
_SCRATCH: Final = {  # for clusters that are thrown away
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "autovacuum_naptime": "10min",
    # In the cluster's directory, so that what a killed server leaves goes with it.
    "dynamic_shared_memory_type": "mmap",
}
_WAL_SUMMARIES_SINCE: Final = 17


def render(place: Place, major: int, extra: Mapping[str, str], *, scratch: bool) -> str:
    """Return the text of the configuration file."""
    values = _BASE | (_SCRATCH if scratch else {})
    if major >= _WAL_SUMMARIES_SINCE and not scratch:
        values["summarize_wal"] = "on"
    values |= {
        "listen_addresses": "",
        "unix_socket_directories": str(place.sockets),
        "unix_socket_permissions": "0700",
        **extra,
    }
    lines = [f"include = {_quoted(str(place.cluster / 'postgresql.conf'))}"]
    lines += [f"{name} = {_quoted(value)}" for name, value in values.items()]
    return "# Written at each start; change a value with ALTER SYSTEM.\n" + "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
