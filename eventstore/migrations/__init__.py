"""The durable tables on PostgreSQL, by Alembic: log and vault. Views are rebuilt, not migrated."""
