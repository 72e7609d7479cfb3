"""The key-encryption keys of an installation: they wrap all others and stay out of the database."""

from polyclinic.base.keys.file import KeyFile, KeyFileError, write_whole
from polyclinic.base.keys.kms import Kms, KmsError, TransitKms
from polyclinic.base.keys.opening import KEY_FILE, key_file
from polyclinic.base.keys.ring import KeyRing

__all__ = [
    "KEY_FILE",
    "KeyFile",
    "KeyFileError",
    "KeyRing",
    "Kms",
    "KmsError",
    "TransitKms",
    "key_file",
    "write_whole",
]
