"""Differences between the training that a checkpoint holds and the one that is to continue it, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.differences import differing
from engine.text.formatting import counted

_OWN_WORDS = frozenset({"data", "classifier", "seed", "seed_given"})
"""Facts that are hashes or drawn numbers, which a sentence cannot show."""


def differences_of(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> list[str]:
    """Return a phrase for each difference between what two trainings say about themselves; empty: they are the same.

    A checkpoint of an older version has no ``seed_given``; its ``seed``, which is drawn from that number, decides.
    """
    seeds = _seeds(theirs, ours)
    return [
        *seeds,
        *_images(theirs["data"], ours["data"], drawn=bool(seeds)),
        *(["the network that it starts from is another one"] if theirs["classifier"] != ours["classifier"] else []),
        *differing(_rest(theirs), _rest(ours)),
    ]


def _rest(about: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in about.items() if name not in _OWN_WORDS}


def _seeds(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> list[str]:
    if theirs["seed"] == ours["seed"]:
        return []
    if "seed_given" not in theirs:
        return [f"the seed is another one there, and {ours['seed_given']} here"]
    return [f"seed is {theirs['seed_given']} there and {ours['seed_given']} here"]


def _images(theirs: Any, ours: Any, drawn: bool) -> list[str]:
    """Compare name, number and hash. The hash says nothing more where one of the others differs, or where the seed draws the images."""
    (name, count, digest), (own, here, now) = theirs, ours
    found = [f"{name} there, {own} here"] if name != own else []
    if count != here:
        found.append(f"{counted(count, 'image')} there, {here:,} here")
    if found or digest == now or drawn:
        return found
    return [f"the images of {name} are drawn otherwise"] if name.startswith("generated:") else ["the files of the images have changed"]
