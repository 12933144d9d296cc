"""Message format between client and worker: JSON with its length in front."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

_LENGTH = struct.Struct("!Q")

# Held here, because a program may replace the attributes of the modules they come from.
_dumps, _loads = json.dumps, json.loads


def encode(message: Any) -> bytes:
    """Return the bytes of one message."""
    body = _dumps(message).encode()
    return _LENGTH.pack(len(body)) + body


def receive(connection: socket.socket) -> Any:
    """Return the next message of a blocking socket; raise :exc:`EOFError` if it ends before."""
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    return _loads(_exactly(connection, length))


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts = []
    while count:
        part = connection.recv(min(count, 1 << 20))
        if not part:
            raise EOFError("the other side has ended")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


class Inbox:
    """Assembles messages from a socket that is read in pieces."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> list[Any]:
        """Add received bytes, and return the messages that they complete."""
        self._data += data
        found = []
        while len(self._data) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._data)
            end = _LENGTH.size + length
            if len(self._data) < end:
                break
            found.append(_loads(bytes(self._data[_LENGTH.size : end])))
            del self._data[:end]
        return found
