"""The command ``autogradgraph``.

``autogradgraph draw REFERENCE`` draws a graph without any documentation around it.
``autogradgraph check DOCS`` runs the code of a Sphinx project or a Markdown site and compares its
graphs with their snapshots; ``autogradgraph update DOCS`` accepts the graphs of today.  Both touch
nothing else.  ``autogradgraph sync FILE`` puts graphs into text that nothing executes.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx_autogradgraph import __version__
from sphinx_autogradgraph.core.diagnostics import Diagnostic, DiagnosticError
from sphinx_autogradgraph.core.messages import MessageError
from sphinx_autogradgraph.core.settings import Settings
from sphinx_autogradgraph.core.streams import open_closed_streams
from sphinx_autogradgraph.figures.drawings import FigureDrawing
from sphinx_autogradgraph.figures.options import DECLARATIONS, Options, parse_options
from sphinx_autogradgraph.figures.request import Request
from sphinx_autogradgraph.hosts.checking import check_or_update
from sphinx_autogradgraph.program.observations import Observation
from sphinx_autogradgraph.program.program import find_module, parse_reference
from sphinx_autogradgraph.render.drawing import FORMS
from sphinx_autogradgraph.runtime.client import Runner
from sphinx_autogradgraph.runtime.lingering import stop
from sphinx_autogradgraph.runtime.result import Result
from sphinx_autogradgraph.runtime.watching import watch
from sphinx_autogradgraph.snapshots.part import WHOLE, Part

if TYPE_CHECKING:
    from sphinx_autogradgraph.hosts.watched_page import WatchedPage


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 if all is well, 1 if not in sync or failed, 2 for wrong usage."""
    open_closed_streams()
    options = parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()  # not at the exit, where nobody could tell of an error
        return status
    except OSError as error:
        with suppress(OSError):  # what could not be written is not to be tried again
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # nobody reads on, as after «| head»
            return 1
        return _fail(error, 1)


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command."""
    made = argparse.ArgumentParser(
        prog="autogradgraph", description="Keep the autograd graphs of documentation in sync."
    )
    made.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_snapshot_commands(commands)
    _add_program_commands(commands)
    sync = commands.add_parser("sync", help="put the graphs of today into Markdown and MDX files")
    sync.set_defaults(run=_sync)
    sync.description = (
        'Put graphs between <!-- autogradgraph tensor="l" --> and <!-- /autogradgraph --> of files '
        "that nothing executes: Mermaid blocks, or files that svg= names."
    )
    sync.add_argument("files", metavar="FILE", nargs="+", help="a Markdown or MDX file")
    sync.add_argument(
        "--check", action="store_true", help="write nothing, and say what differs; exit with 1 then"
    )
    return made


def _add_snapshot_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``check`` and ``update``."""
    for name, text in (
        ("check", "run all code and compare its graphs with the snapshots"),
        ("update", "run all code and accept its graphs as the snapshots"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=check_or_update)
        command.add_argument(
            "docs", metavar="DOCS", help="the source directory of the documentation"
        )
        command.add_argument(
            "-c", dest="conf", metavar="DIR", help="where conf.py is, if elsewhere"
        )
        command.add_argument(
            "-j", dest="jobs", metavar="N", type=int, default=1, help="read with N processes"
        )
        command.add_argument(
            "-D", dest="define", metavar="NAME=VALUE", action="append", default=[],
            help="set a value of conf.py",
        )  # fmt: skip
        command.add_argument(
            "--report", metavar="DIR", type=Path,
            help="write report.md and index.html: what differs, in words and drawn",
        )  # fmt: skip
        command.add_argument("-v", "--verbose", action="store_true", help="tell where time goes")
        command.add_argument(
            "--mermaid", action="store_true", help="with drawings as Mermaid text in report.md"
        )
    commands.choices["update"].add_argument(
        "pages", metavar="PAGE", nargs="*", help="accept the graphs of these pages only"
    )
    commands.choices["check"].add_argument(
        "--shard", metavar="K/N", type=_part, default=WHOLE, help="check the K-th of N parts only"
    )


def _add_program_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands that run one program, and ``stop``."""
    text = "end the workers that linger, all of yours or those of one project"
    command = commands.add_parser("stop", help=text, description=text)
    command.set_defaults(run=_stop)
    command.add_argument(
        "docs", metavar="DOCS", nargs="?", help="the source directory of the documentation"
    )
    _add_draw(
        commands.add_parser("draw", help="draw the graph of a tensor of a program"),
        _draw,
        "Run a program and draw the autograd graph of a tensor of it; without -o, as text here.",
    )
    _add_draw(
        commands.add_parser("watch", help="draw again whenever a file of the program is saved"),
        _watch,
        "Run a program and draw the autograd graph of a tensor of it, again whenever one of its "
        "files is saved.  When it fails the last drawing stays.",
    )
    commands.choices["watch"].add_argument(
        "--open", action="store_true", help="show it in the browser, on a page that reloads itself"
    )
    command = commands.add_parser("explain", help="say why tensors are or are not in a graph")
    command.set_defaults(run=_explain)
    command.description = (
        "Run a program and say why each of its tensors and parameters is or is not in the graph, "
        "with the line that cut it off."
    )
    command.add_argument(
        "reference", metavar="REFERENCE", help="path/to/file.py[:name] or package.module:name"
    )
    _add_options(command, ["tensor", "seed", "timeout"])


def _part(text: str) -> Part:
    try:
        return Part.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _add_draw(
    command: argparse.ArgumentParser, run: Callable[[argparse.Namespace], int], description: str
) -> None:
    command.set_defaults(run=run)
    command.description = description
    command.add_argument(
        "reference", metavar="REFERENCE", help="path/to/file.py[:name] or package.module:name"
    )
    command.add_argument(
        "-o", dest="file", metavar="FILE", help=f"write to a file that ends in {', '.join(FORMS)}"
    )
    _add_options(command, [name for name, declared in DECLARATIONS.items() if declared.short])


def _add_options(command: argparse.ArgumentParser, names: Sequence[str]) -> None:
    """Add the options of figures that a command takes, by their names."""
    for name in names:
        declared = DECLARATIONS[name]
        if declared.short:
            command.add_argument(
                f"--{name}",
                type=_checked(declared.parse),
                default=argparse.SUPPRESS,
                metavar=METAVARS.get(name, "WORDS"),
                help=declared.short,
            )


METAVARS = {
    "tensor": "EXPR", "depth": "N", "around": "NAME", "until": "NAME", "direction": "D",
    "seed": "N", "timeout": "SECONDS",
}  # fmt: skip


def _checked(parse: Callable[[str], object]) -> Callable[[str], str]:
    """Make a type for argparse, which returns the text itself if ``parse`` accepts it."""

    def check(text: str) -> str:
        try:
            parse(text)
        except (DiagnosticError, MessageError) as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return text

    return check


def _stop(options: argparse.Namespace) -> int:
    """End the lingering workers; having none is no error."""
    count = stop(options.docs)
    print(f"{count} worker{'' if count == 1 else 's'} stopped")
    return 0


def _draw(options: argparse.Namespace) -> int:
    """Run the program and draw; return 1 if it failed or has no graph, 2 for invalid arguments."""
    with Runner() as runner:
        status, _ = _draw_with(runner, options)
    return status


def _watch(options: argparse.Namespace) -> int:
    """Draw again whenever a file of the program is saved."""
    try:
        reference = parse_reference(options.reference)
    except DiagnosticError as error:
        return _fail(error, 2)
    file = reference.file or find_module(reference.module or "", [str(Path.cwd()), *sys.path])
    files = [] if file is None else [str(Path(file).absolute())]
    page = _open_page(options.reference) if options.open else None
    # Every program is to have the same worker, which has imported torch.
    with Runner() as runner:
        try:
            return watch(lambda: _draw_with(runner, options, page), files, print)
        except ImportError:
            return _fail(
                "watch needs watchfiles; install it with pip install 'sphinx-autogradgraph[watch]'",
                2,
            )


def _open_page(title: str) -> WatchedPage:
    """Open a page in the browser that follows the drawing."""
    import webbrowser

    from sphinx_autogradgraph.hosts.watched_page import WatchedPage

    page = WatchedPage(title)
    print(f"serving on {page.url}", flush=True)
    webbrowser.open(page.url)
    return page


def _draw_with(
    runner: Runner, arguments: argparse.Namespace, page: WatchedPage | None = None
) -> tuple[int, tuple[Observation, ...]]:
    """Run the program and draw; return the exit status, and what the program looked at."""
    extension = None if arguments.file is None else Path(arguments.file).suffix
    if extension is not None and extension.lower() not in FORMS:
        return _fail(f"unsupported extension {extension}; use {', '.join(FORMS)}", 2), ()
    request = _request(arguments)
    options, program = request.options, request.program
    if request.diagnostics or program is None:
        return _fail("\n".join(item.report() for item in request.diagnostics), 2), ()
    (result,) = runner.run([program])
    status = _save(arguments.file, options, result, page)
    return status, result.observed


def _request(arguments: argparse.Namespace) -> Request:
    """Make the request of a command from its arguments."""
    given = {name: getattr(arguments, name) for name in DECLARATIONS if hasattr(arguments, name)}
    options = parse_options(given, Settings())
    here = str(Path.cwd())
    return Request.of(
        options, arguments.reference, None, directory=here, root=here, path_of=os.path.abspath
    )


def _explain(arguments: argparse.Namespace) -> int:
    """Say why tensors are in the graph or not; 1 if the program failed or made no tensor."""
    request = _request(arguments)
    if request.diagnostics or request.program is None:
        return _fail("\n".join(item.report() for item in request.diagnostics), 2)
    targets = tuple(replace(target, explain=True) for target in request.program.targets)
    with Runner() as runner:
        (result,) = runner.run([replace(request.program, targets=targets)])
    (traced,) = result.targets
    if isinstance(traced, Diagnostic):
        if traced.kind != "no_graph" or not traced.detail:
            return _fail(traced.report(), _status_of(traced))
        print(traced.detail)  # what cut it
        return 0
    print(traced.explanation)
    return 0


def _status_of(diagnostic: Diagnostic) -> int:
    return 2 if diagnostic.kind in ("reference", "option") else 1


def _save(file: str | None, options: Options, result: Result, page: WatchedPage | None) -> int:
    """Draw the result of a program, to a file, a page or as text; return the exit status."""
    (traced,) = result.targets
    if isinstance(traced, Diagnostic):
        if page is not None:
            page.tell(traced.report())
        return _fail(traced.report(), _status_of(traced))
    try:
        drawing = FigureDrawing(traced, options)
    except ValueError as error:
        return _fail(error, 2)
    try:
        if page is not None:
            page.show(drawing.html)
        text = drawing.text if page is None and file is None else None
        if file is not None:
            drawing.save(file)
    except (DiagnosticError, OSError, ImportError) as error:
        return _fail(error, 1)
    if text is not None:
        print(text)
    return 0


def _fail(reason: object, status: int) -> int:
    """Print what went wrong; return the exit status."""
    print(f"autogradgraph: {reason}", file=sys.stderr)
    return status


def _sync(options: argparse.Namespace) -> int:
    """Put graphs into files; return 1 if any failed, or with --check is outdated."""
    from sphinx_autogradgraph.hosts.sync import sync_files

    changes, faults = sync_files([Path(file) for file in options.files], check=options.check)
    for change in changes:
        print(change)
    for fault in faults:
        print(f"autogradgraph: {fault}", file=sys.stderr)
    if options.check and changes:
        print("autogradgraph sync puts this right")
    return int(bool(faults) or (options.check and bool(changes)))
