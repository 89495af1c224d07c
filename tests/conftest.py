"""Shared fixtures. Each test makes what it needs and stops what it started."""

from tests.servers import broker, postgres, postgres_database, postgres_module_database

__all__ = ["broker", "postgres", "postgres_database", "postgres_module_database"]
