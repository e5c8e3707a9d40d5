"""What a store's listing says of an object."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredObject:
    """`modified_at` is by the store's own clock (UTC); compare it with that store's `now` only."""

    key: str
    size_bytes: int
    modified_at: datetime
