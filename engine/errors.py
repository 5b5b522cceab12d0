"""What a user can cause is said in a sentence: what happened, why, what to do."""

from __future__ import annotations

from collections.abc import Mapping


class GibbonError(ValueError):
    """An error that a person can act upon. Its text is shown as it stands, without a traceback."""


class BadParameters(GibbonError):
    """Parameters that make no operation. ``problems`` holds a sentence for each by its name; "" is what concerns several."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{name}: {text}" if name else text for name, text in problems.items()))
        self.problems = dict(problems)


class EndsInProbabilities(GibbonError):
    """A model gives probabilities where logits are needed: which of the ways to take their logarithm is asked."""


class BudgetExhausted(Exception):
    """The next query would exceed ``max_queries``. Raised by a view, turned into the reason "budget" by the driver."""


class NoStart(GibbonError):
    """An attack has nothing to begin at. Of a batch attacked a part at a time the other parts go on, and the result says so."""

    @property
    def note(self) -> str:
        """What the result says where other images had a start."""
        return f"Some images stay as they are. {self}"


_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "cannot allocate memory")
_LONGEST = 160


def names_memory(text: str) -> bool:
    """Whether an error's text says that memory ran out."""
    return any(sign in text.lower() for sign in _NO_MEMORY)


def in_words(error: BaseException, what: str = "It", cure: str = "") -> str:
    """Any error as a sentence or two for a person: what failed, why, what to do. A `GibbonError` says all of that itself.

    Parameters
    ----------
    error
        Whatever was raised.
    what
        What was being done: the subject of "failed".
    cure
        What to do where nothing better is known.
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
    """The first line of an error's text as a sentence, or the name of its kind where it says nothing."""
    lines = str(error).strip().splitlines()
    text = lines[0].strip() if lines else type(error).__name__
    text = f"{text[:_LONGEST].rsplit(' ', 1)[0]}…" if len(text) > _LONGEST else text
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
