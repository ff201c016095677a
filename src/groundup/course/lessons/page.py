"""A lesson's page in the terminal: prose as Markdown, mathematics in plain signs, checkpoints after the build."""

from __future__ import annotations

import re

from .lesson import FIGURE, Lesson
from .probes import load_probes

SIGNS = {
    r"\cdot": "·", r"\partial": "∂", r"\sum": "Σ", r"\prod": "Π", r"\int": "∫", r"\nabla": "∇", r"\infty": "∞", r"\times": "×",
    r"\le": "≤", r"\leq": "≤", r"\ge": "≥", r"\geq": "≥", r"\ne": "≠", r"\neq": "≠", r"\approx": "≈", r"\to": "→", r"\mapsto": "↦",
    r"\in": "∈", r"\sim": "~", r"\pm": "±", r"\ldots": "...", r"\dots": "...", r"\cdots": "...", r"\top": "ᵀ", r"\mid": "|",
    r"\quad": "   ", r"\qquad": "      ", r"\,": " ", r"\;": " ", r"\!": "", r"\left": "", r"\right": "", r"\\": "\n", r"\lVert": "‖", r"\rVert": "‖", r"\|": "‖",
    r"\log": "log ", r"\exp": "exp ", r"\tanh": "tanh ", r"\max": "max ", r"\min": "min ", r"\sin": "sin ", r"\cos": "cos ", r"\propto": "∝",
    r"\alpha": "α", r"\beta": "β", r"\gamma": "γ", r"\delta": "δ", r"\epsilon": "ε", r"\varepsilon": "ε", r"\eta": "η", r"\theta": "θ",
    r"\lambda": "λ", r"\mu": "μ", r"\nu": "ν", r"\pi": "π", r"\rho": "ρ", r"\sigma": "σ", r"\tau": "τ", r"\phi": "φ", r"\varphi": "φ", r"\chi": "χ",
    r"\psi": "ψ", r"\omega": "ω", r"\Delta": "Δ", r"\Sigma": "Σ", r"\Omega": "Ω", r"\Theta": "Θ", r"\Lambda": "Λ", r"\ell": "ℓ", r"\Rightarrow": "⇒", r"\iff": "⇔",
    r"\lfloor": "⌊", r"\rfloor": "⌋", r"\lceil": "⌈", r"\rceil": "⌉", r"\odot": "⊙", r"\circ": "∘", r"\{": "{", r"\}": "}", r"\ ": " ", r"\%": "%",
    r"\bigl": "", r"\bigr": "", r"\Bigl": "", r"\Bigr": "", r"\big": "", r"\Big": "", r"\lvert": "|", r"\rvert": "|", r"\ll": "≪", r"\gg": "≫", r"\forall": "∀", r"\xi": "ξ", r"\langle": "⟨", r"\rangle": "⟩",
    r"\Longleftrightarrow": "⟺", r"\leftarrow": "←", r"\bmod": " mod ",
}  # fmt: skip
RAISED = dict(zip("0123456789+-n=()iTᵀkm", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ⁼⁽⁾ⁱᵀᵀᵏᵐ"))
LOWERED = dict(zip("0123456789+-=()aeijkmnoprtux", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑᵢⱼₖₘₙₒₚᵣₜᵤₓ"))
GROUP = r"\{((?:[^{}]|\{[^{}]*\})*)\}"


def plain_mathematics(tex: str) -> str:
    """TeX as one would type it: \\frac{a}{b} as a/b, x^2 as x², Greek letters as themselves."""
    text = re.sub(r"\\(?:text|mathrm|mathsf|operatorname|mathbf|bm|boldsymbol|mathcal)\*?" + GROUP, r"\1", tex)
    text = re.sub(r"\\underbrace" + GROUP + r"_" + GROUP, r"\1 (\2)", text)
    text = re.sub(r"\\(?:hat|bar|tilde|vec|overline)" + GROUP, r"\1", text)
    text = re.sub(r"\\(?:hat|bar|tilde|vec)\s*(\w|\\[A-Za-z]+)", r"\1", text)
    text = re.sub(r"\\(?:begin|end)\{[^}]*\}|(?<!\\)&", "", text)
    text = re.sub(r"(\\[dt]?frac)\s*(\w)", r"\1{\2}", text)  # \frac12, \frac1{16}
    text = re.sub(r"(\\[dt]?frac" + GROUP + r")\s*(\w)", r"\1{\3}", text)
    text = re.sub(r"\\sqrt\s*(\w|\\[A-Za-z]+)", r"√\1", text)
    for _ in range(3):
        text = re.sub(r"\\[dt]?frac" + GROUP + GROUP, lambda m: f"{_bracketed(m[1])}/{_bracketed(m[2])}", text)
        text = re.sub(r"\\sqrt" + GROUP, r"√(\1)", text)
    text = re.sub(r"\\[A-Za-z]+|\\[^A-Za-z]", lambda m: SIGNS.get(m[0], m[0].lstrip("\\")), text)
    text = re.sub(r"\^(?:" + GROUP + r"|(.))", lambda m: _script(m[1] or m[2], RAISED, "^"), text)
    text = re.sub(r"_(?:" + GROUP + r"|(.))", lambda m: _script(m[1] or m[2], LOWERED, "_"), text)
    return re.sub(r"  +", " ", text.replace("{", "").replace("}", "").replace("∂ ", "∂")).strip()


def _bracketed(part: str) -> str:
    return part if re.fullmatch(r"\\?\w+(?:\s*\w)?", part.strip()) else f"({part})"


def _script(part: str, table: dict[str, str], mark: str) -> str:
    part = part.strip()
    if part and all(ch in table for ch in part):
        return "".join(table[ch] for ch in part)
    return f"{mark}{part}" if len(part) == 1 else f"{mark}({part})"


def page_text(lesson: Lesson) -> str:
    """The whole page as Markdown that a terminal can show."""
    text = lesson.prose
    checkpoints = "\n".join(
        f"{i}. {probe.checkpoint.name}{' *(stretch)*' if probe.checkpoint.stretch else ''}"
        for i, probe in enumerate(load_probes(lesson), 1)
    )
    text = text.replace("\n## Exercises", f"\n## Checkpoints\n\n{checkpoints}\n\n## Exercises", 1)
    parts = re.split(r"(^```.*?^```[^\n]*$)", text, flags=re.MULTILINE | re.DOTALL)
    shown = "".join(_block(part) if part.startswith("```") else _prose(part, lesson) for part in parts)
    return f"# {lesson.section_id} {lesson.title}\n\n{shown}"


def _block(block: str) -> str:
    return re.sub(r"^```(?:python run|output)", lambda m: "```python" if "python" in m[0] else "```text", block)


def _prose(text: str, lesson: Lesson) -> str:
    text = FIGURE.sub(lambda m: f"> *Figure: {m['caption']}* (`groundup show {lesson.section_id} --figures`)", text)
    text = re.sub(r"\$\$(.+?)\$\$", lambda m: f"\n\n```text\n{plain_mathematics(m[1])}\n```\n\n", text, flags=re.DOTALL)
    return re.sub(
        r"(?<![\\$])\$([^$\n]+(?:\n[^$\n]+)?)\$",
        lambda m: plain_mathematics(m[1].replace("\n", " ")).replace("*", r"\*").replace("_", r"\_"),
        text,
    )


def hints(lesson: Lesson) -> list[str]:
    """The hints of a lesson, from the list under `## Build it`: one for each item, in order."""
    part = lesson.prose.partition("\n## Build it")[2].partition("\n## ")[0]
    items = re.findall(
        r"^(?:[-*]|\d+\.) (\*\*.+?)(?=^(?:[-*]|\d+\.) \*\*|^\S|\Z)", part, flags=re.MULTILINE | re.DOTALL
    )
    return [
        re.sub(r"\s+", " ", _prose(item, lesson)).replace("\\_", "_").replace("**", "").replace("`", "").strip()
        for item in items
    ]
