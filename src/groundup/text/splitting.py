"""Cutting text into pieces, which no token will cross.

Without it "dog", "dog." and "dog!" become tokens of their own, and the best merge in English is "e" with the space after it. The
patterns keep letters, digits, other signs and white space apart, and give a word the space before it. GPT-2's is from Radford
and others, Language models are unsupervised multitask learners (2019), section 2.2; GPT-4's is the one that tiktoken
publishes as cl100k_base, but for a plus after {1,3} that changes nothing here, and all in Hugging Face's regular expressions.
"""

from __future__ import annotations

import re

import regex

GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
GPT4 = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)

# The same two for text that is all ASCII, in the syntax of `re`, which is four times as fast.
_ASCII = {
    GPT2: re.compile(r" ?[A-Za-z]+|'(?:[sdmt]|ll|ve|re)| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+", re.ASCII),
    GPT4: re.compile(
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\nA-Za-z0-9]?[A-Za-z]+|[0-9]{1,3}| ?[^\sA-Za-z0-9]+[\r\n]*"
        r"|\s+\Z|\s*[\r\n]|\s+(?!\S)|\s",
        re.ASCII,
    ),
}


def split(text: str, pattern: str = GPT2) -> list[str]:
    """The pieces of a text: what the pattern matches, from left to right, each beginning where the last one ended.

    pattern: a regular expression in the syntax of the module `regex`, which knows \\p{L}, any letter, and \\p{N}, any
        numeral. It may contain groups.
    Joined, the pieces are the text: what the pattern leaves between two matches is a piece too, and none is empty.
    ValueError for a pattern that is no regular expression.
    """
    if text.isascii() and pattern in _ASCII:
        return _ASCII[pattern].findall(text)
    if pattern in _ASCII:  # which leave nothing between two matches
        return _compiled(pattern).findall(text)
    pieces, end = [], 0
    for match in _compiled(pattern).finditer(text):
        start = match.start()
        if start > end:
            pieces.append(text[end:start])
        if match.end() > start:
            pieces.append(match[0])
        end = match.end()
    if end < len(text):
        pieces.append(text[end:])
    return pieces


def _compiled(pattern: str) -> regex.Pattern:
    try:
        return regex.compile(pattern)  # which keeps those that it has compiled
    except regex.error as error:
        raise ValueError(f"The pattern {pattern!r} is no regular expression: {error}.") from error
