"""Failure: why something came to nothing, in words; and Response: what a request came to."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Failure:
    """Why something came to nothing."""

    sentence: str
    details: str = ""
    """The traceback."""
    expected: bool = False
    """Whether a person can cause it (a `GibbonError`): then the sentence says everything."""


@dataclass(frozen=True, eq=False)
class Response:
    """The value of a request, or why there is none."""

    key: str
    number: int
    """The number of the request: a response older than the newest request may be dropped."""
    value: Any = None
    failure: Failure | None = None


def failure_of(error: BaseException, what: str, cure: str) -> Failure:
    """An error in words; the frames are cleared, since a kept one keeps its tensors."""
    from engine.errors import GibbonError, in_words

    details = "".join(traceback.format_exception(error))
    traceback.clear_frames(error.__traceback__)
    return Failure(in_words(error, what, cure), details, isinstance(error, GibbonError))
