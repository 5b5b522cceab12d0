"""Guided tours: text that waits for the user's own action, for the first minute and for each lecture."""

from gui.shell.guides.guide import Before, Guide, Step
from gui.shell.guides.lectures import GUIDES
from gui.shell.guides.walk import Walk

__all__ = ["GUIDES", "Before", "Guide", "Step", "Walk"]
