"""What every handler is given besides the request."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from sagedock.local.s3.store import ObjectStore
from sagedock.local.s3.xml import Node

__all__ = ["Service"]


@dataclass(frozen=True, kw_only=True)
class Service:
    """The store, and the account (12 digits) that owns every bucket in it."""

    store: ObjectStore
    account: str

    @cached_property
    def owner(self) -> Node:
        """The account as S3 shows it: by its canonical user id."""
        identity = hashlib.sha256(self.account.encode()).hexdigest()
        return (("ID", identity), ("DisplayName", self.account))
