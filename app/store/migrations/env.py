"""Runs migrations on the connection that ``app.store.migrate`` hands over; see there for how and why."""

from alembic import context

from app.store.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True, transactional_ddl=True)
context.run_migrations()
