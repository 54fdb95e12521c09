"""The tables through time, as Alembic migrations. `pilot.schema` runs them; `pilot db draft` writes a new one."""
