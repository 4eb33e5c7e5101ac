"""Alembic's entry: migrate over the connection we were handed, within its transaction."""

from __future__ import annotations

from alembic import context

from cloud.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
