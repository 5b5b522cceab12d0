"""The Attack dock."""

from gui.panels.attack.panel import AttackPanel

__all__ = ["AttackPanel"]
