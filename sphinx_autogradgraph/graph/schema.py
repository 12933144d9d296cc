"""The JSON Schema of a Graph, made from the types of its records.

``python -m sphinx_autogradgraph.graph.schema`` writes it to ``graph.schema.json``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec

from sphinx_autogradgraph.graph.codec import Document

FILE = Path(__file__).with_name("graph.schema.json")


def schema_text() -> str:
    """Return the text of the schema."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Graph",
        **_readable(msgspec.json.schema(Document)),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _readable(value: Any) -> Any:
    """Return a schema with one-line descriptions, and with types in one list where that is all."""
    if isinstance(value, list):
        return [_readable(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {name: _readable(item) for name, item in value.items()}
    if isinstance(made.get("description"), str):
        text = " ".join(made["description"].replace("``", "`").split())
        made["description"] = re.sub(r":\w+:`\.?([^`]+)`", r"\1", text)
    if all(set(item) == {"type"} for item in made.get("anyOf", [{}])):
        made = {"type": [item["type"] for item in made.pop("anyOf")], **made}
    return made


if __name__ == "__main__":
    FILE.write_text(schema_text(), "utf-8")
