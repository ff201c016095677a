"""What the pages about runs share: where the runs of the workspace are, what is started here, what is known of the recipes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from starlette.requests import Request

from ...lab.formats import Row
from ...lab.record import Records, records_in
from ...lab.sqlite import StoreError
from ..paging import Refused
from ..place import Place
from .described import Recipes
from .launching import Launches
from .run_stream import follow_run, follow_runs
from .writing import Writer

T = TypeVar("T")
_laboratories: WeakKeyDictionary[Place, Laboratory] = WeakKeyDictionary()


class Laboratory:
    """The runs of a desk's workspace."""

    def __init__(self, place: Place) -> None:
        self.folder = place.root / "runs"
        self.launches = Launches(place.root)
        self.recipes = Recipes(place.root)
        self.writer = Writer(place.root)
        place.hub.source("run", lambda argument, after: follow_run(place, self.launches, argument, after))
        place.hub.source("runs", lambda argument, after: follow_runs(place, self.launches, argument, after))
        place.closers += [self.writer.close, self.recipes.close]

    def read(self, function: Callable[..., T], *arguments: Any) -> T:
        """What a function of the records gives, on a connection of its own. It blocks."""
        with records_in(self.folder) as kept:
            return function(kept, *arguments)


def set_up(place: Place) -> None:
    """Makes the laboratory of a place, once."""
    if place not in _laboratories:
        _laboratories[place] = Laboratory(place)


def laboratory(request: Request) -> Laboratory:
    """That of the desk which is asked."""
    return _laboratories[request.app.state.place]


def run_of(request: Request, kept: Records) -> Row:
    """The run in the address. Refused where there is none."""
    try:
        return kept.find(str(request.path_params["id"]))
    except StoreError:
        raise Refused(404, f"there is no run {request.path_params['id']}: /runs has all of them") from None
