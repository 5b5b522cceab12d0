"""Failure: an error as a sentence with details; Response: the value of a request, or its failure."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Failure:
    """Why a request or a job failed."""

    sentence: str
    details: str = ""
    """The traceback."""
    expected: bool = False
    """Whether a user can cause it (a `GibbonError`): then the sentence is complete and the traceback is of no interest."""


@dataclass(frozen=True, eq=False)
class Response:
    """The value of a request, or the failure that it ended in."""

    key: str
    number: int
    """The number of the request: a response to any but the newest request of a key may be dropped."""
    value: Any = None
    failure: Failure | None = None


def failure_of(error: BaseException, what: str, cure: str) -> Failure:
    """Turn an exception into a `Failure`. The frames of its traceback are cleared, since they would keep their tensors alive."""
    from engine.errors import GibbonError, in_words

    details = "".join(traceback.format_exception(error))
    traceback.clear_frames(error.__traceback__)
    return Failure(in_words(error, what, cure), details, isinstance(error, GibbonError))
