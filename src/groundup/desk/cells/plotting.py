"""Matplotlib's backend in a cell: draws without a window, and `plt.show()` shows under the cell what is open.

Chosen by MPLBACKEND=module://groundup.desk.cells.plotting. Figures that nobody shows are shown when their cell ends.
"""

from __future__ import annotations

import sys

from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

from . import displays


class FigureManager(FigureManagerBase):
    """What pyplot asks to show figures."""

    @classmethod
    def pyplot_show(cls, *, block: bool | None = None) -> None:
        """plt.show()"""
        pyplot = sys.modules["matplotlib.pyplot"]
        displays.display(*map(pyplot.figure, pyplot.get_fignums()))

    def show(self) -> None:
        """figure.show()"""
        displays.display(self.canvas.figure)


class FigureCanvas(FigureCanvasAgg):  # type: ignore[misc]
    """A canvas in memory."""

    manager_class = FigureManager
