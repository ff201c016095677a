"""Runs as the pages show them: curves, tables, recipes that are started here."""
