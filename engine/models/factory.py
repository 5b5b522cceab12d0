"""Classifiers from a user's own Python file. Loading runs its code, so the caller must ask the user first."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from engine.classifier import Classifier, Head
from engine.errors import GibbonError
from engine.models.states import file_hash

_SOURCE = re.compile(r"^(?P<file>.+\.py)(?::(?P<factory>[^:/\\]*))?$")
_RETURNS = "It returns an engine.Classifier, or (module, labels, input_shape[, mean, std])."


def is_code(source: str) -> bool:
    """Return whether ``source`` names a Python file."""
    return _SOURCE.match(source) is not None


def parts_of(source: str) -> tuple[Path, str]:
    """Return the file and the name of the function in ``FILE.py:FACTORY``, without running any of the file's code.

    Raises
    ------
    GibbonError
        No function is named, or there is no such file.
    """
    match = _SOURCE.match(source)
    assert match is not None
    file, name = Path(match["file"]).expanduser(), match["factory"] or ""
    if not name.isidentifier():
        raise GibbonError(f"“{source}” does not name a function. Write FILE.py:FACTORY. {_RETURNS}")
    if not file.is_file():
        raise GibbonError(f"There is no file “{file}”. Check the path.")
    return file, name


def load_factory(
    source: str, *, allow_code: bool, labels: tuple[str, ...] | None, device: torch.device | str | None, head: Head
) -> Classifier:
    """Call the function FACTORY in FILE.py, for ``FILE.py:FACTORY``, and adopt the classifier or network it returns.

    Raises
    ------
    GibbonError
        Running code was not allowed; or the file or the function is missing, raises, or returns something else.
    """
    given, file, name = made_by(source, allow_code=allow_code)
    classifier = _classifier(given, file, name, labels, device, head)
    # A copy, so that a classifier that the user's code keeps is not changed here.
    classifier = copy.copy(classifier)
    classifier.changes_of_source = classifier.changes
    classifier.source = f"{file.resolve()}:{name}"
    classifier.card = {**classifier.card, "file": file.name, "sha256": file_hash(file)}
    return classifier


def made_by(source: str, *, allow_code: bool) -> tuple[Any, Path, str]:
    """Call the function FACTORY in FILE.py, and return its value, whatever that is, with the file and the function's name.

    Raises
    ------
    GibbonError
        Running code was not allowed; or the file or the function is missing, or raises.
    """
    file, name = parts_of(source)
    if not allow_code:
        raise GibbonError(
            f"Loading “{source}” runs the code in {file.name}, with all your rights. Read it, then allow it with allow_code=True."
        )
    with _beside(file), explained(file, name):
        return _function(file, name)(), file, name


def _function(file: Path, name: str) -> Any:
    module = _imported(file)
    if not hasattr(module, name):
        own = [key for key, value in vars(module).items() if callable(value) and getattr(value, "__module__", "") == module.__name__]
        raise GibbonError(f"{file.name} has no function “{name}”. It has: {', '.join(own) or 'none'}.")
    function = getattr(module, name)
    if not callable(function):
        raise GibbonError(f"“{name}” in {file.name} is of type {type(function).__name__}, not a function. {_RETURNS}")
    return function


def _imported(file: Path) -> ModuleType:
    # The module's name contains its path, so that two files called model.py do not replace each other.
    unique = f"gibbon_own_{file.stem}_{hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(unique, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[unique] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[unique]
        raise
    return module


@contextlib.contextmanager
def _beside(file: Path) -> Iterator[None]:
    """While active, the file can import its neighbours, as a script can."""
    folder = str(file.resolve().parent)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(folder)


@contextlib.contextmanager
def explained(file: Path, name: str) -> Iterator[None]:
    """Turn errors of the block into sentences that name the function and the line of the file.

    Raises
    ------
    GibbonError
        The block raised any error.
    """
    try:
        yield
    except GibbonError:
        raise
    except (Exception, SystemExit) as error:
        text = (str(error).strip().splitlines() or [""])[0].rstrip(".")
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).resolve() == file.resolve()]
        line = lines[-1] if lines else getattr(error, "lineno", None)
        place = f"{file.name}, line {line}" if line else file.name
        raise GibbonError(
            f"“{name}” failed in {place}: {type(error).__name__}{f': {text}' if text else ''}. Mend it and load it again."
        ) from error


def _classifier(
    given: Any, file: Path, name: str, labels: tuple[str, ...] | None, device: torch.device | str | None, head: Head
) -> Classifier:
    if isinstance(given, Classifier):
        if labels not in (None, given.labels) or head not in ("logits", given.head):
            raise GibbonError(f"“{name}” in {file.name} gives a Classifier with labels and head of its own. Leave them out.")
        return given if device is None else given.to(device)
    if not isinstance(given, tuple) or not 3 <= len(given) <= 5 or not isinstance(given[0], nn.Module):
        raise GibbonError(f"“{name}” in {file.name} gave {described(given)}. {_RETURNS}")
    module, own, shape, *scale = given
    if not (isinstance(shape, (tuple, list)) and len(shape) == 3 and all(isinstance(n, int) and n > 0 for n in shape)):
        raise GibbonError(f"“{name}” in {file.name} gave the input shape {shape!r}, but (channels, height, width) is needed.")
    mean, std = (*scale, None, None)[:2]
    with explained(file, name):
        return Classifier(
            module, labels or own, (shape[0], shape[1], shape[2]), mean, std, name=f"{file.stem}:{name}", device=device, head=head
        )


def described(given: Any) -> str:
    """Return in words what a factory gave."""
    if isinstance(given, tuple):
        return f"a tuple ({', '.join(type(item).__name__ for item in given)})"
    return f"something of type {type(given).__name__}"
