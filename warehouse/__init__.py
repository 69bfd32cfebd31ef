"""Schema, load, publish and query of the DuckDB warehouse."""
