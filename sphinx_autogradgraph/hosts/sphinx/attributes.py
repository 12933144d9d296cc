"""The names by which our attributes stand on nodes, and those of our builders."""

REQUEST, SETUP = "autogradgraph-request", "autogradgraph-setup"
"""The attributes of a figure that awaits its drawing, and of a block that only runs.  Both are
gone when the page has been read."""

GRAPH, DRAWING = "autogradgraph-graph", "autogradgraph-drawing"
"""The attributes of a canvas, each a JSON text: the Graph, and how it is drawn."""

LINE, CALL = "autogradgraph-line", "autogradgraph-call"
"""The attributes of a paragraph that HTML makes a link: to the line with that id, and to the
documentation of that function."""

CHECK, UPDATE = "autogradgraph", "autogradgraph-update"
"""The names of our builders: they run everything, and compare or accept."""
