"""A lesson as its author wrote it: found, read, its checkpoints, cases and faults."""
