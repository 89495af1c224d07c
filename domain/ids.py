"""Which ids a client may make, and ids that follow from a seed.

A client makes the ids of what it begins: at random (UUID version 4) or by time (version 7).
Ids of version 5 are derived by the domain from what a thing is about (the season of an area and
a year, the case of a household in a season), so everybody can compute them beforehand. If a
client could choose one, it could open something else under it, and the thing it belongs to could
never be opened. That is why the two kinds of ids never meet.
"""

from hashlib import sha256
from typing import Annotated, Final
from uuid import RFC_4122, UUID

CLIENT_VERSIONS: Final = (4, 7)


class MadeByClient:
    """Marks the type of a field: the id of something that this command begins."""


NewId = Annotated[UUID, MadeByClient]
"""The id of something new, made by whoever sends the command. A reference is a plain `UUID`."""


def client_made(id: UUID) -> bool:
    """Whether a client may have made this id: random or by time, and not derived."""
    return id.variant == RFC_4122 and id.version in CLIENT_VERSIONS


def seeded_id(*parts: object) -> UUID:
    """An id of version 4's shape that follows from the parts: for the demo, imports and tests.

    Whoever knows the parts knows the id; where a stranger must not, one part is a secret.
    """
    seed = "/".join(str(part) for part in parts)
    return UUID(bytes=sha256(seed.encode()).digest()[:16], version=4)
