"""Runs a learner's code where it can do no harm, and brings back values only."""


class SandboxError(Exception):
    """The sandbox itself could not be had."""
