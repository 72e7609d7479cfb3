"""The storage of an installation, as its settings say."""

from polyclinic.base.blob.local import LocalDisk
from polyclinic.base.blob.s3 import RANGE_BYTES, S3
from polyclinic.base.blob.s3_requests import Bucket
from polyclinic.base.blob.signature import Credentials
from polyclinic.base.blob.storage import BlobStorage
from polyclinic.base.clock import Clock
from polyclinic.base.config import SettingError
from polyclinic.base.egress import http_client
from polyclinic.base.egress.policy import parse_url
from polyclinic.base.settings import Settings


def blob_storage(settings: Settings, clock: Clock) -> BlobStorage:
    """Return the S3 service that the settings name, or else the disk below the data directory.

    Raise ``SettingError`` when a setting is missing or cannot be understood.
    """
    if settings.blob_s3_url is None:
        return LocalDisk(settings.data / "blobs")
    if not settings.blob_s3_access_key or not settings.blob_s3_secret_key:
        message = "POLYCLINIC_BLOB_S3_URL needs POLYCLINIC_BLOB_S3_ACCESS_KEY and _SECRET_KEY"
        raise SettingError(message)
    try:
        parse_url(settings.blob_s3_url)
    except ValueError as error:
        message = f"POLYCLINIC_BLOB_S3_URL: {error}"
        raise SettingError(message) from None
    credentials = Credentials(
        settings.blob_s3_access_key, settings.blob_s3_secret_key, settings.blob_s3_region
    )
    bucket = Bucket(http_client(settings), settings.blob_s3_url, credentials, clock)
    return S3(bucket, min(RANGE_BYTES, settings.egress_max_answer))
