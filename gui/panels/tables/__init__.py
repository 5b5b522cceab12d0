"""The Tables dock: models under attacks, as a heat map whose cells open to their images."""

from gui.panels.tables.panel import TablesPanel

__all__ = ["TablesPanel"]
