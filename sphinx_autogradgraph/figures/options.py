"""The options of the directive: from their texts to values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar, get_args

from docutils.parsers.rst import directives

from sphinx_autogradgraph.core.diagnostics import Diagnostic, DiagnosticError
from sphinx_autogradgraph.core.messages import Message, MessageError
from sphinx_autogradgraph.program.program import split_expressions
from sphinx_autogradgraph.render.diagram import DIRECTIONS, Direction
from sphinx_autogradgraph.render.labels import SHOW, Show
from sphinx_autogradgraph.views.choice import EVERYTHING, FOLDS, FoldWord, Scope, fold_words

T = TypeVar("T")
W = TypeVar("W", bound=str)

TableName = Literal["tensors", "nodes"]
TABLES: tuple[TableName, ...] = get_args(TableName)


@dataclass(frozen=True)
class Options:
    """The options of one directive, parsed.  None and empty where the author did not say."""

    tensor: tuple[str, ...] = ()
    caption: str = ""
    name: str = ""
    alt: str = ""
    align: str | None = None
    width: str | None = None
    classes: tuple[str, ...] = ()
    figclasses: tuple[str, ...] = ()
    direction: Direction = "TB"
    scope: Scope = EVERYTHING
    show: tuple[Show, ...] = ("shape",)
    include_source: bool | None = None
    table: tuple[TableName, ...] = ()
    context: bool = False
    skip: bool = False
    raises: str | None = None
    seed: int = 0
    timeout: float = 60.0
    diagnostics: tuple[Diagnostic, ...] = field(default=())


def parse_options(texts: Mapping[str, str], *, show: str, timeout: float, limit: int) -> Options:
    """Parse the texts of the options; the others are the configured defaults.

    A bad value is a diagnostic (``option``) in the result, and its option as if it were not there.
    """
    diagnostics: list[Diagnostic] = []

    def parsed(name: str, convert: Callable[[str], T], default: T) -> T:
        if name not in texts:
            return default
        try:
            return convert(texts[name])
        except DiagnosticError as error:
            diagnostics.append(error.diagnostic)
        except ValueError as error:
            diagnostics.append(
                Diagnostic(
                    "option",
                    ":{name}: cannot be {value}: {reason}",
                    {"name": name, "value": repr(texts[name]), "reason": _reason(error)},
                )
            )
        return default

    try:
        default_show = _show(show)
    except ValueError as error:
        default_show = ("shape",)
        diagnostics.append(
            Diagnostic(
                "option",
                "autogradgraph_show cannot be {value}: {reason}",
                {"value": repr(show), "reason": _reason(error)},
            )
        )
    return Options(
        tensor=parsed("tensor", split_expressions, ()),
        caption=texts.get("caption", ""),
        name=texts.get("name", ""),
        alt=texts.get("alt", ""),
        align=parsed("align", _align, None),
        width=parsed("width", _width, None),
        classes=parsed("class", _classes, ()),
        figclasses=parsed("figclass", _classes, ()),
        direction=parsed("direction", _direction, "TB"),
        show=parsed("show", _show, default_show),
        scope=Scope(
            depth=parsed("depth", _depth, None),
            fold=parsed("fold", _fold, ()),
            around=parsed("around", _named, None),
            until=parsed("until", _named, None),
            limit=limit,
        ),
        include_source=parsed("include-source", _yes_or_no, None),
        table=parsed("table", _table, ()),
        context=parsed("context", _yes_or_no, False),
        skip=parsed("skip", _yes_or_no, False),
        raises=parsed("raises", _exception, None),
        seed=parsed("seed", _seed, 0),
        timeout=parsed("timeout", _seconds, float(timeout)),
        diagnostics=tuple(diagnostics),
    )


def _reason(error: ValueError) -> str | Message:
    """What is wrong with a value; docutils and Python have their own words."""
    return error.message if isinstance(error, MessageError) else str(error)


def _align(text: str) -> str:
    return str(directives.choice(text, ("left", "center", "right")))


def _width(text: str) -> str:
    length = str(directives.length_or_percentage_or_unitless(text, "px"))
    if not length:
        raise MessageError("a length is needed")
    return length


def _classes(text: str) -> tuple[str, ...]:
    return tuple(directives.class_option(text))


def _direction(text: str) -> Direction:
    for direction in DIRECTIONS:
        if text.strip().upper() == direction:
            return direction
    raise MessageError("choose from {choices}", {"choices": ", ".join(DIRECTIONS)})


def _show(text: str) -> tuple[Show, ...]:
    return _words(text, SHOW)


def _depth(text: str) -> int:
    depth = int(text)
    if depth < 1:
        raise MessageError("a whole number from 1 is needed")
    return depth


def _fold(text: str) -> tuple[FoldWord, ...]:
    words = fold_words(text.replace(",", " ").split())
    if not words:
        raise MessageError("choose from {choices}", {"choices": ", ".join(FOLDS)})
    return words


def _named(text: str) -> str:
    if not text.strip():
        raise MessageError("the name of a tensor or a module is needed")
    return text.strip()


def _table(text: str) -> tuple[TableName, ...]:
    return _words(text, TABLES)


def _words(text: str, known: tuple[W, ...]) -> tuple[W, ...]:
    """Words of those that are known, by spaces or commas, each once."""
    by_text: dict[str, W] = {word: word for word in known}
    words = text.replace(",", " ").split()
    for word in words:
        if word not in by_text:
            values = {"word": repr(word), "choices": ", ".join(known)}
            raise MessageError("there is no {word}; choose from {choices}", values)
    return tuple(by_text[word] for word in dict.fromkeys(words))


def _yes_or_no(text: str) -> bool:
    word = text.strip().lower()
    if word in ("", "yes", "true"):
        return True
    if word in ("no", "false"):
        return False
    raise MessageError("choose from {choices}", {"choices": "yes, no"})


def _exception(text: str) -> str:
    name = text.strip()
    if not all(part.isidentifier() for part in name.split(".")):
        raise MessageError("the name of an exception is needed")
    return name


def _seed(text: str) -> int:
    seed = int(text)
    if not 0 <= seed < 2**64:
        raise MessageError("a whole number from 0 to 2**64 - 1 is needed")
    return seed


def _seconds(text: str) -> float:
    seconds = float(text)
    if not (math.isfinite(seconds) and seconds > 0):
        raise MessageError("a number of seconds above 0 is needed")
    return seconds
