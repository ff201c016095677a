"""Fonts for the desk: each face cut down to the letters and signs that lessons use, as woff2.

    python fonts.py NODE_MODULES OUT

The licence of Source Serif reserves the name Source, so what is cut from it is called Groundup Serif.
"""

import re
import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

RANGES = """
20-7E A0-17F 370-3FF       Latin, with the letters in people's names; Greek
2010-2027 2030-203A        dashes, quotation marks, dots
1D40 1D4F 1D50 1D62-1D66 2070-209C 2C7C  raised and lowered letters and digits
20AC 2113 2122 2190-22FF 2308-230B 27E8 27E9  arrows and mathematics
2500-25FF 2713 2717 FFFD   boxes, blocks, shapes, ticks
"""
NEEDED = "ABCxyz019 éöüß αβγδεθλμπσφωΔΣΩ −×·±≤≥≠≈∞∂√ ←→↑↓ “”’–—…"  # in every face, or the build ends
PROSE = ["kern", "liga", "mark", "mkmk", "ccmp", "locl", "onum", "lnum", "pnum", "tnum"]
PLAIN = ["kern", "mark", "mkmk", "ccmp", "locl", "tnum", "zero"]  # without calt and liga: what is typed is what is seen

FACES = [  # package, file, family, style, weight, features
    ("source-serif-4", "400Regular/SourceSerif4_400Regular.ttf", "Groundup Serif", "normal", 400, PROSE),
    ("source-serif-4", "400Regular_Italic/SourceSerif4_400Regular_Italic.ttf", "Groundup Serif", "italic", 400, PROSE),
    ("source-serif-4", "600SemiBold/SourceSerif4_600SemiBold.ttf", "Groundup Serif", "normal", 600, PROSE),
    ("inter", "400Regular/Inter_400Regular.ttf", "Inter", "normal", 400, PLAIN),
    ("inter", "500Medium/Inter_500Medium.ttf", "Inter", "normal", 500, PLAIN),
    ("inter", "600SemiBold/Inter_600SemiBold.ttf", "Inter", "normal", 600, PLAIN),
    ("jetbrains-mono", "400Regular/JetBrainsMono_400Regular.ttf", "JetBrains Mono", "normal", 400, PLAIN),
    ("jetbrains-mono", "400Regular_Italic/JetBrainsMono_400Regular_Italic.ttf", "JetBrains Mono", "italic", 400, PLAIN),
    ("jetbrains-mono", "600SemiBold/JetBrainsMono_600SemiBold.ttf", "JetBrains Mono", "normal", 600, PLAIN),
]


def cut(source: Path, target: Path, features: list[str], family: str | None) -> None:
    """Writes the letters and signs above, and nothing that changes from one build to the next."""
    font = TTFont(source, recalcTimestamp=False)
    options = Options()
    options.layout_features = features
    options.hinting = False
    options.notdef_outline = True
    options.name_IDs = [0, 1, 2, 4, 5, 6, 13, 14]
    lacking = [sign for sign in NEEDED if ord(sign) not in font.getBestCmap()]
    if lacking:
        raise SystemExit(f"{source.name} has no {' '.join(lacking)}")
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=signs())
    subsetter.subset(font)
    if family:
        rename(font, family)
    font.flavor = "woff2"
    font.save(target)


def signs() -> list[int]:
    """The code points that RANGES names."""
    found = re.findall(r"\b([0-9A-F]{2,4})(?:-([0-9A-F]+))?\b", RANGES)
    return [point for first, last in found for point in range(int(first, 16), int(last or first, 16) + 1)]


def rename(font: TTFont, family: str) -> None:
    style = font["name"].getDebugName(2)
    for record in font["name"].names:
        if record.nameID in (1, 4, 6):
            full = family if record.nameID == 1 else f"{family} {style}"
            record.string = full.replace(" ", "") if record.nameID == 6 else full


def main(modules: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    rules = ["/* Made by tools/vendor/fonts.py. Groundup Serif is Source Serif 4, cut down and so renamed. */"]
    for package, file, family, style, weight, features in FACES:
        name = f"{family.lower().replace(' ', '-')}-{weight}{'-italic' if style == 'italic' else ''}.woff2"
        source = modules / "@expo-google-fonts" / package / file
        cut(source, out / name, features, family if package == "source-serif-4" else None)
        rules.append(
            f'@font-face {{ font-family: "{family}"; font-style: {style}; font-weight: {weight}; font-display: swap; '
            f'src: url("{name}") format("woff2") }}'
        )
    (out / "fonts.css").write_text("\n".join(rules) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
