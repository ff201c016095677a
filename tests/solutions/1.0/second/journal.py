"""The journal by other means: a subclass of MutableMapping that opens the file anew for every change."""

import json
import os
from collections.abc import MutableMapping


class Damaged(Exception):
    def __init__(self, line):
        super().__init__(f"line {line}")
        self.line = line


class Journal(MutableMapping):
    def __init__(self, path):
        self.path = path
        self.kept = {}
        if not os.path.exists(path):
            open(path, "x").close()
        with open(path, "r+b") as file:
            data = file.read()
            whole = data.rfind(b"\n") + 1
            file.truncate(whole)
        for i, line in enumerate(data[:whole].split(b"\n")[:-1]):
            try:
                change = json.loads(line.decode("utf-8"))
            except ValueError:
                raise Damaged(i + 1) from None
            if isinstance(change, list) and len(change) == 3 and change[0] == "set" and isinstance(change[1], str):
                self.kept[change[1]] = change[2]
            elif isinstance(change, list) and len(change) == 2 and change[0] == "delete" and change[1] in self.kept:
                self.kept.pop(change[1])
            else:
                raise Damaged(i + 1)

    def __getitem__(self, key):
        return self.kept[key]

    def __setitem__(self, key, value):
        if type(key) is not str:
            raise TypeError("keys are texts")
        text = json.dumps(["set", key, value], ensure_ascii=False, separators=(",", ":"))
        self._add(text)
        self.kept[key] = json.loads(text)[-1]

    def __delitem__(self, key):
        if key not in self.kept:
            raise KeyError(key)
        self._add(json.dumps(["delete", key]))
        self.kept = {k: v for k, v in self.kept.items() if k != key}

    def _add(self, text):
        with open(self.path, "a", encoding="utf-8", newline="") as file:
            print(text, file=file)

    def __contains__(self, key):
        return key in self.kept

    def __len__(self):
        return len(self.kept)

    def __iter__(self):
        yield from list(self.kept)

    def compact(self):
        lines = [json.dumps(["set", k, v]) + "\n" for k, v in self.kept.items()]
        with open(self.path + "~", "w", encoding="utf-8") as file:
            file.writelines(lines)
        os.replace(self.path + "~", self.path)

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.close()
        return False
