"""Derivatives: differences, a scalar engine, a tensor engine, and the first networks on it. NumPy alone."""
