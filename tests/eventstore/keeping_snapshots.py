"""A process that keeps a snapshot of every stream, to be killed at it."""

import sys

from tests.eventstore.support import open_store, place_of

if __name__ == "__main__":
    store = open_store(place_of(sys.argv[1]))
    store.snapshots.every = 1
    while store.snapshots.step():
        pass
