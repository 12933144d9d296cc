"""Names of this package's attributes of docutils nodes, and of its builders."""

REQUEST, SETUP = "autogradgraph-request", "autogradgraph-setup"
"""Attributes of a figure that awaits its drawing, and of a block that only runs.  Both are
removed when the page has been read."""

GRAPH, DRAWING = "autogradgraph-graph", "autogradgraph-drawing"
"""Attributes of a canvas, each a JSON text: the Graph, and the figure's layout."""

LINE, CALL = "autogradgraph-line", "autogradgraph-call"
"""Attributes of a paragraph that becomes a link in HTML: to the line with that id, and to the
documentation of that function."""

CHECK, UPDATE = "autogradgraph", "autogradgraph-update"
"""Names of the builders that compare graphs with snapshots, and that accept graphs."""
