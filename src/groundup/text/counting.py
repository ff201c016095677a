"""Long texts in chunks: where a text may be cut, and how often each piece occurs, counted on several cores.

A text can be cut where no piece crosses, and then it does not matter who splits which part.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice

from .splitting import GPT2, GPT4, split

CHUNK = 1 << 14  # characters: most chunks of a text are ASCII, though there are few long texts that are
BATCH = 1 << 22  # characters for a process at a time
# After a line that is not blank, before a letter: for both patterns a piece ends there, whatever surrounds it.
_CUT = re.compile(r"(?<=\S\n)(?=[A-Za-z])")


def chunks(text: str, pattern: str = GPT2, size: int = CHUNK) -> Iterator[str]:
    """The text in parts of about `size` characters, which split into the pieces of the whole.

    That is known of GPT2 and GPT4 alone: with another pattern the text stays whole.
    """
    start = 0
    while pattern in (GPT2, GPT4) and len(text) - start > size:
        cut = _CUT.search(text, start + size)
        if cut is None:
            break
        yield text[start : cut.start()]
        start = cut.start()
    yield text[start:]


def count_pieces(texts: str | Iterable[str], pattern: str = GPT2, processes: int = 1) -> Counter[str]:
    """How often each piece occurs in a text, or in all of several: piece -> count, in the order in which they are met.

    processes: how many count at the same time; each holds some megabytes of text, however much there is of it.
    Half a surrogate pair counts as U+FFFD, which is what it is encoded as.
    """
    parts = (part for text in ([texts] if isinstance(texts, str) else texts) for part in chunks(text, pattern))
    if processes == 1:
        return _count(parts, pattern)
    total: Counter[str] = Counter()
    batches = _batches(parts)
    with ProcessPoolExecutor(processes) as pool:
        waiting = [pool.submit(_count, batch, pattern) for batch in islice(batches, 2 * processes)]
        while waiting:
            total.update(waiting.pop(0).result())
            waiting += [pool.submit(_count, batch, pattern) for batch in islice(batches, 1)]
    return total


def whole(text: str) -> str:
    """The text with halves of surrogate pairs joined where both are there, and U+FFFD for each that is alone."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _count(parts: Iterable[str], pattern: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(split(whole(part), pattern))
    return counts


def _batches(parts: Iterable[str]) -> Iterator[list[str]]:
    batch, size = [], 0
    for part in parts:
        batch.append(part)
        size += len(part)
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
