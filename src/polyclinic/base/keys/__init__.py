"""The key-encryption keys of an installation: they wrap all others and stay out of the database."""

from polyclinic.base.keys.file import KeyFile, KeyFileError
from polyclinic.base.keys.ring import KeyRing

__all__ = ["KeyFile", "KeyFileError", "KeyRing"]
