"""User-facing messages, written in English and translated when they are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from string import Formatter
from typing import Any

Translate = Callable[[str], str]
"""A function that translates an English message, as :func:`gettext.gettext` does."""


def untranslated(message: str) -> str:
    """Return the message unchanged: the :data:`Translate` for English."""
    return message


@dataclass(frozen=True)
class Message:
    """A user-facing sentence: an English ``text``, and the ``values`` of the ``{names}`` in it.

    Values may be messages themselves.
    """

    text: str
    values: Mapping[str, str | Message] = field(default_factory=dict)

    def sentence(self, translate: Translate = untranslated) -> str:
        """Return the text with its values, in the language of ``translate``."""
        values = {
            name: value.sentence(translate) if isinstance(value, Message) else value
            for name, value in self.values.items()
        }
        return translate(self.text).format_map(values)

    def to_dict(self) -> dict[str, Any]:
        """Return the message as plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Message:
        """Read what :meth:`to_dict` wrote; raise :exc:`ValueError` for anything else."""
        import msgspec  # a build in which nothing is new needs none of it

        try:
            message = msgspec.convert(data, cls)
        except (msgspec.ValidationError, RecursionError):
            raise ValueError("not a message") from None
        message.check()
        return message

    def check(self) -> None:
        """Raise :exc:`ValueError` for a text with format fields other than its plain ``{names}``.

        Messages are also read from files that may be hostile, and a format field can ask for
        attributes of objects or for a gigabyte of padding.
        """
        for _, name, spec, conversion in Formatter().parse(self.text):
            if name is not None and (name not in self.values or spec or conversion):
                raise ValueError("not a message")
        for value in self.values.values():
            if isinstance(value, Message):
                value.check()


def not_utf8(file: str, error: UnicodeDecodeError) -> Message:
    """Return a sentence on a file that should be a text and is none."""
    values = {"file": file, "reason": error.reason}
    return Message("{file} is not a text in UTF-8: {reason}", values)


class MessageError(ValueError):
    """An error with a message for users; its text and values are those of :class:`Message`."""

    def __init__(self, text: str, values: Mapping[str, str | Message] | None = None) -> None:
        self.message = Message(text, values or {})
        super().__init__(self.message.sentence())
