"""The page of ``autogradgraph watch --open``: it shows the last drawing and reloads itself."""

from __future__ import annotations

import secrets
import threading
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ALIVE = 5.0
"""Seconds after which a page without news is written to, to notice that it was closed."""

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font-family: system-ui, sans-serif; margin: 1.5rem auto; max-width: 60rem }}
pre {{ border-left: 4px solid; padding: .5rem 1rem; white-space: pre-wrap }}
</style>
</head>
<body>
{fault}
{drawing}
<script>
new EventSource("changes").onmessage = event => {{
  if (event.data !== "{number}") location.reload();
}};
</script>
</body>
</html>
"""


class WatchedPage:
    """A page that this process serves to browsers of this machine.

    Its address has a secret part, so that no other user of the machine can read it.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._drawing, self._fault = "<p>Waiting for the first drawing.</p>", ""
        self._number = 0
        self._changed = threading.Condition()
        self._secret = secrets.token_urlsafe(16)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self._server.server_port}/{self._secret}/"

    def show(self, drawing: str) -> None:
        """Show the HTML of a drawing, and no fault."""
        self._change(drawing, "")

    def tell(self, fault: str) -> None:
        """Tell of a fault above the last drawing."""
        self._change(self._drawing, f'<pre role="alert">{escape(fault)}</pre>')

    def close(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()

    def _change(self, drawing: str, fault: str) -> None:
        with self._changed:
            self._drawing, self._fault = drawing, fault
            self._number += 1
            self._changed.notify_all()

    def _html(self) -> str:
        with self._changed:
            return _PAGE.format(
                title=escape(self._title),
                fault=self._fault,
                drawing=self._drawing,
                number=self._number,
            )

    def _number_after(self, seen: int) -> int:
        """Wait a while for another change than the one seen; return the number of the last."""
        with self._changed:
            self._changed.wait_for(lambda: self._number != seen, ALIVE)
            return self._number

    def _handler(page) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the handler has its own self
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == f"/{page._secret}/":
                    self._answer("text/html; charset=utf-8")
                    self.wfile.write(page._html().encode())
                elif self.path == f"/{page._secret}/changes":
                    self._answer("text/event-stream")
                    self._tell_changes()
                else:
                    self.send_error(HTTPStatus.NOT_FOUND)

            def _answer(self, kind: str) -> None:
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", kind)
                self.send_header("Cache-Control", "no-store")
                self.send_header("Referrer-Policy", "no-referrer")
                self.end_headers()

            def _tell_changes(self) -> None:
                seen = -1
                try:
                    while True:
                        seen = page._number_after(seen)
                        self.wfile.write(f"data: {seen}\n\n".encode())
                except OSError:  # the page was closed
                    return

            def log_message(self, *_: object) -> None:
                """Say nothing of requests: the terminal tells of drawings."""

        return Handler
