"""Sentences that people read: in English where they are made, translated where they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from string import Formatter
from typing import Any

import msgspec

Translate = Callable[[str], str]
"""Takes an English message to its translation, as :func:`gettext.gettext` does."""


def untranslated(message: str) -> str:
    """The message itself: the :data:`Translate` of whoever wants English."""
    return message


@dataclass(frozen=True)
class Message:
    """An English ``text`` with ``{names}`` of ``values`` in it, which may be messages, too."""

    text: str
    values: Mapping[str, str | Message] = field(default_factory=dict)

    def sentence(self, translate: Translate = untranslated) -> str:
        """The text with its values, in the language of ``translate``."""
        values = {
            name: value.sentence(translate) if isinstance(value, Message) else value
            for name, value in self.values.items()
        }
        return translate(self.text).format_map(values)

    def to_dict(self) -> dict[str, Any]:
        """The message as plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Message:
        """The message of which ``data`` is the :meth:`to_dict`; :exc:`ValueError` if it is none."""
        try:
            message = msgspec.convert(data, cls)
        except (msgspec.ValidationError, RecursionError):
            raise ValueError("not a message") from None
        message.check()
        return message

    def check(self) -> None:
        """Raise :exc:`ValueError` for a text that needs more than its values, put in as they are.

        Messages come from files, too, and a format can ask for attributes or for a gigabyte.
        """
        for _, name, spec, conversion in Formatter().parse(self.text):
            if name is not None and (name not in self.values or spec or conversion):
                raise ValueError("not a message")
        for value in self.values.values():
            if isinstance(value, Message):
                value.check()


class MessageError(ValueError):
    """Raised with a message for people: its text and values are those of :class:`Message`."""

    def __init__(self, text: str, values: Mapping[str, str | Message] | None = None) -> None:
        self.message = Message(text, values or {})
        super().__init__(self.message.sentence())
