"""What is known of an object without asking for it: what a listing says, and where a copy of it lies."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object that is listed; `modified_at` is by the store's own clock (UTC): compare it with that store's
    `now` only."""

    key: str
    size_bytes: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """The size of an object that never changes, and the place of its last bytes in another one, if
    anywhere."""

    key: str
    size_bytes: int
    pack: str | None = None  # the key of another object, that has them
    start: int = 0  # byte of that one at which they begin
    num_packed: int = 0
