"""Alembic's entry point: `eventstore.founding` gives the connection, in the owner's role."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table_schema="log",
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
