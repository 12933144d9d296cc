"""``autogradgraph watch``: a save is drawn again, and a fault told in words."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue

import pytest

pytest.importorskip("watchfiles")

PROGRAM = "import torch\nimport helper\nx = torch.ones(3, requires_grad=True)\nl = helper.{}(x)\n"


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Path, Queue[str]]]:
    """A directory with a program that is watched, and the lines that the command says."""
    (tmp_path / "script.py").write_text(PROGRAM.format("first"))
    (tmp_path / "helper.py").write_text("def first(x):\n    return x.sin()\n")
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "sphinx_autogradgraph", "watch", "script.py",
         "--tensor", "l", "-o", "l.svg", "--open"],
        # A shell starts what is in its background with this signal ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "BROWSER": "true"},
    )  # fmt: skip
    lines: Queue[str] = Queue()
    assert process.stdout is not None

    def listen() -> None:
        for line in process.stdout or ():
            lines.put(line)

    reader = threading.Thread(target=listen)
    reader.start()
    try:
        yield tmp_path, lines
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0  # Ctrl-C is how it ends
        reader.join()


def said(lines: Queue[str], words: str, seconds: float = 60) -> str:
    """All that is said until some words are."""
    text = ""
    end = time.monotonic() + seconds
    while words not in text:
        try:
            text += lines.get(timeout=max(0.0, end - time.monotonic()))
        except Empty:
            raise AssertionError(f"not said: {words}; but: {text}") from None
    return text


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as page:
        text: str = page.read().decode()
    return text


def test_a_save_is_drawn_again_and_a_fault_told(watched: tuple[Path, Queue[str]]) -> None:
    directory, lines = watched
    drawing = directory / "l.svg"
    address = re.search(r"serving on (http://127\.0\.0\.1:\d+)(/\S+)", said(lines, "drawn in"))
    assert address is not None
    page = address[1] + address[2]
    assert "SinBackward0" in drawing.read_text()
    assert "SinBackward0" in read(page)
    with pytest.raises(urllib.error.HTTPError, match="404"):  # others do not know its secret part
        read(address[1])
    # A module that the program imports counts as the program does.
    (directory / "helper.py").write_text("def first(x):\n    return x.cos()\n")
    with urllib.request.urlopen(f"{page}changes", timeout=60) as changes:
        seen = changes.readline()
        said(lines, "drawn in")
        assert changes.readline() == b"\n"
        assert changes.readline() not in (seen, b"")  # by which the page knows to load itself anew
    assert "CosBackward0" in drawing.read_text()
    before = drawing.read_bytes()
    (directory / "script.py").write_text(PROGRAM.format("absent"))
    assert "script.py, line 4: AttributeError" in said(lines, "the last drawing stays")
    assert drawing.read_bytes() == before
    assert "CosBackward0" in read(page)
    assert '<pre role="alert">script.py, line 4: AttributeError' in read(page)
    # Editors write aside and rename.
    (directory / "aside").write_text(PROGRAM.format("first") + "import late\nl = late.f(l)\n")
    os.replace(directory / "aside", directory / "script.py")
    assert "No module named 'late'" in said(lines, "the last drawing stays")
    (directory / "late.py").write_text("def f(x):\n    return x.exp()\n")
    text = said(lines, "drawn in")
    assert "ExpBackward0" in drawing.read_text()
    assert "ExpBackward0" in read(page)
    assert 'role="alert"' not in read(page)
    assert re.search(r"drawn in \d+\.\d\d s", text)
