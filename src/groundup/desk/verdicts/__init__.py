"""A verdict as it is seen: the checkpoints, and the smallest failing case in full."""
