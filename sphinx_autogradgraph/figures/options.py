"""The options of a figure, each declared once: name, default, how it is read, what it means.

From these declarations come the options of the directive, of the fence and of the command, their
checks, and the table in the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from sphinx_autogradgraph.core.diagnostics import Diagnostic, DiagnosticError
from sphinx_autogradgraph.core.messages import Message, MessageError
from sphinx_autogradgraph.core.settings import FIRST, MAX_NODES, Settings
from sphinx_autogradgraph.core.show import SHOW, Show, parse_show
from sphinx_autogradgraph.figures.option_values import (
    ALIGN,
    TABLES,
    TableName,
    parse_align,
    parse_classes,
    parse_depth,
    parse_direction,
    parse_exception,
    parse_fold,
    parse_named,
    parse_seconds,
    parse_seed,
    parse_table,
    parse_text,
    parse_width,
    parse_yes_or_no,
)
from sphinx_autogradgraph.program.program import split_expressions
from sphinx_autogradgraph.render.diagram import DIRECTIONS, Direction
from sphinx_autogradgraph.views.choice import FOLDS, FoldWord, Scope


@dataclass(frozen=True)
class Declaration:
    """An option: how its text is read, how it is written, and what it means.

    ``form`` and ``help`` are in reStructuredText.  ``short`` is the help of the command, which has
    only the options with one.  ``since`` is the release that brought the option.
    """

    parse: Callable[[str], Any]
    form: str
    help: str
    short: str = ""
    since: str = FIRST


def option(
    default: Any,
    parse: Callable[[str], Any],
    form: str,
    help: str,
    *,
    short: str = "",
    name: str = "",
    since: str = FIRST,
) -> Any:
    """Declare an option; ``name`` is that of the option where Python does not allow it."""
    metadata = {"declaration": Declaration(parse, form, help, short, since), "name": name}
    return field(default=default, metadata=metadata)


SHOWN: Mapping[Show, str] = {
    "shape": "the shapes of the tensors that nodes produce",
    "dtype": "their dtypes",
    "device": "their devices",
    "values": "the elements of tensors that have at most six, and of their gradients; also of what "
    "a call returned and no variable holds any more",
    "flags": "``is_leaf``, ``requires_grad``, ``retains_grad`` and ``grad`` of the tensors that "
    "are still there: leaves, inputs, and those that a variable holds",
    "saved": "what nodes saved for backward, by torch's names: tensors beside the node, like a "
    "sheet of paper, and other arguments in it (``exponent=2``).  A leaf that is saved says so "
    "itself.  Nothing is unpacked or computed again, and what a ``backward()`` has freed is marked",
    "memory": "how many bytes each node keeps alive for backward: whole storages, each at the "
    "first node that saved it, and none of leaves and inputs, which are there anyway.  A fold says "
    "the sum, the caption that of the whole graph",
    "inputs": "the tensors that do not require grad and went into operations, dashed; each says "
    "why it does not, and links to the line where that came about.  One that was cut from a tensor "
    "in the graph (by ``detach()``, under ``no_grad``, by its dtype) hangs on it by a dotted line",
    "formulas": "what each function node sends to each of its inputs, as a Python expression of "
    "``grad``, the gradient that arrived: ``→ w: X.T @ grad``.  Tensors have the program's names, "
    "else those under which torch saved them; saved numbers stand as numbers.  Every formula that "
    "is shown has been compared with what autograd passes, on the samples of torch's own operator "
    "database.  An operation without such a formula says nothing; a ``Function`` of your own shows "
    "its ``backward`` in the tooltip",
    "gradients": "what arrives at each node in one real backward, and what goes along each edge: "
    "the norm of the gradient, and the order of arrival.  The graph is retained, and every tensor "
    "keeps the ``grad`` that it has.  Hooks of the program's run, but none that wait for a leaf's "
    "accumulation.  Where the program has already freed the graph, the caption says so",
    "modules": "a frame around what each module made, with its path and class",
    "calls": "the function that was called, and its operator: ``torch.mm``, ``torch.Tensor.sub −``",
    "order": "the place of each node in the order in which backward visits them",
    "legend": "below the drawing, what the kinds of boxes in it mean",
}
"""What each word of ``:show:`` shows."""

TABLED: Mapping[TableName, str] = {
    "tensors": "the tensors of the program with their ``is_leaf``, ``requires_grad`` and "
    "``grad_fn``",
    "nodes": "the nodes of the graph with their shapes, lines and inputs",
    "parameters": "the parameters of the program's modules, their shapes and the gradient that "
    "reaches each, which is measured for that, or the reason why none does",
}
"""What each word of ``:table:`` lists."""


def _form(words: tuple[str, ...]) -> str:
    return " | ".join(f"``{word}``" for word in words)


def _listed(words: Mapping[Any, str]) -> str:
    return "\n\n".join(f"``{word}``\n   {text}" for word, text in words.items())


@dataclass(frozen=True)
class Options:
    """The options of one figure, parsed.  None and empty where the author did not say.

    ``diagnostics`` are about values that cannot be; ``limit`` is the setting ``max_nodes``.
    """

    tensor: tuple[str, ...] = option(
        (),
        split_expressions,
        "expressions",
        "What is drawn: any expression, or several with commas between them; tensors in tuples, "
        "lists, dicts and dataclasses are found.  Without it, the value of the last expression "
        "statement if it is or holds a tensor, else what the last assignment bound.",
        short="what to draw: expressions, by commas",
    )
    caption: str = option(
        "",
        parse_text,
        "text",
        "Your words, with inline markup.  What is generated (the output, the leaves and the chain "
        "of ``grad_fn``) becomes the legend below them.",
    )
    name: str = option(
        "", parse_text, "name", "The label of the figure, for ``:ref:`` and ``:numref:``."
    )
    alt: str = option(
        "", parse_text, "text", "The text alternative, in place of the generated one."
    )
    align: str | None = option(None, parse_align, _form(ALIGN), "As on ``figure``.")
    width: str | None = option(None, parse_width, "length", "As on ``figure``.")
    classes: tuple[str, ...] = option((), parse_classes, "names", "As on ``figure``.", name="class")
    figclasses: tuple[str, ...] = option(
        (), parse_classes, "names", "As on ``figure``.", name="figclass"
    )
    direction: Direction = option(
        "TB",
        parse_direction,
        _form(DIRECTIONS),
        "Where data flows: down (the default), up, to the right, to the left.",
        short="where data flows: down, up, right, left",
    )
    show: tuple[Show, ...] = option(
        ("shape",),
        parse_show,
        "words",
        f"What is shown, in place of ``autogradgraph_show``: any of\n\n{_listed(SHOWN)}",
        short=f"any of {', '.join(SHOW)}",
    )
    depth: int | None = option(
        None,
        parse_depth,
        "number",
        "1 draws each outermost module that the program called as one node with its parameters, 2 "
        "its parts, and so on.  A ``ModuleList`` is not called, and so no level.  See "
        ":doc:`large-models`.",
        short="modules at that depth, from 1, as one node each",
    )
    fold: tuple[FoldWord, ...] = option(
        (),
        parse_fold,
        _form(FOLDS),
        "What is drawn as one node, any of them together: calls of modules, as deep as can be seen "
        "at once; equal neighbours but for the first and the last; what one line of code made.  "
        "``none`` draws everything; without ``:fold:`` a graph with more than "
        "``autogradgraph_max_nodes`` nodes folds as far as it must.",
        short=f"any of {', '.join(FOLDS)}",
    )
    around: str | None = option(
        None,
        parse_named,
        "name",
        "Only what is near a tensor or a module: two operations before and after it.",
        short="only what is near a tensor or module",
    )
    until: str | None = option(
        None,
        parse_named,
        "name",
        "Only what was made from a tensor or a module.  Tensors and modules go by the names that "
        "figures and tables give them: ``h``, ``net.layers[3]``, ``net.layers.3.weight``.",
        short="only what comes after a tensor or module",
    )
    table: tuple[TableName, ...] = option(
        (),
        parse_table,
        _form(TABLES),
        f"A table below the figure, or several:\n\n{_listed(TABLED)}",
    )
    include_source: bool | None = option(
        None,
        parse_yes_or_no,
        "``yes`` | ``no``",
        "Whether the code that ran is shown above the figure.  Without it, inline code is shown.",
    )
    context: bool = option(
        False,
        parse_yes_or_no,
        "",
        "Inline code continues the program of the page instead of standing alone.",
    )
    raises: str | None = option(
        None,
        parse_exception,
        "exception",
        "The program is expected to raise this; not raising is then the error.  What it has made "
        "until then can be drawn.",
    )
    skip: bool = option(
        False, parse_yes_or_no, "", "Do not run it; draw from the snapshot if there is one."
    )
    seed: int = option(
        0,
        parse_seed,
        "number",
        "The seed for ``random``, numpy and torch (0).",
        short="for random numbers",
    )
    timeout: float = option(
        60.0, parse_seconds, "seconds", "How long the program may take.", short="of the program"
    )
    limit: int = MAX_NODES
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def scope(self) -> Scope:
        """Part of the graph that is drawn."""
        return Scope(self.depth, self.fold, self.around, self.until, self.limit)


_FIELDS = {
    item.metadata["name"] or item.name.replace("_", "-"): item
    for item in fields(Options)
    if "declaration" in item.metadata
}
DECLARATIONS: Mapping[str, Declaration] = {
    name: item.metadata["declaration"] for name, item in _FIELDS.items()
}
"""The declarations of the options, by the names that authors write."""


def unknown_option(name: str, known: Iterable[str]) -> Diagnostic:
    """Return the diagnostic for a name that no option has."""
    values = {"name": name, "choices": ", ".join(sorted(known))}
    return Diagnostic("option", "there is no option {name}; the options are {choices}", values)


def parse_options(texts: Mapping[str, str], settings: Settings) -> Options:
    """Parse the texts of the options; the others have the defaults that the settings give.

    A bad value is a diagnostic (``option``) in the result, and its option as if it were not there.
    """
    diagnostics: list[Diagnostic] = []
    found: dict[str, Any] = {
        "timeout": float(settings.timeout),
        "limit": settings.max_nodes,
        "show": parse_show(settings.show),
    }
    for name, item in _FIELDS.items():
        if name not in texts:
            continue
        try:
            found[item.name] = DECLARATIONS[name].parse(texts[name])
        except DiagnosticError as error:
            diagnostics.append(error.diagnostic)
        except MessageError as error:
            values: dict[str, str | Message] = {
                "name": name,
                "value": repr(texts[name]),
                "reason": error.message,
            }
            diagnostics.append(Diagnostic("option", ":{name}: cannot be {value}: {reason}", values))
    return Options(**found, diagnostics=tuple(diagnostics))
