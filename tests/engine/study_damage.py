"""Damaged and edited studies for tests."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def edited(path: Path, edit: Callable[[str, Any], Any]) -> Path:
    """Return a copy of a study whose JSON members went through ``edit(name, content)``."""
    copy = path.with_name(f"edited-{path.name}")
    with zipfile.ZipFile(path) as one, zipfile.ZipFile(copy, "w") as other:
        for name in one.namelist():
            data = one.read(name)
            other.writestr(name, json.dumps(edit(name, json.loads(data))) if name.endswith(".json") else data)
    return copy


def repacked(path: Path, edit: Callable[[dict[str, bytes]], dict[str, bytes]]) -> Path:
    """Return a copy of a study whose members, by name, went through ``edit``."""
    copy = path.with_name(f"repacked-{path.name}")
    with zipfile.ZipFile(path) as one, zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as other:
        for name, data in edit({name: one.read(name) for name in one.namelist()}).items():
            other.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return copy
