"""groundup: machine learning by building all of it, and knowing that what you built is right."""

__version__ = "0.1.0"


def load_ipython_extension(ipython: object) -> None:
    """The magics of the notebooks, after `%load_ext groundup`."""
    from .course.notebook.magics import load

    load(ipython)
