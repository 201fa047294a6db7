"""The node graph: items for hit test and drag, one view that paints everything from arrays."""
