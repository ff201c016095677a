"""Packs: courses by others. A pack is a folder, or a wheel of one, with `course.toml`, lessons and its own reference.

Nothing of a pack runs, and no lesson of it is read, before its reader has trusted the hash of all its files.
"""
