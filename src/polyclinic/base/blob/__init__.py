"""Large files: sealed in chunks, on a local disk or in an S3 service.

What is kept here is opaque: whoever has it and no key learns its length and nothing else.
"""

from polyclinic.base.blob.chunks import ChunkOpener, ChunkSealer
from polyclinic.base.blob.local import LocalDisk
from polyclinic.base.blob.opening import blob_storage
from polyclinic.base.blob.storage import BlobStorage, Draft, ObjectMissing, StorageFailed

__all__ = [
    "BlobStorage",
    "ChunkOpener",
    "ChunkSealer",
    "Draft",
    "LocalDisk",
    "ObjectMissing",
    "StorageFailed",
    "blob_storage",
]
