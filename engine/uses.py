"""Checks that an operation has the inputs it needs, and none that it would ignore; each refusal names the cause and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from engine.errors import GibbonError

if TYPE_CHECKING:
    from engine.operation import Attack, Operation


class Cure(NamedTuple):
    """Advice for an input that is missing, and for one that is unused."""

    missing: str
    unused: str = ""


_MISSING = {
    "targets": "needs a class to reach.",
    "mask": "needs a mask: where may it paint?",
    "data": "works on a data set.",
    "start": "needs an image to start from.",
    "models": "needs further models.",
}
_UNUSED = {
    "targets": "takes no target: it is untargeted, or chooses the class itself.",
    "mask": "takes no mask: it may change every pixel.",
    "data": "works on the image alone.",
    "start": "takes no image to start from.",
}
IN_PYTHON: Mapping[str, Cure] = {
    "targets": Cure("Choose a target, or give targets=.", "Leave targets out."),
    "mask": Cure("Draw a sticker whose content is to be optimised, or give mask=.", "Leave the mask out, or choose the whole image."),
    "data": Cure("Choose one, or give data=engine.data.load(...).", "Leave data out."),
    "start": Cure("Give start=.", "Leave start out."),
    "models": Cure("Load one, or give models=."),
}
"""Advice for the window and for scripts; the command line has its own."""


def check_needs(operation: Operation, given: Mapping[str, object], cures: Mapping[str, Cure] = IN_PYTHON) -> None:
    """Refuse a run that lacks an input that the operation ``needs``.

    Raises
    ------
    GibbonError
        An input is missing; the sentence names it and how to provide it.
    """
    for use in sorted(operation.needs):
        if use in cures and given.get(use) is None:
            raise GibbonError(f"{operation.title} {_MISSING[use]} {cures[use].missing}")


def check_unused(attack: Attack, given: Mapping[str, object], cures: Mapping[str, Cure] = IN_PYTHON) -> None:
    """Refuse inputs that the attack would ignore: the result would be judged by them, or read as if it obeyed them.

    Raises
    ------
    GibbonError
        An input is given that the attack does not use; the sentence names it.
    """
    for use, value in given.items():
        if value is not None and (use not in attack.uses or (use == "mask" and not attack.masked)):
            raise GibbonError(f"{attack.title} {_UNUSED[use]} {cures[use].unused}")
