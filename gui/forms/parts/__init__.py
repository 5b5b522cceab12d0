"""The editor of a recipe: a list of parts in an order, each with a form of its own."""

from gui.forms.parts.edit import PartsEdit

__all__ = ["PartsEdit"]
