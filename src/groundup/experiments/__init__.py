"""Experiments that stand on their own, one a file."""
