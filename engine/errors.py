"""Errors that a user can cause. Each message is a sentence: what happened, why, what to do."""

from __future__ import annotations

from collections.abc import Mapping


class GibbonError(ValueError):
    """An error that the user can act upon. Its text is shown unchanged, without a traceback."""


class BadParameters(GibbonError):
    """Parameters that an operation refuses. ``problems`` holds a sentence for each by its name; "" collects those that concern several."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{name}: {text}" if name else text for name, text in problems.items()))
        self.problems = dict(problems)


class WrongField(ValueError):
    """A validator of several fields refuses the value of one: ``name``. `engine.refusals` turns it into that field's problem."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


class EndsInProbabilities(GibbonError):
    """A model returns probabilities where logits are needed, so the user must choose how their logarithm is taken."""


class BudgetExhausted(Exception):
    """The next query would exceed ``max_queries``. Access raises it, and the driver turns it into the reason "budget"."""


class Diverged(GibbonError):
    """The loss or the weights of a training are no longer numbers. ``what`` says where it happened, without advice."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} Train anew with a lower learning_rate: the same parameters lead to the same step again.")
        self.what = what


class NoStart(GibbonError):
    """An attack has no starting point. Other chunks of the batch continue, and the result reports it."""

    @property
    def note(self) -> str:
        """Sentence for the result where other images had a starting point."""
        return f"Some images stay as they are. {self}"


_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "cannot allocate memory")
_LONGEST = 160


def names_memory(text: str) -> bool:
    """Return whether an error message says that memory ran out."""
    return any(sign in text.lower() for sign in _NO_MEMORY)


def in_words(error: BaseException, what: str = "It", cure: str = "") -> str:
    """Turn any error into a sentence or two: what failed, why, what to do. The text of a `GibbonError` is kept.

    Parameters
    ----------
    error
        The exception that was raised.
    what
        The subject of the verb "failed", such as "Training".
    cure
        Advice for the user where nothing better is known.
    """
    if isinstance(error, GibbonError):
        return str(error)
    lines = str(error).strip().splitlines()
    text = lines[0].strip() if lines else ""
    if isinstance(error, MemoryError) or names_memory(text):
        return f"{what} needs more memory than the device has. Choose fewer restarts, a smaller image, or the CPU."
    if isinstance(error, StopIteration) or isinstance(error.__cause__, StopIteration):
        text = "its loop ended in the middle of a step"
    elif isinstance(error, KeyError):
        text = f"there is no entry {text}"
    elif len(text) > _LONGEST:
        text = f"{text[:_LONGEST].rsplit(' ', 1)[0]}…"
    end = "" if text.endswith(("…", "!", "?")) else "."
    why = f"failed: {text.rstrip('.')}{end}" if text else "failed without saying why."
    return f"{what} {why} {cure}".rstrip()


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text as a sentence, or the name of its type where the text is empty."""
    lines = str(error).strip().splitlines()
    text = lines[0].strip() if lines else type(error).__name__
    text = f"{text[:_LONGEST].rsplit(' ', 1)[0]}…" if len(text) > _LONGEST else text
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
