"""Import of torch in the worker, and the preparation that every program would else repeat."""

from __future__ import annotations

import contextlib
import gc
import os
import select
import shutil
import threading
from collections.abc import Callable, Iterator
from os import _exit

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.core.garbage import uncollected
from sphinx_autogradgraph.program.program import Program
from sphinx_autogradgraph.runtime.os_processes import end_descendants
from sphinx_autogradgraph.runtime.result import Result

Execute = Callable[[Program], Result]

OLDEST_TORCH = (2, 4)
"""Oldest torch that has all that tracing reads; the package's metadata names the same version."""


def load() -> Execute | Diagnostic:
    """Import torch and the module that runs programs; return a diagnostic if that fails."""
    with uncollected():  # searching for garbage takes an eighth of the time of an import
        found = _load()
        gc.freeze()  # nor do the collections to come search what it made
    return found


def _load() -> Execute | Diagnostic:
    try:
        import torch

        found = tuple(int(part) for part in torch.__version__.split(".")[:2])
    except ModuleNotFoundError as error:
        if error.name != "torch":
            return _broken(error)
        return Diagnostic(
            "execution",
            "torch is not installed where the docs are built; install it with "
            "pip install 'sphinx-autogradgraph[torch]'",
            build_wide=True,
        )
    except BaseException as error:
        return _broken(error)
    if found < OLDEST_TORCH:
        return Diagnostic(
            "execution",
            "torch {version} is too old, {oldest} is needed; upgrade it with "
            "pip install --upgrade 'sphinx-autogradgraph[torch]'",
            {"version": torch.__version__, "oldest": ".".join(map(str, OLDEST_TORCH))},
            build_wide=True,
        )
    from sphinx_autogradgraph.runtime.child import execute

    return execute


def never_imported(seconds: float) -> Diagnostic:
    """Return the diagnostic of an import that did not end in so many seconds."""
    return Diagnostic(
        "execution",
        "torch cannot be imported: that did not end within {seconds} seconds",
        {"seconds": f"{seconds:g}"},
        build_wide=True,
    )


def _broken(error: BaseException) -> Diagnostic:
    return Diagnostic(
        "execution",
        "torch cannot be imported: {error}",
        {"error": f"{type(error).__name__}: {error}"},
        build_wide=True,
    )


@contextlib.contextmanager
def ending_with(life: int) -> Iterator[None]:
    """End this process when ``life`` is closed, even within an import that never returns.

    A thread watches ``life``.  It ends with the block, because a fork would lose it.  What the
    import has started ends with the process.  The working directory, which is the worker's own,
    goes with it: a build that was killed could not remove it.
    """
    done, finish = os.pipe()
    directory = os.getcwd()

    def watch() -> None:
        readable, _, _ = select.select([life, done], [], [])
        if done not in readable:
            end_descendants()
            shutil.rmtree(directory, ignore_errors=True)
            _exit(1)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        os.write(finish, b".")  # to close it would not do: what the import forked may hold it
        thread.join()
        os.close(finish)
        os.close(done)


def warm_up() -> bool:
    """Rehearse a program, and return whether forking is safe afterwards.

    It is not where torch has started threads, which a fork would lose.
    """
    with contextlib.suppress(ImportError):
        import numpy.random  # noqa: F401 - what seeding imports
    threads = _threads()  # numpy may have some, which mind no fork
    with contextlib.suppress(Exception):  # a torch that cannot do it will tell the program so
        import torch

        from sphinx_autogradgraph.runtime.rehearsal import rehearse

        torch.set_num_threads(1)  # as programs have it
        rehearse()
    return _threads() == threads


def _threads() -> int:
    """Return the number of threads of this process, including those unknown to Python."""
    return len(os.listdir("/proc/self/task"))
