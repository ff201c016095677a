"""The course: what becomes of a library when a learner builds it. At the top lies what lessons and workspaces name; the rest is in rooms."""

from .lessons.checkpoints import Checkpoint, checkpoint

__all__ = ["Checkpoint", "checkpoint"]
