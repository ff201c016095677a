"""What minbpe and tiktoken do, another way."""

import itertools


def minbpe_picks(pairs):
    most = max(pairs.count(pair) for pair in pairs)
    return next(pair for pair in pairs if pairs.count(pair) == most)


def tiktoken_encodes(piece, ranks):
    cuts = [0, *range(1, len(piece)), len(piece)] if piece not in ranks else [0, len(piece)]
    cuts = sorted(set(cuts))
    while True:
        best = None
        for i in range(1, len(cuts) - 1):
            rank = ranks.get(piece[cuts[i - 1] : cuts[i + 1]])
            if rank is not None and (best is None or rank < best[0]):
                best = (rank, i)
        if best is None:
            return [ranks[piece[a:b]] for a, b in itertools.pairwise(cuts)]
        del cuts[best[1]]


def tiktoken_refuses(text, specials, allowed):
    return any(name not in allowed and name in text for name in specials)


def tiktoken_repairs(text):
    out, i = "", 0
    while i < len(text):
        here = ord(text[i])
        following = ord(text[i + 1]) if i + 1 < len(text) else 0
        if 0xD800 <= here < 0xDC00 and 0xDC00 <= following < 0xE000:
            out += chr(0x10000 + ((here - 0xD800) << 10) + following - 0xDC00)
            i += 2
            continue
        out += "\ufffd" if 0xD800 <= here < 0xE000 else text[i]
        i += 1
    return out
