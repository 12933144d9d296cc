"""Sentences that people read: in English where they are made, translated where they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

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
        """The message of which ``data`` is the :meth:`to_dict`."""
        return cls(data["text"], values_from(data["values"]))


def values_from(data: Mapping[str, Any]) -> dict[str, str | Message]:
    """The values of a message from plain data."""
    return {
        name: Message.from_dict(value) if isinstance(value, dict) else value
        for name, value in data.items()
    }


class MessageError(ValueError):
    """Raised with a message for people: its text and values are those of :class:`Message`."""

    def __init__(self, text: str, values: Mapping[str, str | Message] | None = None) -> None:
        self.message = Message(text, values or {})
        super().__init__(self.message.sentence())
