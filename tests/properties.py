"""How often hypothesis tries a property: a few times by the plain command, many by the long tests.

``pytest -m properties --hypothesis-profile many`` is what the long tests run; the profile ``random``
tries five times as many, chosen at random.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# The same examples each time: no change is blamed for what chance found.
for name in ("few", "many", "random"):
    settings.register_profile(
        name, derandomize=name != "random", deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )  # fmt: skip
settings.load_profile("few")


def tried(few: int, many: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Set the numbers of examples of a property."""
    count = {"few": few, "many": many, "random": 5 * many}[settings.get_current_profile_name()]

    def decorate(test: Callable[..., Any]) -> Callable[..., Any]:
        marked: Callable[..., Any] = pytest.mark.properties(settings(max_examples=count)(test))
        return marked

    return decorate
