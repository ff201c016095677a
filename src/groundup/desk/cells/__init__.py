"""Cells that run: a confined kernel for each lesson, and what comes of it."""
