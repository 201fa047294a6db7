"""FlowStudio: draw a plan, run it for real, lose nothing."""

__version__ = "0.1.0"
