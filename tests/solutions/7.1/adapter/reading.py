"""tiktoken itself."""

import tiktoken

GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
RANKS = {bytes([b]): b for b in range(256)}


def minbpe_picks(pairs):
    counts = {}
    for pair in pairs:
        counts[pair] = counts.get(pair, 0) + 1
    return max(counts, key=counts.get)


def tiktoken_encodes(piece, ranks):
    theirs = tiktoken.Encoding("drawn", pat_str=r"(?s).+", mergeable_ranks=dict(ranks), special_tokens={})
    return theirs._encode_single_piece(piece)


def tiktoken_refuses(text, specials, allowed):
    names = {name: 256 + i for i, name in enumerate(specials)}
    theirs = tiktoken.Encoding("bytes", pat_str=GPT2, mergeable_ranks=RANKS, special_tokens=names)
    try:
        theirs.encode(text, allowed_special=set(allowed))
    except ValueError:
        return True
    return False


def tiktoken_repairs(text):
    theirs = tiktoken.Encoding("bytes", pat_str=GPT2, mergeable_ranks=RANKS, special_tokens={})
    return theirs.decode(theirs.encode(text))
