"""The open files that the system lets this process have at once."""

from __future__ import annotations


def room_in_descriptors(most: int, each: int) -> int:
    """Return how many things may be open at once if each takes so many descriptors, 1 to ``most``.

    The others, and those of the build itself, need room too: count generously.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return most
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if limit < 0 else max(1, min(most, limit // each))
