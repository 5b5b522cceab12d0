"""The command line: the same operations, with the same fields as options. Importing it loads no torch."""

from engine.cli.app import main

__all__ = ["main"]
