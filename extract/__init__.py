"""Bytes from the web, and raw grids from bytes."""
