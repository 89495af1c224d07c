"""The cluster in one thread, on one seed: what a bad day does to it, and whether it comes through.

    python -m tests.simulation --seed 7             # one world, the same each time
    python -m tests.simulation --seeds 1-500        # many; prints the repro of each that fails

Real: the domain, `Store` and its writer, frames, the relay, a worker's loop of applying and
acknowledging, gap fetching, the engine and the views. In memory: log, vault and views (SQLite),
broker, consumer group, network, clock. A scheduler draws steps by lot: clients send and send
again, processes are killed at named points, messages are lost, repeated, late and shuffled,
databases fail, the broker comes back empty, two relays and two owners of a partition act at once.
Then everything heals, and `tests.simulation.oracles` must hold. Which faults a world knows, and how
often they strike, is drawn by lot as well, so that rare combinations get worlds of their own.
"""
