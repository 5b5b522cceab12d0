"""Migration of earlier records to the present version: they state how attacks worked then, so that a replay gives the same bits."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

VERSION = 3
"""Version of the records that this engine writes."""
OLD_VALUES: Mapping[int, Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        1: {
            "cw-l0": {"beyond_rounding": False},
            "cw-l2": {"beyond_rounding": False},
            "cw-linf": {"beyond_rounding": False},
            "ddn": {"beyond_rounding": False},
            "deepfool": {"beyond_rounding": False, "clipped_step": "newton"},
            "fgsm": {"l1_step": "one value"},
            "fmn": {"beyond_rounding": False},
            "pgd": {"l1_step": "one value"},
            "square": {"corners": "all"},
        },
        2: {},
    }
)
"""Old values by version and attack: parameters that records of this version lack, each with the value that means the attack's behaviour
then. A parameter whose default still means that needs no entry.
"""


def migrated(content: Mapping[str, Any]) -> dict[str, Any]:
    """Migrate the content of a record of any known version to the present version.

    Parameters
    ----------
    content
        Content of the file, with a known ``version``. Damaged parts stay unchanged, for the schema to refuse.
    """
    found = dict(content)
    operation = found.get("operation")
    if isinstance(operation, dict) and isinstance(operation.get("parameters"), dict):
        parameters = migrated_parameters(str(operation.get("slug")), operation["parameters"], content["version"])
        found["operation"] = {**operation, "parameters": parameters}
    if content["version"] < 3:
        found = with_sampled_edges(found)
    found["version"] = VERSION
    return found


def with_sampled_edges(content: Any) -> Any:
    """Say of each ellipse in the content of a file that its edge is sampled: earlier versions knew no other one, and named none."""
    if isinstance(content, dict):
        if content.get("kind") == "ellipse" and content.get("parameters") == {}:
            return {**content, "parameters": {"edge": "sampled"}}
        return {key: with_sampled_edges(value) for key, value in content.items()}
    return [with_sampled_edges(value) for value in content] if isinstance(content, list) else content


def migrated_parameters(slug: str, parameters: Mapping[str, Any], version: int) -> dict[str, Any]:
    """Migrate the parameters of an attack from a known version to the present one."""
    found = dict(parameters)
    for old in range(version, VERSION):
        found = {**OLD_VALUES[old].get(slug, {}), **found}
    return found


def is_known(version: object) -> bool:
    """Return whether records of this version can be read. True is no version, although it equals 1."""
    return type(version) is int and (version in OLD_VALUES or version == VERSION)
