"""The settings that every part of the server shares."""

from dataclasses import dataclass
from pathlib import Path

from polyclinic.base.config import Bounds, setting


@dataclass(frozen=True)
class Settings:
    """Where the data lies, where to listen, and the limits that keep the server standing."""

    data: Path = setting(
        Path("var"), "Directory for everything that the server keeps on this machine."
    )
    database_url: str | None = setting(
        None,
        "PostgreSQL URL of the role that serves; without it an embedded server is started.",
        secret=True,
    )
    migrate_url: str | None = setting(
        None, "PostgreSQL URL of the role that owns the tables and migrates them.", secret=True
    )
    pg_bin: Path | None = setting(
        None, "Directory of the PostgreSQL programs for the embedded server, instead of the wheel."
    )
    key_file: Path | None = setting(
        None, "File of the key that wraps all others; without it one is made below the data."
    )
    kms_url: str | None = setting(
        None,
        "Address of a key management service like Vault's transit engine that wraps the key file.",
    )
    kms_key: str | None = setting(None, "Name of the service's key that wraps the key file.")
    kms_token: str | None = setting(
        None, "Token that the key management service asks for.", secret=True
    )
    public_url: str | None = setting(
        None, "Address that clients reach the server by, when a proxy stands before it."
    )
    host: str = setting("127.0.0.1", "Address to listen on.")
    port: int = setting(8080, "Port to listen on, for HTTP.", name="PORT", bounds=Bounds(0, 65535))
    workers: int = setting(1, "Number of server processes to run.", bounds=Bounds(1, 256))
    log_level: str = setting("info", "Least level that is logged: debug, info, warning or error.")
    pool_min: int = setting(
        1, "Database connections that each process keeps open.", bounds=Bounds(0, 1000)
    )
    pool_max: int = setting(
        16, "Database connections that each process opens at most.", bounds=Bounds(1, 1000)
    )
    acquire_timeout: float = setting(
        5.0,
        "Seconds that a request waits for a database connection before it is answered with 503.",
        bounds=Bounds(0.001, 600),
    )
    statement_timeout: float = setting(
        30.0, "Seconds after which a statement is cancelled.", bounds=Bounds(0.001, 86400)
    )
    search_cost: float = setting(
        2_000_000.0,
        "Cost, in the database planner's units, above which a search is refused before it runs.",
        bounds=Bounds(1, 10**15),
    )
    max_body: int = setting(
        16 * 1024 * 1024, "Bytes that a request's body may have.", bounds=Bounds(1024, 2**31)
    )
    max_in_flight: int = setting(
        256, "Requests that each process works on at once.", bounds=Bounds(1, 100_000)
    )
    request_timeout: float = setting(
        60.0,
        "Seconds that a request may be worked on before it is given up with 503.",
        bounds=Bounds(0.01, 3600),
    )
    rate_limit: int = setting(
        30_000,
        "Requests that an account may make in a minute, over all processes; 0: any number.",
        bounds=Bounds(0, 10**9),
    )
    idempotency_hours: int = setting(
        24, "Hours that an answer is kept for a retry with its key.", bounds=Bounds(1, 24 * 365)
    )
    conditional_delete: int = setting(
        1,
        "Resources that one deletion by a condition may remove; more are refused with 412.",
        bounds=Bounds(1, 1000),
    )
    max_open_tenants: int = setting(
        100,
        "Organizations whose keys and sign-ins each process keeps at hand.",
        bounds=Bounds(1, 100_000),
    )
    max_streams: int = setting(
        256, "Change feeds that each process sends at once.", bounds=Bounds(1, 100_000)
    )
    job_concurrency: int = setting(
        2, "Jobs that each process runs at once.", bounds=Bounds(0, 1000)
    )
    egress_allow: str = setting(
        "",
        "Servers that requests may be sent to, as host or host:port with commas; else none are.",
    )
    egress_networks: str = setting(
        "", "Private networks that such a server may lie in, for example 10.20.0.0/16."
    )
    egress_ca_file: Path | None = setting(
        None, "PEM file of certificate authorities that are trusted besides the system's."
    )
    egress_timeout: float = setting(
        60.0, "Seconds that another server's answer may take.", bounds=Bounds(0.001, 3600)
    )
    egress_max_answer: int = setting(
        16 * 1024 * 1024,
        "Bytes that another server's answer may have.",
        bounds=Bounds(1024, 2**31),
    )
    blob_max: int = setting(
        1024 * 1024 * 1024, "Bytes that one attachment may have.", bounds=Bounds(1, 2**40)
    )
    blob_quota: int = setting(
        100 * 1024 * 1024 * 1024,
        "Bytes that the attachments of one organization may have together.",
        bounds=Bounds(0, 2**60),
    )
    blob_s3_url: str | None = setting(
        None,
        "Address of an S3 service with a bucket, https://host/bucket, to keep attachments in.",
    )
    blob_s3_region: str = setting("us-east-1", "Region that requests to the S3 service name.")
    blob_s3_access_key: str | None = setting(None, "Access key of the S3 service.", secret=True)
    blob_s3_secret_key: str | None = setting(None, "Secret key of the S3 service.", secret=True)
