"""Entry point of a worker process."""

from __future__ import annotations

from sphinx_autogradgraph.runtime.worker_command import Terms


def main(arguments: list[str]) -> None:
    """Serve programs on the given terms, run one program and end, or supervise one.

    ``serve-cold`` skips the operations that warm torch up, where they have left threads.
    """
    match arguments:
        case ["serve" | "serve-cold" as way, *terms]:
            from sphinx_autogradgraph.runtime.server import serve

            serve(Terms.of(terms), warm=way == "serve")
        case ["once", scratch]:
            from sphinx_autogradgraph.runtime.program_process import run_once

            run_once(scratch)
        case ["supervise", build, scratch, *once]:
            from sphinx_autogradgraph.runtime.fresh_supervisor import supervise

            supervise(int(build), scratch, once)
        case _:
            raise SystemExit("started by sphinx_autogradgraph.runtime.client, not by hand")
