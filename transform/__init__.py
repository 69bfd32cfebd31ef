"""Grids to tidy observations: layouts, numbers, year, scope and identities."""
