"""Merges by counting, with the pieces of each pair kept, so that a merge rewrites only those."""

from collections import Counter, defaultdict

printing = [b for b in range(256) if 32 < b < 127 or (b > 160 and b != 173)]
BYTES = bytes(printing + [b for b in range(256) if b not in printing])


def joined(row, pair, new):
    out = []
    for token in row:
        if out and (out[-1], token) == pair:
            out[-1] = new
        else:
            out.append(token)
    return out


def learn(pieces, count):
    rows = [[BYTES.index(b) for b in piece.encode()] for piece in pieces]
    often = [int(n) for n in pieces.values()]
    total, where = Counter(), defaultdict(set)

    def tally(i, sign):
        for pair in zip(rows[i], rows[i][1:]):
            total[pair] += sign * often[i]
            where[pair].add(i)

    for i in range(len(rows)):
        tally(i, 1)
    merges = []
    while len(merges) < count:
        best, most = None, 0
        for pair, n in total.items():
            if n > most or (n == most and n > 0 and pair < best):
                best, most = pair, n
        if best is None:
            break
        for i in list(where[best]):
            tally(i, -1)
            rows[i] = joined(rows[i], best, 256 + len(merges))
            tally(i, 1)
        merges.append(best)
    return merges
