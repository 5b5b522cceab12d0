"""The Transfer dock."""

from gui.panels.transfer.panel import TransferPanel

__all__ = ["TransferPanel"]
