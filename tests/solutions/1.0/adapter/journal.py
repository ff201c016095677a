"""The journal on the standard library: a UserDict, and jsonl read by one decoder."""

import collections
import contextlib
import json
import mmap
import os


class Damaged(Exception):
    def __init__(self, line):
        super().__init__(line)
        self.line = line


class Journal(collections.UserDict):
    def __init__(self, path):
        super().__init__()
        self.path, self.file = path, open(path, "ab+")  # noqa: SIM115
        if os.path.getsize(path):
            with mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_READ) as view:
                whole = view.rfind(b"\n") + 1
            self.file.truncate(whole)
        self.file.seek(0)
        for number, line in enumerate(self.file.read().splitlines(keepends=True), 1):
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError):
                self.file.close()
                raise Damaged(number) from None

    def _take(self, change):
        if not isinstance(change, list):
            raise TypeError
        if change[0:1] == ["set"]:
            _, key, self.data[key] = change
            if not isinstance(key, str):
                raise TypeError
        else:
            what, key = change
            self.data.pop(key)
            if what != "delete":
                raise ValueError

    def _write(self, change):
        line = json.dumps(change)
        self.file.write(f"{line}\n".encode())
        self.file.flush()
        return json.loads(line)

    def __setitem__(self, key, value):
        if not isinstance(key, str):
            raise TypeError(key)
        self.data[key] = self._write(["set", key, value])[2]

    def __delitem__(self, key):
        super().__delitem__(key)
        self._write(["delete", key])

    def compact(self):
        with open(f"{self.path}.tmp", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(["set", *item]) + "\n" for item in self.data.items())
        self.file.close()
        os.replace(f"{self.path}.tmp", self.path)
        self.file = open(self.path, "ab+")  # noqa: SIM115

    def close(self):
        with contextlib.closing(self.file):
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
