"""Shared fixtures. Each test makes what it needs and stops what it started."""

from hypothesis import settings

from tests.clusters import cluster
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
