"""One build: the figures of the pages that Sphinx has read go through the pipeline."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from docutils.utils import Reporter
from sphinx.util import logging

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.figures.html_ids import page_slug
from sphinx_autogradgraph.figures.page_figures import FinishedFigure, PageFigures
from sphinx_autogradgraph.figures.pipeline import Pipeline
from sphinx_autogradgraph.figures.plan import Figure
from sphinx_autogradgraph.figures.stage_times import StageTimes
from sphinx_autogradgraph.graph.model import Source
from sphinx_autogradgraph.hosts.sphinx import build_wide, dependencies
from sphinx_autogradgraph.hosts.sphinx.check_builders import part_of, purpose_of
from sphinx_autogradgraph.hosts.sphinx.comparisons import COMPARISONS, ERRORS, snapshot_policy
from sphinx_autogradgraph.hosts.sphinx.docstrings import (
    Docstrings,
    docstrings_of,
    remember_docstrings,
)
from sphinx_autogradgraph.hosts.sphinx.document_page import DocumentPage, concerns_us
from sphinx_autogradgraph.hosts.sphinx.document_store import Store
from sphinx_autogradgraph.hosts.sphinx.figure_nodes import fail, fill, leave_out, update_labels
from sphinx_autogradgraph.hosts.sphinx.gallery import is_gallery_page, runs_in_gallery
from sphinx_autogradgraph.hosts.sphinx.live_preview import suggest_linger
from sphinx_autogradgraph.hosts.sphinx.translation import _
from sphinx_autogradgraph.hosts.sphinx.worker_of_build import IDLE_BUILDERS
from sphinx_autogradgraph.program.observations import Observation
from sphinx_autogradgraph.snapshots.figure_names import FigureNames

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

    from sphinx_autogradgraph.runtime.cached_client import CachedRunner

logger = logging.getLogger(__name__)

ERROR = Reporter.ERROR_LEVEL

_read_elsewhere: Store[Docstrings] = Store("read_elsewhere")
"""Documents with figures that a process of ``-j`` has read, with their docstrings."""


class Build:
    """The pipeline of one build of Sphinx, made before Sphinx forks to read."""

    def __init__(self, app: Sphinx, runner: CachedRunner) -> None:
        self._process = os.getpid()
        self._pages: dict[str, tuple[nodes.document, PageFigures[nodes.Element]]] = {}
        self._put_in = False
        self._pipeline = Pipeline(
            runner,
            snapshots=snapshot_policy(app),
            purpose=purpose_of(app),
            translate=_,
        )

    def close(self) -> None:
        """End the processes that run programs."""
        self._pipeline.close()

    def take_page(self, app: Sphinx, document: nodes.document) -> None:
        """Hand over the programs of a document that has just been read.

        Its figures are put in when all documents are read.  In a process of ``-j`` that is left to
        the process that forked it, so that warnings have one order.
        """
        if any(message["level"] >= ERROR for message in document.findall(nodes.system_message)):
            ERRORS.add(app.env, app.env.docname, True)
        if not concerns_us(document):
            return
        env, docname = app.env, app.env.docname
        if app.builder.name in IDLE_BUILDERS:
            for figure in self._document_page(app, docname, document).plan.figures:
                leave_out(figure.element)
            env.note_reread()  # the next builder may share these doctrees, and needs the drawings
        elif os.getpid() != self._process:
            _read_elsewhere.add(env, docname, docstrings_of(document))
        else:
            self._start(app, docname, document)
            if self._put_in:  # some extension reads a document later than others
                self.put_in(app, env)

    def take_merged(
        self, app: Sphinx, env: BuildEnvironment, docnames: Iterable[str], other: BuildEnvironment
    ) -> None:
        """Hand over the programs of documents that a process of ``-j`` has read."""
        for docname in sorted(set(docnames) & set(_read_elsewhere.of(other))):
            for docstrings in _read_elsewhere.of(other)[docname]:
                remember_docstrings(docstrings)
            self._start(app, docname, env.get_doctree(docname))

    def put_in(self, app: Sphinx, env: BuildEnvironment) -> None:
        """Put the figures into all documents that were read, and write their doctrees again.

        Nothing is half done if the build ends before: Sphinx has not yet written the environment,
        and reads the same documents again.
        """
        late, self._put_in = self._put_in, True
        pages = {docname: self._pages[docname] for docname in sorted(self._pages)}
        self._pages.clear()
        finished = self._pipeline.finish([figures for _, figures in pages.values()], _tell)
        for (docname, (document, _figures)), figures in zip(pages.items(), finished, strict=True):
            self._note_comparisons(env, docname, figures)
            for figure in figures.plan.figures:
                update_labels(env, docname, figure.element)
            if not late:  # else Sphinx will write it
                app.builder.write_doctree(docname, document)
                getattr(env, "_pickled_doctree_cache", {}).pop(docname, None)
        self._pipeline.release()  # it takes torch a while to end, and there are pages to write
        if not late:
            _tell_times(self._pipeline.times)
            suggest_linger(env, self._pipeline.times.importing)

    def _document_page(self, app: Sphinx, docname: str, document: nodes.document) -> DocumentPage:
        language, root = app.config.highlight_language, str(app.env.srcdir)
        runs = not is_gallery_page(document) or runs_in_gallery(document, app.config, root)
        return DocumentPage(document, language, root, page_slug(docname), runs=runs)

    def _start(self, app: Sphinx, docname: str, document: nodes.document) -> None:
        page = self._document_page(app, docname, document)
        if not page.plan.figures:
            return
        for figure in page.plan.figures:
            page.show_source(figure)
        file = str(app.env.doc2path(docname))
        host = DocumentHost(self._pipeline, app.env, docname, file, page)
        directory, root = os.path.dirname(file), str(app.env.srcdir)
        figures = PageFigures(page.plan, host, directory, root, page_slug(docname))
        if part_of(app).has(docname, app.env.found_docs):
            self._pipeline.start(figures)
            self._pages[docname] = document, figures
        else:
            self._pipeline.pass_over(figures)
            self._note_comparisons(app.env, docname, figures)

    def _note_comparisons(
        self, env: BuildEnvironment, docname: str, figures: PageFigures[nodes.Element]
    ) -> None:
        for comparison in figures.comparisons:
            COMPARISONS.add(env, docname, comparison)


def _tell_times(times: StageTimes) -> None:
    """Tell with ``-v`` where time went."""
    for line in times.lines(_):
        logger.verbose("autogradgraph: %s", line)


def _tell(done: int, count: int, seconds: float) -> None:
    text = _("running the code of pages: {done} of {count} pages done after {seconds} s")
    logger.info(text.format(done=done, count=count, seconds=f"{seconds:.0f}"))


class DocumentHost:
    """A document of Sphinx, as the pipeline uses it (:class:`.Host`)."""

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
        """Warn at an author's node, in this build and in each until the cause is mended."""
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
        """Have the document read again when an observation no longer holds."""
        others = (found for found in observations if found.path != self._file)
        dependencies.note_observed(self._env, self._docname, others)

    def line_anchor(self, figure: Figure[nodes.Element], source: Source) -> str | None:
        """Return the id of a line of code on the page, None if the page does not show it."""
        return self._page.line_link(figure, source)

    def place(self, figure: Figure[nodes.Element], result: FinishedFigure | Diagnostic) -> None:
        """Put a finished figure into its node, or the reason why it could not be drawn."""
        if isinstance(result, Diagnostic):
            fail(figure.element, result)
        else:
            fill(figure.element, result, figure.request.options)
