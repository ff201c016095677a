"""A lock says who has it, and only while somebody has."""

import os

from groundup.lab import locks


def test_a_lock_says_who_has_it(tmp_path):
    path = tmp_path / "lock"
    assert locks.holder(path) is None
    descriptor = locks.take(path)
    assert locks.holder(path) == os.getpid()
    os.close(descriptor)
    assert locks.holder(path) is None, "the number in the file may be another process's by now"


def test_a_process_of_another_machine_is_none_of_ours(tmp_path):
    path = tmp_path / "lock"
    descriptor = locks.take(path)
    path.write_text("1 elsewhere\n")
    assert locks.held(path) and locks.holder(path) is None
    os.close(descriptor)
