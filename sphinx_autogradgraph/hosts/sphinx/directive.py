"""Declaration of the directives for docutils.

Their work is in :mod:`~sphinx_autogradgraph.hosts.sphinx.reading`, which the first directive of a
build imports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


class OptionSpec(dict[str, Callable[[str], str]]):
    """Option spec whose error for an unknown name lists the known ones.

    docutils puts the argument of the :exc:`KeyError` between the quotes of
    ``unknown option: "…"``.  This argument closes these quotes, and opens others for docutils to
    close.
    """

    def __missing__(self, name: str) -> Callable[[str], str]:
        known = ", ".join(f'"{key}"' for key in sorted(self))
        raise KeyError(f'{name}"; the options are {known.removesuffix(chr(34))}')


def _text(value: str | None) -> str:
    return value or ""


class _Declared:
    """The declared options, which are imported when docutils meets the first directive.

    docutils takes all values as texts: it would report a bad one under its own type of warning.
    """

    def __get__(self, instance: object, owner: type) -> OptionSpec:
        from sphinx_autogradgraph.figures.options import DECLARATIONS

        return OptionSpec(dict.fromkeys(DECLARATIONS, _text))


class AutogradGraph(SphinxDirective):
    """Draw the autograd graph of a tensor of a program."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[Any] = _Declared()

    def run(self) -> list[nodes.Node]:
        """Return the figure, which awaits its drawing until the page has been read."""
        from sphinx_autogradgraph.hosts.sphinx.reading import read_figure

        return read_figure(self)


class AutogradSetup(SphinxDirective):
    """Run code as part of the page's program and show nothing of it."""

    has_content = True
    option_spec: ClassVar[OptionSpec] = OptionSpec()

    def run(self) -> list[nodes.Node]:
        """Return a node that no builder shows, with the code on it until the page is drawn."""
        from sphinx_autogradgraph.hosts.sphinx.reading import read_setup

        self.assert_has_content()
        return read_setup(self)
