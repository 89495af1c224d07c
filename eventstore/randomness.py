"""Random bytes of the system, fetched in bulk: a call for each nonce and key costs more than both.

Every byte is given out once, and never by two processes: a forked child begins with none.
"""

import io
import os
import threading
from uuid import UUID

FETCHED = 16 * 1024

_lock = threading.Lock()
_pool = io.BytesIO()


def random_bytes(count: int) -> bytes:
    """So many bytes for a key or a nonce."""
    global _pool
    with _lock:
        found = _pool.read(count)
        if len(found) < count:
            _pool = io.BytesIO(os.urandom(max(FETCHED, count)))
            found = _pool.read(count)
    return found


def random_uuid() -> UUID:
    """A random id (version 4)."""
    return UUID(bytes=random_bytes(16), version=4)


def _begin_anew() -> None:
    global _lock, _pool
    _lock = threading.Lock()
    _pool = io.BytesIO()


os.register_at_fork(after_in_child=_begin_anew)
