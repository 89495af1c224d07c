"""A process that wants to lead: says each moment at which it begins and ceases to."""

import sys
import time

from streams.leader import Leader

leader = Leader(sys.argv[1], sys.argv[2])
leader.start()
held = False
while True:
    now = leader.held()
    if now != held:
        held = now
        print("leads" if held else "ceases", leader.epoch, time.monotonic(), flush=True)
    time.sleep(0.005)
