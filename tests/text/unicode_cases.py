"""Strings that tokenizers are known to disagree about, drawn from the corners of Unicode."""

from __future__ import annotations

import random

WORDS = [
    "the",
    "The",
    "HTTPServer",
    "don't",
    "DON'T",
    "we'll",
    "I'Ve",
    "l'été",
    "straße",
    "'ſ",
    "ǅ",
    "İstanbul",
    "naïve",
]
SCRIPTS = [
    "中文字",
    "ひらがな",
    "한국어",
    "العربية",
    "עברית",
    "हिन्दी",
    "ไทย",
    "Ελληνικά",
    "кириллица",
    "ქართული",
    "𝒳𝓎",
    "𐌰𐌱",
]
NUMERALS = ["0", "7", "2024", "3.14159", "½", "Ⅷ", "٣٤", "²", "一二", "1234567890123"]
SPACES = [
    " ",
    "  ",
    "   ",
    "\n",
    "\n\n",
    "\r\n",
    "\t",
    "\t\t ",
    " \n ",
    "\x0b",
    "\x0c",
    "\x85",
    "\xa0",
    "\u2003",
    "\u2028",
    "\u3000",
]
CONTROLS = [
    "\x00",
    "\x01",
    "\x1b[0m",
    "\x1c",
    "\x1f",
    "\x7f",
    "\x80",
    "\u200b",
    "\u200d",
    "\u200e",
    "\ufeff",
    "\ufffd",
    "\ufffe",
    "\uffff",
]
EMOJI = ["😀", "👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇩🇪", "1️⃣", "❤️"]
MARKS = ["e\u0301", "\u0301", "a\u0308\u0304", "Z\u0335\u0321"]
SIGNS = [
    "!",
    "...",
    "->",
    "==",
    "()",
    "'",
    "''",
    "'s",
    "_",
    "__init__",
    "#",
    "$",
    "€",
    "«»",
    "—",
    "\\n",
    "<|endoftext|>",
]
KINDS = [WORDS, SCRIPTS, NUMERALS, SPACES, SPACES, CONTROLS, EMOJI, MARKS, SIGNS]


def strings(seed: int, count: int) -> list[str]:
    """Mixtures of the above; every tenth is of code points drawn evenly from those that are assigned in old Unicode planes."""
    rng = random.Random(seed)
    made = []
    for number in range(count):
        if number % 10 == 0:
            points = [
                rng.choice([rng.randrange(0x250), rng.randrange(0x3000), rng.randrange(0xD800)])
                for _ in range(rng.randint(0, 12))
            ]
            made.append("".join(map(chr, points)))
        else:
            made.append("".join(rng.choice(rng.choice(KINDS)) for _ in range(rng.randint(0, 16))))
    return made
