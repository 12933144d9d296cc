"""The import of torch in the worker, and what every program would otherwise do anew after it."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections.abc import Callable, Iterator
from os import _exit

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.program.author_files import is_authors
from sphinx_autogradgraph.program.program import Program
from sphinx_autogradgraph.runtime.result import Result

Execute = Callable[[Program], Result]

OLDEST_TORCH = (2, 4)
"""The oldest torch that has what we read of autograd; the metadata of the package says the same."""


def load() -> Execute | Diagnostic:
    """Import torch and with it what runs programs; a diagnostic if that cannot be done."""
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


def _broken(error: BaseException) -> Diagnostic:
    return Diagnostic(
        "execution",
        "torch cannot be imported: {error}",
        {"error": f"{type(error).__name__}: {error}"},
        build_wide=True,
    )


@contextlib.contextmanager
def ending_with(life: int) -> Iterator[None]:
    """End this process when ``life`` is closed, also within an import that never returns.

    That takes a thread, which has ended when the block has: a fork would lose it.
    """
    done, finish = os.pipe()

    def watch() -> None:
        readable, _, _ = select.select([life, done], [], [])
        if done not in readable:
            _exit(1)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        os.close(finish)
        thread.join()
        os.close(done)


def warm_up() -> bool:
    """Do once what every program would have done for it; whether forking is safe afterwards.

    That is the first of torch's operations, too, with which its libraries make ready.  They are
    too small for any to be run in parallel: it is the threads of that which a fork would lose.
    """
    is_authors(__file__)
    with contextlib.suppress(ImportError):
        import numpy.random  # noqa: F401 - what seeding imports
    threads = _threads()  # numpy may have some, which mind no fork
    with contextlib.suppress(Exception):  # a torch that cannot do it will tell the program so
        import torch

        torch.set_num_threads(1)  # as programs have it
        x = torch.ones(2, 2, requires_grad=True)
        y = torch.mm(x, x) + torch.normal(0, 1, (2,))
        ((y.view(4) - 1) ** 2 / 2).sum()
    return _threads() == threads


def _threads() -> int:
    """How many threads this process has, also those that Python knows nothing of."""
    return len(os.listdir("/proc/self/task"))
