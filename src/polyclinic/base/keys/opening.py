"""The key file of an installation, as its settings say."""

import re
from typing import Final

from polyclinic.base.config import SettingError
from polyclinic.base.egress import http_client
from polyclinic.base.keys.file import KeyFile
from polyclinic.base.keys.kms import TransitKms
from polyclinic.base.outbound import HttpClient
from polyclinic.base.settings import Settings

KEY_FILE: Final = "keys/key-encryption-key"
"""Where the file lies below the data, unless a setting names another."""
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]+")


def key_file(settings: Settings, http: HttpClient | None = None) -> KeyFile:
    """Return the key file. Raise ``SettingError`` when half of a key service is set."""
    path = settings.key_file or settings.data / KEY_FILE
    if settings.kms_url is None:
        return KeyFile(path)
    if settings.kms_key is None or settings.kms_token is None:
        message = "POLYCLINIC_KMS_URL needs POLYCLINIC_KMS_KEY and POLYCLINIC_KMS_TOKEN too"
        raise SettingError(message)
    if not _NAME.fullmatch(settings.kms_key):
        message = "POLYCLINIC_KMS_KEY is a name of letters, digits, dots, hyphens and underscores"
        raise SettingError(message)
    way_out = http or http_client(settings)
    return KeyFile(
        path, TransitKms(way_out, settings.kms_url, settings.kms_key, settings.kms_token)
    )
