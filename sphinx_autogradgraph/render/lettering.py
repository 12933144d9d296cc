"""Letters of a drawing: their sizes and widths, and words that are safe and short enough."""

from __future__ import annotations

import unicodedata

FONT_SIZE = 13.0
"""Size of the labels, in the units of the drawing (CSS pixels at 100 %)."""

CLUSTER_FONT_SIZE = 11.0
"""Size of the names of frames."""

CHARACTER = 0.602
"""Width of a character of a monospace font, in its size: that of the widest in use (DejaVu Sans
Mono, Menlo); Courier and Liberation Mono have 0.6, Consolas 0.55."""

MAX_LABEL = 60
"""Maximum number of characters of a word in a label; the tooltip has the whole word."""


def cut(word: str) -> str:
    """Shorten a word that is too long for a box."""
    return word if len(word) <= MAX_LABEL else f"{word[: MAX_LABEL - 1]}…"


def printable(text: str) -> str:
    """Return the text on one line and without characters that are unsafe to print.

    Those are characters that XML forbids, that are invisible, or that turn the direction of
    writing, which could make a name read as another."""
    if text.isprintable():  # as nearly all is
        return text
    kept = []
    for char in text:
        category = unicodedata.category(char)
        if char.isspace():
            kept.append(" ")
        elif category in ("Cc", "Cs", "Cn", "Co") or char in _BIDI or char in "\ufffe\uffff":
            kept.append("\N{REPLACEMENT CHARACTER}")
        else:
            kept.append(char)
    return "".join(kept)


_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def text_width(text: str) -> float:
    """Return the width of a text in a monospace font, in font sizes.

    East Asian wide characters come from another font, where they are 1 em; signs that combine
    with the one before have no width.
    """
    if text.isascii():
        return CHARACTER * len(text)
    return sum(_character_width(char) for char in text)


def _character_width(char: str) -> float:
    if ord(char) < 256:
        return CHARACTER
    if unicodedata.combining(char):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return 1.05
    # Fonts differ on the rest, and a fallback font may be wider: be generous.
    return 0.75 if unicodedata.category(char)[0] == "L" else 0.9
