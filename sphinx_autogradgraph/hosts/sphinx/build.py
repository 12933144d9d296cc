"""One build: the figures of the pages that Sphinx has read go through the pipeline."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from docutils.utils import Reporter
from sphinx.util import logging

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.figures.html_ids import page_slug
from sphinx_autogradgraph.figures.pipeline import FinishedFigure, PageFigures, Pipeline
from sphinx_autogradgraph.figures.plan import Figure
from sphinx_autogradgraph.graph.model import Source
from sphinx_autogradgraph.hosts.sphinx import build_wide, dependencies
from sphinx_autogradgraph.hosts.sphinx.attributes import CHECK, UPDATE
from sphinx_autogradgraph.hosts.sphinx.check_builders import part_of
from sphinx_autogradgraph.hosts.sphinx.comparisons import COMPARISONS, ERRORS, snapshot_policy
from sphinx_autogradgraph.hosts.sphinx.config_values import settings_of
from sphinx_autogradgraph.hosts.sphinx.document_page import DocumentPage, concerns_us
from sphinx_autogradgraph.hosts.sphinx.figure_nodes import fail, fill, leave_out
from sphinx_autogradgraph.hosts.sphinx.gallery import is_gallery_page, runs_in_gallery
from sphinx_autogradgraph.hosts.sphinx.table_nodes import table_node
from sphinx_autogradgraph.hosts.sphinx.translation import _
from sphinx_autogradgraph.program.observations import Observation
from sphinx_autogradgraph.snapshots.figure_names import FigureNames
from sphinx_autogradgraph.snapshots.policy import Purpose

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

logger = logging.getLogger(__name__)

IDLE_BUILDERS = frozenset({"changes", "gettext", "linkcheck"})
"""Builders whose output does not depend on what code does: they run none."""

ERROR = Reporter.ERROR_LEVEL

PURPOSES: dict[str, Purpose] = {CHECK: "check", UPDATE: "update"}
"""What graphs are made for, by the names of our builders."""


class Build:
    """The pipeline of one build of Sphinx.

    Made before Sphinx forks to read; the worker starts with the first program.
    """

    def __init__(self, app: Sphinx) -> None:
        config = app.config
        cache = config.autogradgraph_cache
        self._pipeline = Pipeline(
            settings_of(config),
            project=str(app.srcdir),
            # What conf.py made of sys.path; what is relative there is so to conf.py.
            path=[os.path.join(app.confdir, entry) for entry in sys.path if entry],
            cache=Path(app.confdir, cache) if cache else app.doctreedir / CHECK,
            snapshots=snapshot_policy(app),
            purpose=PURPOSES.get(app.builder.name, "build"),
            translate=_,
        )

    def warm_up(self, app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
        """Have torch imported while documents are read, if one of them looks as if it needed it."""
        if not docnames or app.builder.name in IDLE_BUILDERS or not self._pipeline.runs:
            return
        for docname in docnames:
            try:
                text = Path(env.doc2path(docname)).read_text("utf-8", errors="ignore")
            except OSError:  # Sphinx has words for that
                continue
            if "autogradgraph" in text:
                self._pipeline.warm_up()
                return

    def close(self) -> None:
        """End what was started."""
        self._pipeline.close()

    def draw_page(self, app: Sphinx, document: nodes.document) -> None:
        """Draw all figures of a document that has just been read."""
        if any(message["level"] >= ERROR for message in document.findall(nodes.system_message)):
            ERRORS.add(app.env, app.env.docname, True)
        if not concerns_us(document):
            return
        env, docname = app.env, app.env.docname
        root, slug = str(env.srcdir), page_slug(docname)
        runs = not is_gallery_page(document) or runs_in_gallery(document, app.config, root)
        page = DocumentPage(document, app.config.highlight_language, root, slug, runs=runs)
        if not page.plan.figures:
            return
        if app.builder.name in IDLE_BUILDERS:
            for figure in page.plan.figures:
                leave_out(figure.element)
            env.note_reread()  # the next builder may share these doctrees, and needs the drawings
            return
        for figure in page.plan.figures:
            page.show_source(figure)
        file = str(env.doc2path(docname))
        host = DocumentHost(self._pipeline, env, docname, file, page)
        figures = PageFigures(page.plan, host, os.path.dirname(file), root, slug)

        def waiting(done: int, count: int, seconds: float) -> None:
            text = _(
                "running the code of {page}: {done} of {count} programs done after {seconds} s"
            )
            values = {"page": docname, "done": done, "count": count, "seconds": f"{seconds:.0f}"}
            logger.info(text.format(**values))

        if part_of(app).has(docname, env.found_docs):
            self._pipeline.draw(figures, waiting)
        else:
            self._pipeline.pass_over(figures)
        for comparison in figures.comparisons:
            COMPARISONS.add(env, docname, comparison)


class DocumentHost:
    """A document of Sphinx, as the pipeline sees it (:class:`.Host`)."""

    def __init__(
        self,
        pipeline: Pipeline,
        env: BuildEnvironment,
        docname: str,
        file: str,
        page: DocumentPage,
    ) -> None:
        self._snapshots = pipeline.snapshots
        self._env = env
        self._docname = docname
        self._file = file
        self._page = page
        self._names = FigureNames(docname, env.found_docs.__contains__)
        self._names.add(page.plan.names())

    def warn(self, element: nodes.Element, diagnostic: Diagnostic, figure: nodes.Element) -> None:
        """Warn at a node of the author's, now and on every build until it is mended."""
        self._env.reread_always.add(self._docname)
        if diagnostic.build_wide:
            build_wide.note(self._env, self._docname, element, diagnostic)
            return
        logger.warning(
            diagnostic.report(_), location=element, type="autogradgraph", subtype=diagnostic.kind
        )

    def snapshot_path(self, figure: Figure[nodes.Element]) -> Path | None:
        """Return the file of a figure's snapshot, None where none is kept."""
        if self._snapshots is None:
            return None
        return self._snapshots.path(self._names, figure.number)

    def depends_on(self, observations: Iterable[Observation]) -> None:
        """Have the document read again when any of this is not as it was observed."""
        others = (found for found in observations if found.path != self._file)
        dependencies.note_observed(self._env, self._docname, others)

    def line_anchor(self, figure: Figure[nodes.Element], source: Source) -> str | None:
        """Return the id of a line of code on the page, None if the page does not show it."""
        return self._page.line_link(figure, source)

    def place(self, figure: Figure[nodes.Element], result: FinishedFigure | Diagnostic) -> None:
        """Put what was traced into its figure, or say there why it could not be drawn."""
        element = figure.element
        if isinstance(result, Diagnostic):
            fail(element, result)
            return
        fill(element, result.traced, figure.request.options, result.layout)
        parent = element.parent
        for table in reversed(result.tables):
            parent.insert(parent.index(element) + 1, table_node(table))
