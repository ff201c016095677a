"""What is asked of lesson 7.1: Hugging Face's merges, tiktoken's ids, what comes back of any bytes, and what public code does."""

import math
from functools import cache
from itertools import combinations, pairwise

import numpy as np

from groundup.course import checkpoint
from groundup.text.splitting import GPT2, GPT4

# ------------------------------------------------------------------------------------------------- texts to try on

LETTERS = [
    "a",
    "the",
    " the",
    "The",
    "b",
    "don't",
    "DON'T",
    "we'll",
    "'",
    "'s",
    "x1",
    "2024",
    "1234567",
    " 7",
    "½",
    "٣",
]
SPACES = [" ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", " \n ", "\x0b", "\x1c", "\xa0", "\u2003", "\x00", "\x1b[0m"]
SIGNS = ["!", "...", " ->", "()", "_", "#!", "\u200b", "\ufeff", "\ufffd", "<|end|>", "<|", "end"]
SCRIPTS = [
    "é",
    "e\u0301",
    "ß",
    "'ſ",
    "İ",
    "Ω",
    "中文",
    " 日本",
    "한국어",
    "עברית",
    "हिन्दी",
    "𝒳",
    "😀",
    "👩\u200d👧",
    "🇩🇪",
    "👍🏽",
]
FRAGMENTS = LETTERS + SPACES + SIGNS + SCRIPTS
LESSON = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it was the "
    "epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of Darkness. don't, we'll! "
    "2024  def split(text):\n    return text.split()\n\n\tété été 中文中文 😀😀 हिन्दी the the the aaaa aaaaaa <|end|> __init__ "
)


def draw_text(draw, longest=14):
    return "".join(draw.choice(FRAGMENTS) for _ in range(draw.integer(0, longest)))


@cache
def taught(vocab_size, pattern):
    """Merges that Hugging Face's trainer learns from the text above: pairs of ids, as an array (m, 2)."""
    return np.array(their_merges(their_pieces(LESSON, pattern), vocab_size - 256), dtype=np.int64).reshape(-1, 2)


def their_pieces(text, pattern):
    """The pieces of a text in Hugging Face's hands."""
    from tokenizers import Regex
    from tokenizers.pre_tokenizers import Split

    return [text[a:b] for _, (a, b) in Split(Regex(pattern), "isolated").pre_tokenize_str(text)]


def their_merges(pieces, count):
    """The merges that Hugging Face's trainer learns from pieces: pairs of ids, its alphabet being in the order of BYTES."""
    import json

    from tokenizers import Tokenizer
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel
    from tokenizers.trainers import BpeTrainer

    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)
    trainer = BpeTrainer(vocab_size=256 + count, initial_alphabet=ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(pieces, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return [(model["vocab"][a], model["vocab"][b]) for a, b in model["merges"]]


def in_tiktoken(merges, pattern, specials):
    """A tiktoken encoding of these merges."""
    import tiktoken

    names = bytes([*range(33, 127), *range(161, 173), *range(174, 256), *range(33), *range(127, 161), 173])
    tokens = [bytes([b]) for b in names]
    for a, b in np.asarray(merges).tolist():
        tokens.append(tokens[a] + tokens[b])
    ranks = {token: i for i, token in enumerate(tokens)}
    return tiktoken.Encoding("theirs", pat_str=pattern, mergeable_ranks=ranks, special_tokens=specials)


def raised(run, *arguments):
    """The name of the error that a call raises, where it is the one asked for."""
    try:
        run(*arguments)
    except ValueError:
        return "ValueError"
    return "nothing raised"


# -------------------------------------------------------------------------------------------------- public code, read


@checkpoint("Reading minbpe: the pair that is joined where several are equally frequent", count=40)
def minbpe(lib, pairs):
    return [int(i) for i in lib.text.reading.minbpe_picks([tuple(pair) for pair in pairs])]


@minbpe.cases
def _(draw):
    ids = [draw.integer(0, 3) for _ in range(draw.integer(2, 14))]
    return dict(pairs=[list(pair) for pair in pairwise(ids)])


@minbpe.edges
def _():
    return [dict(pairs=[[3, 1], [1, 2]]), dict(pairs=[[1, 2], [3, 1]]), dict(pairs=[[5, 5], [1, 1], [1, 1]])]


@minbpe.oracle
def _(pairs):
    best, most = None, 0
    for pair in pairs:  # a later pair wins only if it is more frequent
        often = sum(pair == other for other in pairs)
        if often > most:
            best, most = pair, often
    return best


@checkpoint("Reading tiktoken: what becomes of one piece, whatever the ranks", count=60)
def one_piece(lib, piece, tokens, ids):
    ranks = {bytes(token): i for token, i in zip(tokens, ids)}
    return [int(i) for i in lib.text.reading.tiktoken_encodes(bytes(piece), ranks)]


@one_piece.cases
def _(draw):
    tokens = [[97], [98], [99]]
    for _ in range(draw.integer(0, 8)):
        token = [draw.integer(97, 99) for _ in range(draw.integer(2, 4))]
        tokens += [token] if token not in tokens else []
    order = draw.permutation(len(tokens) - 3)
    piece = draw.choice(tokens) if draw.boolean(0.3) else [draw.integer(97, 99) for _ in range(draw.integer(1, 9))]
    return dict(piece=piece, tokens=tokens, ids=[0, 1, 2, *(3 + order).tolist()])


@one_piece.edges
def _():
    single = [[97], [98], [99]]
    return [
        dict(piece=[97], tokens=single, ids=[0, 1, 2]),
        dict(piece=[97, 98, 99], tokens=[*single, [97, 98, 99]], ids=[0, 1, 2, 3]),  # a token that no merge would reach
        dict(piece=[97, 98, 99, 97], tokens=[*single, [98, 99], [97, 98]], ids=[0, 1, 2, 3, 4]),
        dict(piece=[97, 98, 99, 97], tokens=[*single, [98, 99], [97, 98, 99]], ids=[0, 1, 2, 3, 4]),
        dict(piece=[97, 97, 97, 98], tokens=[*single, [97, 97], [97, 97, 97]], ids=[0, 1, 2, 3, 4]),
    ]


@one_piece.oracle
def _(piece, tokens, ids):
    import tiktoken

    ranks = {bytes(token): i for token, i in zip(tokens, ids)}
    theirs = tiktoken.Encoding("drawn", pat_str=r"(?s).+", mergeable_ranks=ranks, special_tokens={})
    return theirs.encode_ordinary(bytes(piece).decode())


@one_piece.shown
def _(piece, tokens, ids):
    ranks = {bytes(token): i for token, i in zip(tokens, ids)}
    return f"tiktoken_encodes({bytes(piece)!r}, {ranks})"


@checkpoint("Reading tiktoken: when it refuses a text, and how it repairs one", count=30)
def guarded(lib, text, units, allowed):
    broken = "".join(chr(unit) for unit in units)
    refused = lib.text.reading.tiktoken_refuses(text, ["<|end|>", "<|user|>"], allowed)
    repaired = lib.text.reading.tiktoken_repairs(broken)
    return {"refused": bool(refused), "repaired": [ord(c) for c in repaired]}


@guarded.cases
def _(draw):
    text = "".join(draw.choice(["a", " ", "<|end|>", "<|user|>", "<|"]) for _ in range(draw.integer(0, 4)))
    units = [draw.choice([97, 0xD83D, 0xDE00, 0x1F600, 233]) for _ in range(draw.integer(0, 6))]
    allowed = [name for name in ("<|end|>", "<|user|>") if draw.boolean()]
    return dict(text=text, units=units, allowed=allowed)


@guarded.edges
def _():
    return [
        dict(text="a", units=[97], allowed=[]),
        dict(text="a<|end|>", units=[0xD83D, 0xDE00], allowed=[]),
        dict(text="a<|end|>", units=[0xDE00, 0xD83D], allowed=["<|end|>"]),
    ]


@guarded.oracle
def _(text, units, allowed):
    theirs = in_tiktoken(np.empty((0, 2)), GPT2, {"<|end|>": 256, "<|user|>": 257})
    try:
        theirs.encode(text, allowed_special=set(allowed))
        refused = False
    except ValueError:
        refused = True
    repaired = theirs.decode(theirs.encode("".join(map(chr, units)), disallowed_special=()))
    return {"refused": refused, "repaired": [ord(c) for c in repaired]}


@guarded.shown
def _(text, units, allowed):
    broken = "".join(map(chr, units))
    return (
        f"tiktoken_refuses({text!r}, {{'<|end|>', '<|user|>'}}, {set(allowed) or '{}'}); tiktoken_repairs({broken!a})"
    )


# ------------------------------------------------------------------------------------------------------------- pieces


@checkpoint("Pieces equal Hugging Face's, and none of the text is lost", count=60)
def pieces(lib, text, pattern):
    return [str(piece) for piece in lib.text.splitting.split(text, pattern)]


OTHER_PATTERNS = [r"\p{L}+", r"[0-9]", r"(a|the)+|( )"]


@pieces.cases
def _(draw):
    return dict(text=draw_text(draw), pattern=draw.choice([GPT2, GPT4, GPT2, GPT4, *OTHER_PATTERNS]))


@pieces.edges
def _():
    texts = [
        "",
        "a",
        "to be",
        "don't",
        "a  b",
        "a \n\n b\n",
        "x1 22.5",
        "I'LL go",
        "12345",
        "end.\n\n  next",
        "a!\x1c! \x1f b",
        "été 中文 😀",
    ]
    return [dict(text=text, pattern=pattern) for text in texts for pattern in (GPT2, GPT4)] + [
        dict(text="a1b22c", pattern=r"[0-9]"),
        dict(text="the cat", pattern=r"(a|the)+|( )"),
    ]


@pieces.oracle
def _(text, pattern):
    return their_pieces(text, pattern)


@checkpoint("A pattern that is no regular expression raises ValueError")
def broken_pattern(lib, pattern):
    return raised(lib.text.splitting.split, "some text", pattern)


@broken_pattern.edges
def _():
    return [dict(pattern="("), dict(pattern="[a")]


@broken_pattern.oracle
def _(pattern):
    return "ValueError"


# ------------------------------------------------------------------------------------------------------------- merges


@checkpoint("Merges equal those of Hugging Face's trainer, ties included", count=60, seconds=6.0)
def merges(lib, words, counts, count):
    learnt = lib.text.merges.learn(dict(zip(words, counts)), count)
    return [[int(a), int(b)] for a, b in learnt]


@merges.cases
def _(draw):
    letters = draw.choice([["a", "b"], ["a"], ["a", "b", "c", " "], ["é", "a", "中"], ["t", "h", "e", " ", "n", "😀"]])
    words = ["".join(draw.choice(letters) for _ in range(draw.integer(0, 12))) for _ in range(draw.integer(1, 8))]
    words = list(dict.fromkeys(words))
    return dict(words=words, counts=[draw.integer(1, 4) for _ in words], count=draw.integer(1, 40))


@merges.edges
def _():
    return [
        dict(words=["ab"], counts=[1], count=1),
        dict(words=["ab", "cd"], counts=[1, 2], count=2),  # the more frequent first
        dict(words=["cd", "ab"], counts=[1, 1], count=2),  # of equals the smaller
        dict(words=["zb", "za", "ac"], counts=[1, 1, 1], count=3),
        dict(words=["aaa"], counts=[1], count=3),
        dict(words=["aaaaa", "aa"], counts=[1, 1], count=4),
        dict(words=["abab", "ab"], counts=[2, 1], count=9),
        dict(words=["a", ""], counts=[3, 1], count=5),
        dict(words=["é", "è"], counts=[1, 1], count=2),
    ]


@merges.oracle
def _(words, counts, count):
    texts = [word for word, often in zip(words, counts) for _ in range(often)]
    return [list(pair) for pair in their_merges(texts, count)]


@merges.shown
def _(words, counts, count):
    return f"learn({dict(zip(words, counts))}, {count})"


@checkpoint("A thousand merges of ten thousand words in seconds", stretch=True, count=1, seconds=20.0)
def many(lib, words, counts, count):
    return np.array(lib.text.merges.learn(dict(zip(words, counts)), count))


@many.cases
def _(draw):
    rng = np.random.default_rng(draw.seed())
    syllables = ["".join(rng.choice(list("bdklmnrst")) + rng.choice(list("aeiou"))) for _ in range(60)]
    words = {"".join(rng.choice(syllables, rng.integers(1, 6))) for _ in range(10_000)}
    return dict(words=sorted(words), counts=rng.geometric(0.3, len(words)), count=1000)


@many.oracle
def _(words, counts, count):
    return np.array(their_merges([word for word, often in zip(words, counts) for _ in range(often)], count))


# ------------------------------------------------------------------------------------------------- encoding, decoding


@checkpoint("Ids equal tiktoken's", count=60, seconds=4.0)
def encoded(lib, merges, pattern, text):
    return lib.text.bpe.BPE(merges, pattern).encode(text)


@encoded.cases
def _(draw):
    pattern = draw.choice([GPT2, GPT4])
    return dict(merges=taught(draw.choice([400, 280, 256]), pattern), pattern=pattern, text=draw_text(draw, 20))


@encoded.edges
def _():
    texts = [
        "",
        "a",
        "the",
        " the the",
        "aaaaa",
        "aaaaaaa",
        "it was the best of times",
        "été",
        "\ufffd",
        "<|end|>",
        "a" * 400,
    ]
    return [dict(merges=taught(400, GPT2), pattern=GPT2, text=text) for text in texts]


@encoded.oracle
def _(merges, pattern, text):
    return np.array(in_tiktoken(merges, pattern, {}).encode_ordinary(text), dtype=np.int32)


@encoded.shown
def _(merges, pattern, text):
    return f"BPE(merges, pattern).encode({text!r}), {len(merges)} merges"


@checkpoint("Merges are followed in the order in which they were learnt, whichever they are", count=40)
def by_rank(lib, merges, text):
    return lib.text.bpe.BPE([tuple(pair) for pair in merges]).encode(text)


@by_rank.cases
def _(draw):
    merges = []
    for new in range(256, 256 + draw.integer(0, 7)):
        ids = [64, 65, 66, *range(256, new)]  # a, b, c, and what has been made of them
        pair = [draw.choice(ids), draw.choice(ids)]
        if pair in merges:
            break
        merges.append(pair)
    return dict(merges=merges, text="".join(draw.choice("abc") for _ in range(draw.integer(0, 12))))


@by_rank.edges
def _():
    return [
        dict(merges=[[64, 65]], text="abab"),
        dict(merges=[[65, 66], [64, 65], [257, 66]], text="abc"),
        dict(merges=[[64, 64]], text="aaa"),
        dict(merges=[[64, 64], [256, 256]], text="aaaaaaa"),
    ]


@by_rank.oracle
def _(merges, text):
    ids = [{"a": 64, "b": 65, "c": 66}[letter] for letter in text]
    for rank, pair in enumerate(merges):  # each merge in turn, over all of the text
        out = []
        for i in ids:
            out.append(i)
            if out[-2:] == pair:
                out[-2:] = [256 + rank]
        ids = out
    return np.array(ids, dtype=np.int32)


@checkpoint("Ids come back as text, and what is no UTF-8 as U+FFFD", count=40)
def decoded(lib, merges, ids):
    bpe = lib.text.bpe.BPE(merges)
    return {
        "text": bpe.decode(np.array(ids, dtype=np.int32)),
        "bytes": list(bpe.decode_bytes(list(ids))),
        "first": list(bpe.token_bytes(int(ids[0]))) if ids else [],
    }


@decoded.cases
def _(draw):
    merges = taught(400, GPT2)
    if draw.boolean():
        ids = in_tiktoken(merges, GPT2, {}).encode_ordinary(draw_text(draw))
    else:
        ids = [draw.integer(0, 255 + len(merges)) for _ in range(draw.integer(0, 8))]
    return dict(merges=merges, ids=ids)


@decoded.edges
def _():
    merges = taught(400, GPT2)
    return [
        dict(merges=merges, ids=ids)
        for ids in ([], [64], [0], [127], [255], [256, 255 + len(merges)], [162, 104], [223])
    ]


@decoded.oracle
def _(merges, ids):
    theirs = in_tiktoken(merges, GPT2, {})
    return {
        "text": theirs.decode(ids),
        "bytes": list(theirs.decode_bytes(ids)),
        "first": list(theirs.decode_single_token_bytes(ids[0])) if ids else [],
    }


@decoded.shown
def _(merges, ids):
    return f"BPE(merges).decode({ids}), {len(merges)} merges"


@checkpoint("Any bytes at all come back, and those of a text have its ids", count=40)
def any_bytes(lib, merges, data):
    bpe = lib.text.bpe.BPE(merges)
    ids = bpe.encode_bytes(bytes(data))
    found = {"back": list(bpe.decode_bytes(ids)), "dtype": str(ids.dtype)}
    try:
        found["ids of the text"] = np.array_equal(ids, bpe.encode(bytes(data).decode()))
    except UnicodeDecodeError:
        found["ids of the text"] = True
    return found


@any_bytes.cases
def _(draw):
    data = list(draw_text(draw, 8).encode())
    if draw.boolean(0.7):
        data += [draw.integer(0, 255) for _ in range(draw.integer(0, 8))]
    return dict(merges=taught(400, GPT2), data=data)


@any_bytes.edges
def _():
    return [
        dict(merges=taught(400, GPT2), data=data) for data in ([], [97], [255], [195], [195, 169], [32, 255, 254, 97])
    ]


@any_bytes.oracle
def _(merges, data):
    return {"back": data, "dtype": "int32", "ids of the text": True}


@any_bytes.shown
def _(merges, data):
    return f"bpe.encode_bytes({bytes(data)!r})"


# ------------------------------------------------------------------------------------------------------ special tokens

SPECIALS = {"<|end|>": 1000, "<|user|>": 1001}


@checkpoint("Special tokens are ids where they are allowed, and text where they are not", count=40)
def special(lib, merges, text, allowed):
    bpe = lib.text.bpe.BPE(merges, specials={"<|end|>": 1000, "<|user|>": 1001})
    ids = bpe.encode(text, allowed)
    return {"ids": ids, "text": bpe.decode(ids), "size": bpe.vocab_size}


@special.cases
def _(draw):
    parts = ["a", "<|end|>", "<|user|>", " the", "\n", "  ", "<|", "|>"]
    text = "".join(draw.choice(parts) for _ in range(draw.integer(0, 8)))
    return dict(merges=taught(400, GPT2), text=text, allowed=[name for name in SPECIALS if draw.boolean()])


@special.edges
def _():
    texts = ["<|end|>", "a<|end|> b", "<|end|><|end|>", "it  <|end|>\n\n<|user|>", "<|<|end|>|>"]
    return [
        dict(merges=taught(400, GPT2), text=text, allowed=allowed)
        for text in texts
        for allowed in ([], ["<|end|>"], ["<|user|>", "<|end|>"])
    ]


@special.oracle
def _(merges, text, allowed):
    theirs = in_tiktoken(merges, GPT2, SPECIALS)
    ids = theirs.encode(text, allowed_special=set(allowed), disallowed_special=())
    return {"ids": np.array(ids, dtype=np.int32), "text": text, "size": 1002}


@special.shown
def _(merges, text, allowed):
    return f"BPE(merges, specials={SPECIALS}).encode({text!r}, {allowed})"


@checkpoint("Of special tokens that begin at one place the longest is taken", count=20)
def longest(lib, text, names):
    bpe = lib.text.bpe.BPE([], specials=names)
    return {"ids": bpe.encode(text, names), "specials": bpe.specials}


@longest.cases
def _(draw):
    names = ["<a>", "<a><b>", "<a", "b>"]
    names = [names[i] for i in draw.permutation(4)][: draw.integer(1, 4)]
    return dict(text="".join(draw.choice(["<a>", "<b>", "x"]) for _ in range(draw.integer(0, 6))), names=names)


@longest.edges
def _():
    return [dict(text="<a><b>", names=["<a>", "<a><b>"]), dict(text="x<a>", names=["<a", "<a>"])]


@longest.oracle
def _(text, names):
    order = [*range(33, 127), *range(161, 173), *range(174, 256), *range(33)]
    ids, i = [], 0
    while i < len(text):
        here = [name for name in names if text.startswith(name, i)]
        name = max(here, key=len) if here else text[i]
        ids.append(256 + names.index(name) if here else order.index(ord(name)))
        i += len(name)
    return {"ids": np.array(ids, dtype=np.int32), "specials": {name: 256 + i for i, name in enumerate(names)}}


# ------------------------------------------------------------------------------------------------- training, keeping


@checkpoint("A trained vocabulary has the size asked for, and gives tiktoken's ids", count=20, seconds=5.0)
def trained(lib, texts, vocab_size, pattern, specials, text):
    bpe = lib.text.bpe.train(texts, vocab_size, pattern, specials)
    return {
        "size": bpe.vocab_size,
        "merges": len(bpe.merges),
        "pattern": bpe.pattern,
        "specials": bpe.specials,
        "ids": bpe.encode(text),
    }


@trained.cases
def _(draw):
    texts = [draw_text(draw) for _ in range(draw.integer(1, 3))]
    specials = draw.choice([[], ["<|end|>"], ["<|end|>", "<|user|>"]])
    return dict(
        texts=texts[0] if len(texts) == 1 else texts,
        vocab_size=256 + len(specials) + draw.integer(0, 60),
        pattern=draw.choice([GPT2, GPT4]),
        specials=specials,
        text=draw_text(draw),
    )


@trained.edges
def _():
    plain = dict(pattern=GPT2, specials=[], text="abab ab")
    return [
        plain | dict(texts="abab", vocab_size=257),
        plain | dict(texts="abab", vocab_size=256),
        plain | dict(texts=["ab", "ab"], vocab_size=300),
        plain | dict(texts="", vocab_size=300),
        plain | dict(texts=["a", "b"], vocab_size=300),
        plain | dict(texts={"abab": 2, " ab": 1}, vocab_size=258),
        dict(texts="ab\ud83dcd", vocab_size=262, pattern=GPT2, specials=["<|end|>"], text="ab\ufffdcd"),
    ]


@trained.oracle
def _(texts, vocab_size, pattern, specials, text):
    if isinstance(texts, dict):
        found = [piece for piece, often in texts.items() for _ in range(often)]
    else:
        texts = [
            t.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            for t in ([texts] if isinstance(texts, str) else texts)
        ]
        found = [piece for t in texts for piece in their_pieces(t, pattern)]
    merges = their_merges(found, vocab_size - 256 - len(specials))
    names = {name: 256 + len(merges) + i for i, name in enumerate(specials)}
    return {
        "size": 256 + len(merges) + len(specials),
        "merges": len(merges),
        "pattern": pattern,
        "specials": names,
        "ids": np.array(in_tiktoken(merges, pattern, names).encode_ordinary(text), dtype=np.int32),
    }


@checkpoint("Saved, it is JSON; loaded, it is the same; of another definition the fingerprint is another", count=8)
def kept(lib, merges, pattern, text):
    import json
    import os
    import tempfile

    BPE = lib.text.bpe.BPE
    bpe = BPE(merges, pattern, {"<|end|>": 2000})
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "tokenizer.json")
        BPE([]).save(path)
        bpe.save(path)
        with open(path, encoding="utf-8") as file:
            as_json = isinstance(json.load(file), dict)
        again, alone = BPE.load(path), os.listdir(folder) == ["tokenizer.json"]
        with open(path, "w", encoding="utf-8") as file:
            file.write('{"kind": "chars", "alphabet": "abc"}')
        other = raised(BPE.load, path)
    prints = [BPE(merges, p, s).fingerprint for p, s in ((pattern, None), (pattern, {"<|end|>": 2000}), (r"\w+", None))]
    return {
        "as json": as_json,
        "one file": alone,
        "same ids": np.array_equal(again.encode(text, ["<|end|>"]), bpe.encode(text, ["<|end|>"])),
        "same definition": [again.vocab_size, again.pattern, again.specials],
        "same fingerprint": again.fingerprint == bpe.fingerprint == prints[1],
        "fingerprints": len({*prints, BPE([], pattern).fingerprint}),
        "a file of another kind": other,
    }


@kept.cases
def _(draw):
    pattern = draw.choice([GPT2, GPT4])
    return dict(merges=taught(draw.choice([280, 400]), pattern), pattern=pattern, text=draw_text(draw))


@kept.oracle
def _(merges, pattern, text):
    return {
        "as json": True,
        "one file": True,
        "same ids": True,
        "same definition": [2001, pattern, {"<|end|>": 2000}],
        "same fingerprint": True,
        "fingerprints": 4,
        "a file of another kind": "ValueError",
    }


@kept.shown
def _(merges, pattern, text):
    return f"BPE(merges, pattern, {{'<|end|>': 2000}}).save(path); BPE.load(path).encode({text!r}, ['<|end|>'])"


@checkpoint("What cannot be is refused with ValueError: merges, special tokens, ids, sizes")
def refused(lib, what):
    bpe = lib.text.bpe
    tries = {
        "a merge of ids not made yet": lambda: bpe.BPE([(0, 256)]),
        "a merge of a negative id": lambda: bpe.BPE([(-1, 0)]),
        "a special token on the id of a merge": lambda: bpe.BPE([(0, 1)], specials={"x": 256}),
        "two special tokens of one id": lambda: bpe.BPE([], specials={"x": 300, "y": 300}),
        "an id after the last": lambda: bpe.BPE([]).decode([256]),
        "an id between merges and special tokens": lambda: bpe.BPE([], specials={"x": 300}).decode([299]),
        "a negative id": lambda: bpe.BPE([(0, 1)]).decode([-1]),
        "a name that is no special token": lambda: bpe.BPE([]).encode("a", ["<|end|>"]),
        "a vocabulary too small for its special tokens": lambda: bpe.train("aa", 256, specials=["x"]),
    }
    return raised(tries[what])


@refused.edges
def _():
    return [
        dict(what=what)
        for what in (
            "a merge of ids not made yet",
            "a merge of a negative id",
            "a special token on the id of a merge",
            "two special tokens of one id",
            "an id after the last",
            "an id between merges and special tokens",
            "a negative id",
            "a name that is no special token",
            "a vocabulary too small for its special tokens",
        )
    ]


@refused.oracle
def _(what):
    return "ValueError"


# ---------------------------------------------------------------------------------------------------------- GPT-2's own


@checkpoint("With GPT-2's 50,000 merges the ids equal tiktoken's", count=1, seconds=20.0, long=True)
def gpt2(lib, merges, texts):
    bpe = lib.text.bpe.BPE(merges, specials=["<|endoftext|>"])
    found = {"size": bpe.vocab_size, "hello": bpe.encode("Hello world<|endoftext|>", ["<|endoftext|>"])}
    ids = [bpe.encode(text) for text in texts]
    found["ids"] = np.concatenate(ids)
    found["back"] = all(bpe.decode(i) == text for i, text in zip(ids, texts))
    return found


@gpt2.cases
def _(draw):
    from groundup.data.catalogue import fetch
    from groundup.text.formats import from_gpt2

    merges = np.array(from_gpt2(fetch("gpt2") / "vocab.bpe").merges)
    rng = np.random.default_rng(draw.seed())
    return dict(merges=merges, texts=["".join(rng.choice(FRAGMENTS, rng.integers(0, 20))) for _ in range(1000)])


@gpt2.oracle
def _(merges, texts):
    theirs = in_tiktoken(merges, GPT2, {"<|endoftext|>": 50256})
    ids = [i for each in theirs.encode_ordinary_batch(texts) for i in each]
    hello = np.array([15496, 995, 50256], dtype=np.int32)
    return {"size": 50257, "hello": hello, "ids": np.array(ids, dtype=np.int32), "back": True}


@gpt2.shown
def _(merges, texts):
    return f"GPT-2's merges on {len(texts)} texts, such as {texts[0]!r}"


# ------------------------------------------------------------------------------------------------------- unigram pieces


def unigram_pieces(draw):
    """A few pieces of a, b, c with logarithms of probabilities; the other bytes are there too."""
    found = {b"a": draw.uniform(-9.0, -1.0), b"b": draw.uniform(-9.0, -1.0), b"c": draw.uniform(-9.0, -1.0)}
    for _ in range(draw.integer(0, 10)):
        found["".join(draw.choice("abc") for _ in range(draw.integer(2, 4))).encode()] = draw.uniform(-9.0, -1.0)
    return [[list(piece), value] for piece, value in found.items()]


def cuts(word, found):
    """Every way to cut a word into pieces, with the logarithm of its probability."""
    for k in range(len(word)):
        for at in combinations(range(1, len(word)), k):
            cut = [word[a:b] for a, b in zip((0, *at), (*at, len(word)))]
            if all(piece in found for piece in cut):
                yield sum(found[piece] for piece in cut), cut


@checkpoint("Unigram pieces: the likeliest cut, and the average over all cuts", stretch=True, count=40)
def unigram(lib, drawn, word):
    found = {bytes([b]): -20.0 for b in range(256)} | {bytes(piece): value for piece, value in drawn}
    model, word = lib.text.unigram.Unigram(found), bytes(word)
    counts = model.expected_counts(word)
    return {
        "likeliest": float(sum(found[piece] for piece in model.segments(word))),
        "joined": list(b"".join(model.segments(word))),
        "ln p": float(model.log_probability(word)),
        "counts": {piece.decode(): float(share) for piece, share in counts.items() if share > 0},
        "back": model.decode(model.encode(word.decode() + " été")),
    }


@unigram.cases
def _(draw):
    return dict(drawn=unigram_pieces(draw), word=[draw.integer(97, 99) for _ in range(draw.integer(1, 9))])


@unigram.oracle
def _(drawn, word):
    found, word = {bytes(piece): value for piece, value in drawn}, bytes(word)
    every = list(cuts(word, found))
    total = math.log(sum(math.exp(value) for value, _ in every))
    counts = {}
    for value, cut in every:
        for piece in cut:
            counts[piece.decode()] = counts.get(piece.decode(), 0.0) + math.exp(value - total)
    return {
        "likeliest": max(every)[0],
        "joined": list(word),
        "ln p": total,
        "counts": counts,
        "back": word.decode() + " été",
    }


@checkpoint(
    "Unigram training: the size asked for, probabilities, and shorter texts", stretch=True, count=1, seconds=10.0
)
def unigram_trained(lib, text, vocab_size):
    model = lib.text.unigram.train(text, vocab_size)
    return {
        "size": model.vocab_size,
        "sum": float(np.exp(list(model.pieces.values())).sum()),
        "bytes": all(bytes([b]) in model.pieces for b in range(256)),
        "tokens": len(model.encode(text)),
        "back": model.decode(model.encode(text)) == text,
    }


@unigram_trained.edges
def _():
    return [dict(text=LESSON * 2, vocab_size=300)]


@unigram_trained.accepts
def _(got, text, vocab_size):
    if got["size"] != vocab_size or not got["bytes"]:
        return f"{got['size']} pieces, where {vocab_size} were asked for, all 256 bytes among them."
    if abs(got["sum"] - 1.0) > 1e-6:
        return f"The probabilities sum to {got['sum']:.6f}."
    if not got["back"]:
        return "The text does not come back."
    if got["tokens"] > 0.6 * len(text.encode()):
        return f"{got['tokens']} tokens for {len(text.encode())} bytes: hardly shorter than the bytes."
    return True
