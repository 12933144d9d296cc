"""Signatures of records in this documentation: their types without the bounds that are checked."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, get_type_hints

from msgspec import Struct
from sphinx.util.inspect import stringify_signature

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def signature_of(_app: Sphinx, what: str, _name: str, obj: Any, *_: Any) -> tuple[str, None] | None:
    """Return the signature of a record; None, which alters nothing, for anything else."""
    if what != "class" or not issubclass(obj, Struct):
        return None
    found = inspect.signature(obj)
    hints = get_type_hints(obj)  # without what is annotated
    plain = [part.replace(annotation=hints[name]) for name, part in found.parameters.items()]
    text = stringify_signature(found.replace(parameters=plain), unqualified_typehints=True)
    return text, None


def setup(app: Sphinx) -> dict[str, bool]:
    """Follow autodoc; called by Sphinx."""
    app.connect("autodoc-process-signature", signature_of)
    return {"parallel_read_safe": True}
