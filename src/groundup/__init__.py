"""groundup: machine learning by building all of it, and knowing that what you built is right."""

__version__ = "0.1.0"
