"""Who may wait for a database: any thread but that of an event loop.

All requests of a server share the thread of its event loop: while that waits for a connection, or
for an answer, nobody is answered. So whatever asks the views, the log or the vault does it on a
thread beside the loop. What is kept in memory and looked up again now and then is told on the
loop's thread as a thread beside it has last found it.
"""

import asyncio


def may_wait() -> bool:
    """Whether this thread may wait."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return True
    return False
