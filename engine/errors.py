"""What a user can cause is said in a sentence: what happened, why, what to do."""

from __future__ import annotations


class GibbonError(ValueError):
    """An error that a person can act upon. Its text is shown as it stands, without a traceback."""


class BudgetExhausted(Exception):
    """The next query would exceed ``max_queries``. Raised by a view, turned into the reason "budget" by the driver."""
