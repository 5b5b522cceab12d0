"""Versions of the file of a study. A file of an earlier version is migrated to the present one before its values are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from engine.record.migration import with_sampled_edges

VERSION = 4
"""Version of the studies that this engine writes."""
STEPS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = MappingProxyType(
    {
        1: lambda content: {**content, "batch": False, "copy_of": ""},  # version 1 had no table of many images
        2: lambda content: {**content, "lights": {}},  # version 2 had no trust lights, and tables of one attacker alone
        # Version 3 had no ellipse with an exact edge, and no table of models and attacks.
        3: lambda content: {**with_sampled_edges(content), "table": False},
    }
)
"""By version, the function that makes the content of ``study.json`` one of the next version. The parameters of attacks need none: they
follow the records' versions, see `engine.record.migration`.
"""


def migrated(content: Mapping[str, Any]) -> dict[str, Any]:
    """Migrate the content of ``study.json``, whose version is known, to the present version."""
    found = dict(content)
    for version in range(found["version"], VERSION):
        found = {**STEPS[version](found), "version": version + 1}
    return found


def is_known(version: object) -> bool:
    """Return whether studies of this version can be read. True is no version, although it equals 1."""
    return type(version) is int and (version in STEPS or version == VERSION)
