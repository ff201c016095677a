"""A practice project in Python: a dictionary on disk that a crash cannot spoil.

Nothing in the file is ever written over. A change is one more line at its end, and whoever opens the file reads all of them
again. A program that is killed leaves at most one line that is cut off, and it is known by having no end. This is how databases
keep their word.

Kleppmann, Designing Data-Intensive Applications (2017), chapter 3, "Data structures that power your database".
"""

import json
import os


class Damaged(Exception):  # given
    """A file that is no journal. Attribute: line, the number of the first line that is none, from 1."""

    def __init__(self, line):
        super().__init__(f"line {line} of the journal cannot be read")
        self.line = line


class Journal:
    """A dictionary from texts to what JSON can hold (texts, numbers, lists, dictionaries, true, false, null), kept in a file.

    Each line of the file, UTF-8 and with "\\n" at its end, is one change as JSON: ["set", key, value] or ["delete", key]. When a
    method has returned, what it changed can be read in the file. It is a context manager too: `with Journal(path) as journal:`
    closes it at the end, whatever happens in between, and hides no exception.
    """

    def __init__(self, path):
        """Opens the journal in a file, which is made if it is not there, and reads it.

        What stands after the last "\\n" is what a crash has left of a line: it is cut off the file. Any line that is no change as
        above raises Damaged. So does one that deletes a key that is not there.
        """
        self.path = os.fspath(path)
        self._entries = {}
        self._file = open(self.path, "a+b")  # noqa: SIM115 - it stays open until close()
        try:
            self._read()
        except BaseException:
            self._file.close()
            raise

    def _read(self):
        self._file.seek(0)
        whole = 0  # bytes of the lines that are
        for number, line in enumerate(self._file, 1):
            if not line.endswith(b"\n"):
                break
            try:
                self._apply(json.loads(line))
            except (ValueError, TypeError, KeyError):
                raise Damaged(number) from None
            whole += len(line)
        self._file.truncate(whole)

    def _apply(self, change):
        if not isinstance(change, list):
            raise TypeError(f"a change is a list, not {change!r}")
        what, key, *value = change
        if what == "set" and isinstance(key, str):
            (self._entries[key],) = value
        elif what == "delete" and not value:
            del self._entries[key]
        else:
            raise ValueError(what)

    def __getitem__(self, key):
        """The value of a key; KeyError if it has none."""
        return self._entries[key]

    def __setitem__(self, key, value):
        """Sets the value of a key to what JSON makes of it: a tuple becomes a list, and a list is a copy.

        TypeError where the key is no text or JSON cannot hold the value; nothing is changed then.
        """
        if not isinstance(key, str):
            raise TypeError(f"a key is a text, not {key!r}")
        self._entries[key] = self._written(["set", key, value])[2]

    def __delitem__(self, key):
        """Takes a key out; KeyError, and nothing is written, if it is not there."""
        del self._entries[key]
        self._written(["delete", key])

    def _written(self, change):
        """Adds a change to the file, and gives it as it will be read."""
        line = json.dumps(change)
        self._file.write(line.encode() + b"\n")
        self._file.flush()
        return json.loads(line)

    def __contains__(self, key):
        """Whether a key has a value."""
        return key in self._entries

    def __len__(self):
        """How many keys there are."""
        return len(self._entries)

    def __iter__(self):
        """The keys, in the order in which they came in; one that was deleted and set again came in again."""
        return iter(self._entries)

    def compact(self):
        """Makes the file as short as it can be: one line for each key, in their order.

        The new file is written beside the old one and takes its place at the end (os.replace): at every moment one of the two
        is there, whole. The journal goes on in the new one.
        """
        beside = f"{self.path}.new"
        with open(beside, "wb") as file:
            for key, value in self._entries.items():
                file.write(json.dumps(["set", key, value]).encode() + b"\n")
        os.replace(beside, self.path)
        self._file.close()
        self._file = open(self.path, "a+b")  # noqa: SIM115

    def close(self):
        """Closes the file; closing twice does nothing more."""
        self._file.close()

    def __enter__(self):
        """The journal itself."""
        return self

    def __exit__(self, kind, problem, trail):
        """Closes it; an exception goes on."""
        self.close()
