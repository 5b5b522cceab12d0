"""Records of earlier versions, brought to the present one: they say how attacks worked then, so that a replay gives the same bits."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

VERSION = 2
"""Of the records that this engine writes."""
OLD_VALUES: Mapping[int, Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        1: {
            "deepfool": {"clipped_step": "newton"},
            "fgsm": {"l1_step": "one value"},
            "pgd": {"l1_step": "one value"},
            "square": {"corners": "all"},
        }
    }
)
"""By version and attack: the parameters that records of this version do not hold yet, each with the value that means what the attack did
then. A parameter whose default still means that needs no entry."""


def migrated(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a record of any version in `OLD_VALUES`, or of the present one, as a record of the present version.

    Parameters
    ----------
    content
        As the file holds it, with a known ``version``. What is damaged stays as it is, for the schema to refuse.
    """
    found = dict(content)
    for version in range(content["version"], VERSION):
        operation = found.get("operation")
        if isinstance(operation, dict) and isinstance(operation.get("parameters"), dict):
            added = OLD_VALUES[version].get(str(operation.get("slug")), {})
            found["operation"] = {**operation, "parameters": {**added, **operation["parameters"]}}
        found["version"] = version + 1
    return found


def is_known(version: object) -> bool:
    """Whether records of this version can be read. True is no version, although it equals 1."""
    return type(version) is int and (version in OLD_VALUES or version == VERSION)
