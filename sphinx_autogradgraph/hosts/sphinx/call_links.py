"""Links from calls to their documentation, by the Python domain or intersphinx."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes
from sphinx.errors import NoUri

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

_OPERATORS = {"truediv": "div", "rtruediv": "div", "rdiv": "div", "rsub": "sub", "rmul": "mul",
              "radd": "add", "rmatmul": "matmul", "rpow": "pow"}  # fmt: skip


def targets(call: str) -> Iterator[str]:
    """Yield the names under which a call may be documented, the most exact first.

    An operator is documented as the function that it stands for: ``torch.Tensor.__rsub__`` as
    ``torch.Tensor.sub`` or ``torch.sub``.
    """
    yield call
    operator = re.fullmatch(r"torch\.Tensor\.__(?P<name>\w+)__", call)
    name = operator["name"] if operator else call.removeprefix("torch.Tensor.")
    name = _OPERATORS.get(name, name) if operator else name
    if operator:
        yield f"torch.Tensor.{name}"
    if call.startswith("torch.Tensor."):
        yield f"torch.{name}"


def url_of_call(app: Sphinx, docname: str, call: str) -> str | None:
    """Return the URL of a call's documentation, relative to a document; None if unknown."""
    for target in targets(call):
        node = addnodes.pending_xref(
            "", refdomain="py", reftype="obj", reftarget=target, refdoc=docname, refexplicit=True
        )
        text = nodes.literal(target, target)
        domain = app.env.get_domain("py")
        try:
            found = domain.resolve_xref(
                app.env, docname, app.builder, "obj", target, node, text
            ) or app.emit_firstresult(
                "missing-reference", app.env, node, text, allowed_exceptions=(NoUri,)
            )
        except NoUri:
            found = None
        if isinstance(found, nodes.reference):
            if "refuri" in found:
                return str(found["refuri"])
            if "refid" in found:
                return f"#{found['refid']}"
    return None
