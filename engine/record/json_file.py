"""Reading of a record from its JSON file: what is no such record is refused in a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from engine.errors import GibbonError
from engine.files import ordinary_file
from engine.refusals import place_and_reason

R = TypeVar("R", bound=BaseModel)


def read_record(
    path: Path,
    cls: type[R],
    *,
    form: str,
    versions: tuple[int, ...],
    what: str,
    cure: str,
    limit: int,
    migrate: Callable[[dict[str, Any]], dict[str, Any]] = dict,
) -> R:
    """Return the record in a file.

    Parameters
    ----------
    path
        The file.
    cls
        The class of the record.
    form, versions
        The value of "format" that the file must have, and the values of "version" that it may have.
    what
        The record's kind for messages, such as ``a batch``.
    cure
        A sentence on which file to choose.
    limit
        Largest size of the file in bytes.
    migrate
        Changes the content of an earlier version to what it says in the present one.

    Raises
    ------
    GibbonError
        The file is missing, too large, damaged, no such record, or of another version.
    """
    ordinary_file(path, f"the record of {what} (.json)", limit=limit)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise GibbonError(f"“{path.name}” is not JSON, so it is no record of {what}. {cure}") from None
    if not isinstance(content, dict) or content.get("format") != form:
        raise GibbonError(f"“{path.name}” is no record of {what}. {cure}")
    if content.get("version") not in versions:
        read = f"{', '.join(map(str, versions[:-1]))} and {versions[-1]}" if len(versions) > 1 else str(versions[0])
        raise GibbonError(
            f"“{path.name}” has the format version {content.get('version')!r}, but this Gibbon reads {read}. Install a newer one."
        )
    try:
        return cls.model_validate(migrate(content))
    except ValidationError as error:
        raise GibbonError(f"“{path.name}” is a damaged record: {place_and_reason(error)} Use the original file.") from None


def has_format(path: Path, form: str, limit: int) -> bool:
    """Return whether a file is JSON with this value of "format", at most ``limit`` bytes long; a file that cannot be read is not."""
    if path.suffix.lower() != ".json" or path.stat().st_size > limit:
        return False
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("format") == form
