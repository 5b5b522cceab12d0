"""The Images dock: one attack on several images."""

from gui.panels.batch.panel import BatchPanel

__all__ = ["BatchPanel"]
