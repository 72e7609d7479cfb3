"""A key management service that wraps the key file, so that the file alone is of no use.

It is asked when a process starts and when the keys change, never for a request.
"""

import json
from base64 import b64decode, b64encode
from typing import Any, Final, Protocol

from polyclinic.base.egress.errors import EgressError
from polyclinic.base.outbound import HttpClient, HttpRequest, OutboundDisabled

_OK: Final = 200
_WRAP: Final = "encrypt"
_UNWRAP: Final = "decrypt"


class KmsError(Exception):
    """The key management service did not do what it was asked; the message says what to do."""


class Kms(Protocol):
    """Wraps keys under a key of its own, which never leaves it."""

    @property
    def name(self) -> str:
        """Return the name of the key that wraps what is wrapped from now on."""
        ...

    async def wrap(self, key: bytes) -> str:
        """Return a key, wrapped, without white space. Raise ``KmsError``."""
        ...

    async def unwrap(self, name: str, wrapped: str) -> bytes:
        """Return a key that was wrapped under the service's key of this name.

        Raise ``KmsError``.
        """
        ...


class TransitKms:
    """A service with the API of HashiCorp Vault's transit engine, which OpenBao has too.

    https://developer.hashicorp.com/vault/api-docs/secret/transit
    """

    def __init__(self, http: HttpClient, url: str, name: str, token: str) -> None:
        """Use the engine at a URL, such as https://vault.example:8200/v1/transit."""
        self._http = http
        self._url = url.rstrip("/")
        self._token = token
        self.name = name

    async def wrap(self, key: bytes) -> str:
        """Return a key as the service wraps it."""
        asked = {"plaintext": b64encode(key).decode()}
        wrapped = await self._ask(_WRAP, self.name, asked, "ciphertext")
        if not wrapped or wrapped.split() != [wrapped]:
            why = "what it answered is no ciphertext"
            raise self._failed(_WRAP, self.name, why)
        return wrapped

    async def unwrap(self, name: str, wrapped: str) -> bytes:
        """Return a key that the service has wrapped."""
        plain = await self._ask(_UNWRAP, name, {"ciphertext": wrapped}, "plaintext")
        try:
            return b64decode(plain, validate=True)
        except ValueError:
            why = "what it answered is not base64"
            raise self._failed(_UNWRAP, name, why) from None

    async def _ask(self, verb: str, name: str, asked: dict[str, str], wanted: str) -> str:
        request = HttpRequest(
            "POST",
            f"{self._url}/{verb}/{name}",
            {"content-type": "application/json", "x-vault-token": self._token},
            json.dumps(asked).encode(),
        )
        try:
            answer = await self._http.request(request)
        except (EgressError, OutboundDisabled) as error:
            raise self._failed(verb, name, str(error)) from error
        if answer.status != _OK:
            raise self._failed(verb, name, f"it answered {answer.status}")
        try:
            found: Any = json.loads(answer.body)["data"][wanted]
        except (ValueError, KeyError, TypeError):
            found = None
        if not isinstance(found, str):
            raise self._failed(verb, name, f"its answer has no {wanted}")
        return found

    def _failed(self, verb: str, name: str, why: str) -> KmsError:
        return KmsError(
            f"the key management service at {self._url} does not {verb} with its key {name}: {why}"
        )
