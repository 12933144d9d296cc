"""The names of the options."""

NAMES = (
    "tensor", "caption", "name", "alt", "align", "width", "class", "figclass", "direction",
    "show", "depth", "fold", "around", "until", "table", "include-source", "context", "skip",
    "raises", "seed", "timeout",
)  # fmt: skip
