"""Classical machine learning. NumPy alone."""
