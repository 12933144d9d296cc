"""Values of ``conf.py``: the declared settings, with the prefix ``autogradgraph_``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sphinx.config import ENUM
from sphinx.errors import ConfigError

from sphinx_autogradgraph.core.messages import MessageError
from sphinx_autogradgraph.core.settings import NOT_FOR_SPHINX, SETTINGS, Settings, default_of
from sphinx_autogradgraph.hosts.sphinx.translation import _

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

VALUES = {
    f"autogradgraph_{name}": SETTINGS[name] for name in SETTINGS if name not in NOT_FOR_SPHINX
}
"""Declarations of this package's values of ``conf.py``, by name."""


class _AsWritten(ENUM):
    """Type for which Sphinx accepts any value, and leaves texts of ``-D`` as they are.

    ``typing.Any`` does that before Python 3.11, where it is no class.  Later Sphinx converts texts
    by the default's type, and uses the default if that fails.
    """

    def match(self, value: object) -> bool:
        return True

    # Sphinx leaves a text of ``-D`` as it is where ``valid_types == Any``.
    def __eq__(self, other: object) -> bool:
        return other is Any or other is self

    __hash__ = ENUM.__hash__


AS_WRITTEN = _AsWritten()


def setup_config(app: Sphinx) -> None:
    """Declare the values of ``conf.py``, and check them before anything reads them."""
    for name, declared in VALUES.items():
        # Sphinx' own checks would only warn, and not say what is accepted.
        app.add_config_value(name, default_of(declared), declared.metadata["rebuild"], AS_WRITTEN)
    app.connect("config-inited", _check)


def _check(app: Sphinx, config: Config) -> None:
    for name, declared in VALUES.items():
        value = config[name]
        try:
            setattr(config, name, declared.metadata["parse"](value))
        except MessageError as error:
            text = _("{name} cannot be {value}: {reason}")
            reason = error.message.sentence(_)
            raise ConfigError(
                text.format(name=name, value=f"{value!r:.80}", reason=reason)
            ) from None


def settings_of(config: Config) -> Settings:
    """Return the settings of a Sphinx project, in the form that all hosts share."""
    return Settings(**{declared.name: config[name] for name, declared in VALUES.items()})
