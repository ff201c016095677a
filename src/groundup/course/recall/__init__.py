"""Recall: what was built once, asked again before it is forgotten."""
