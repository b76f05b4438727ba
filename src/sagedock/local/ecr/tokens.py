"""The passwords of GetAuthorizationToken: each is for one region, and ends after twelve hours.

What is in one is signed with a key of this home, so that nothing is stored of it, and one that was
given out before a restart goes on.
"""

import base64
import hmac
import json
import os
import secrets
import time
from binascii import Error as NotBase64
from dataclasses import dataclass
from pathlib import Path

from sagedock.errors import StorageError

__all__ = ["TOKEN_LASTS_S", "USER", "BadToken", "Tokens"]

#: Sources: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
USER = "AWS"
TOKEN_LASTS_S = 12 * 60 * 60
_KEY_BYTES = 32


class BadToken(Exception):
    """A password that lets nobody in. ``expired`` says whether it once did."""

    def __init__(self, *, expired: bool) -> None:
        self.expired = expired
        super().__init__("the token has expired" if expired else "no token of this registry")


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Makes passwords, and reads them."""

    key: bytes

    @classmethod
    def of(cls, folder: Path) -> "Tokens":
        """Return those of a registry's folder; its key is made if it is not there."""
        path = folder / "key"
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            if not path.exists():
                new = path.with_suffix(".new")
                new.unlink(missing_ok=True)
                descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(secrets.token_bytes(_KEY_BYTES))
                new.replace(path)
            return cls(key=path.read_bytes())
        except OSError as error:
            raise StorageError(
                f"{path}: {error.strerror}: make it readable and writable"
            ) from error

    def new(self, region: str, now: float | None = None) -> tuple[str, float]:
        """Return a password for the registry of ``region``, and when it ends (epoch seconds)."""
        expires = int(time.time() if now is None else now) + TOKEN_LASTS_S
        payload = json.dumps({"region": region, "expires": expires}, separators=(",", ":"))
        text = base64.urlsafe_b64encode(payload.encode()).decode()
        return f"{text}.{self._signature(text)}", expires

    def region_of(self, password: str, now: float | None = None) -> str:
        """Return the region that a password is for, or raise BadToken."""
        text, _, signature = password.partition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(text).encode()):
            raise BadToken(expired=False)
        said = json.loads(base64.urlsafe_b64decode(text))
        if said["expires"] < (time.time() if now is None else now):
            raise BadToken(expired=True)
        return str(said["region"])

    def region_of_header(self, authorization: str) -> str:
        """Return the region that a header Authorization is for, or raise BadToken."""
        scheme, _, encoded = authorization.partition(" ")
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (NotBase64, UnicodeDecodeError) as error:
            raise BadToken(expired=False) from error
        if scheme.lower() != "basic" or user != USER:
            raise BadToken(expired=False)
        return self.region_of(password)

    def _signature(self, text: str) -> str:
        return hmac.new(self.key, text.encode(), "sha256").hexdigest()
