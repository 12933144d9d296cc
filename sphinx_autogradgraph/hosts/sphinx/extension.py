"""Set-up of the extension: what it adds to Sphinx, and when it acts."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes

from sphinx_autogradgraph.hosts.sphinx.build_wide import setup_build_wide
from sphinx_autogradgraph.hosts.sphinx.call_links import url_of_call
from sphinx_autogradgraph.hosts.sphinx.check_builders import setup_builders
from sphinx_autogradgraph.hosts.sphinx.config_values import setup_config
from sphinx_autogradgraph.hosts.sphinx.data_files import setup_data_files, write_file
from sphinx_autogradgraph.hosts.sphinx.dependencies import setup_dependencies
from sphinx_autogradgraph.hosts.sphinx.directive import AutogradGraph, AutogradSetup
from sphinx_autogradgraph.hosts.sphinx.docstrings import setup_docstrings
from sphinx_autogradgraph.hosts.sphinx.epub import setup_epub
from sphinx_autogradgraph.hosts.sphinx.latex_tables import TablesToLatex
from sphinx_autogradgraph.hosts.sphinx.transforms import (
    CONTEXT_EVENT,
    PAGE_EVENT,
    PDF_EVENT,
    CanvasToPdf,
    CanvasToSvg,
    CanvasToText,
    DrawPage,
)
from sphinx_autogradgraph.hosts.sphinx.translation import CATALOG
from sphinx_autogradgraph.hosts.sphinx.unfinished import setup_unfinished
from sphinx_autogradgraph.hosts.sphinx.written import setup_written

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment
    from sphinx.util.typing import ExtensionMetadata

    from sphinx_autogradgraph.figures.figure_html import CanvasContext

PACKAGE = Path(__file__).parents[2]
STYLE, SCRIPT = "autogradgraph.css", "autogradgraph.js"


def setup_extension(app: Sphinx, version: str) -> ExtensionMetadata:
    """Add everything to the application; ``version`` is that of this package."""
    setup_config(app)
    app.add_message_catalog(CATALOG, str(PACKAGE / "locale"))
    app.add_directive("autogradgraph", AutogradGraph)
    app.add_directive("autogradgraph-setup", AutogradSetup)
    setup_build_wide(app)
    setup_dependencies(app)
    setup_unfinished(app)
    setup_data_files(app, written=setup_written(app))
    setup_drawing(app)
    setup_static(app)
    setup_epub(app)
    return {
        "version": version,
        "env_version": 5,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }


def setup_drawing(app: Sphinx) -> None:
    """Run the programs of pages while others are read, and put in the figures when all are."""
    app.add_event(PAGE_EVENT)
    app.add_event(CONTEXT_EVENT)
    app.connect(CONTEXT_EVENT, _canvas_context)
    app.add_event(PDF_EVENT)
    app.connect(PDF_EVENT, _write_pdf)
    app.connect("env-before-read-docs", _begin_build)
    app.add_transform(DrawPage)
    app.add_post_transform(CanvasToSvg)
    app.add_post_transform(CanvasToPdf)
    app.add_post_transform(CanvasToText)
    app.add_post_transform(TablesToLatex)
    setup_builders(app)
    setup_docstrings(app)


def _begin_build(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Make the pipeline of a build before Sphinx forks to read.

    A build that reads no document imports next to nothing of this package, and so is as fast as
    without.
    """
    if not docnames:
        return
    from sphinx_autogradgraph.hosts.sphinx.worker_of_build import worker_of_build

    runner = worker_of_build(app, docnames)
    # While torch is imported in the worker: this takes longer.
    from sphinx_autogradgraph.hosts.sphinx.build import Build

    build = Build(app, runner)

    def end(app: Sphinx, exception: Exception | None) -> None:
        build.close()
        for listener in listeners:
            app.disconnect(listener)

    listeners = [
        app.connect(PAGE_EVENT, build.take_page),
        # After this package's stores are merged; before others look at doctrees when all are read.
        app.connect("env-merge-info", build.take_merged, priority=900),
        app.connect("env-updated", build.put_in, priority=100),
        app.connect("build-finished", end),
    ]


def _canvas_context(app: Sphinx, docname: str) -> CanvasContext:
    from sphinx_autogradgraph.figures.figure_html import CanvasContext

    return CanvasContext(
        url_of_call=partial(url_of_call, app, docname),
        url_of_file=partial(write_file, app, docname),
        # EPUB knows but three roles of an SVG, and no script.
        role="img" if app.builder.name == "epub" else "group",
        opens=app.builder.name != "epub",
        texts=app.builder.name != "epub",
    )


def _write_pdf(app: Sphinx, name: str, data: bytes) -> None:
    """Write a drawing beside the text that LaTeX reads."""
    from sphinx_autogradgraph.core.atomic_files import write_aside

    write_aside(Path(app.outdir, name), data)


def setup_static(app: Sphinx) -> None:
    """Ship the style sheet and the script, and load them on pages that have a graph."""
    app.connect("config-inited", _add_static_path)
    app.connect("html-page-context", _add_assets)


def _add_static_path(app: Sphinx, config: Config) -> None:
    # Sphinx compares the configuration with that of the last build before there is a builder: what
    # is added later, it would announce as a change in every build.
    config.html_static_path.append(str(PACKAGE / "static"))


def _add_assets(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    if doctree is not None and any(
        "autogradgraph" in figure["classes"] for figure in doctree.findall(nodes.figure)
    ):
        app.add_css_file(STYLE)
        app.add_js_file(SCRIPT, loading_method="defer")
