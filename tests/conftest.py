"""Shared fixtures. Each test makes what it needs and stops what it started."""

from tests.servers import postgres, postgres_database, postgres_module_database

__all__ = ["postgres", "postgres_database", "postgres_module_database"]
