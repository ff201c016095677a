"""The course: lessons, workspace, sandbox, judge, progress."""

from .checkpoints import Checkpoint, checkpoint

__all__ = ["Checkpoint", "checkpoint"]
