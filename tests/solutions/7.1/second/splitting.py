"""Pieces by `sub`, which meets every match in order."""

import itertools

import regex

GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
GPT4 = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)


def split(text, pattern=GPT2):
    places = {0, len(text)}
    try:
        regex.sub(pattern, lambda match: places.update(match.span()), text)
    except regex.error as error:
        raise ValueError(str(error)) from None
    order = sorted(places)
    return [text[a:b] for a, b in itertools.pairwise(order)]
