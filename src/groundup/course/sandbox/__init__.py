"""Runs a learner's code where it can do no harm, and brings back values only."""

from __future__ import annotations

from ...errors import NotUsable


class SandboxError(NotUsable):
    """The sandbox itself could not be had."""
