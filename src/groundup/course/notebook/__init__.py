"""A lesson as a Jupyter notebook, and what the notebook can call."""
