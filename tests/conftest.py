"""Shared fixtures. Each test makes what it needs and stops what it started."""

from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import Scheduling

from tests.clusters import cluster
from tests.schedule import KindByKind
from tests.servers import (
    apache_kafka,
    broker,
    postgres,
    postgres_database,
    postgres_module_database,
    postgres_versions,
)

__all__ = [
    "apache_kafka",
    "broker",
    "cluster",
    "postgres",
    "postgres_database",
    "postgres_module_database",
    "postgres_versions",
]

settings.register_profile("relief", settings(deadline=None))  # no test asserts how fast it was
settings.load_profile("relief")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling | None:
    """Whoever distributes whole files (`make test`) has them in an order that keeps cores busy."""
    return KindByKind(config, log) if config.getoption("dist") == "loadfile" else None
