"""The parts of classifiers and results that a notebook shows, as protocols: the classes themselves import this package."""

# ruff: noqa: D102 - the classes that have these properties document them
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from pydantic import BaseModel
from torch import Tensor

from engine.artifacts import Artifact


class Contract(Protocol):
    """The remarks that were made when a classifier was loaded."""

    @property
    def notes(self) -> tuple[str, ...]: ...


class ShownClassifier(Protocol):
    """The facts of a classifier that its table lists."""

    name: str
    labels: tuple[str, ...]
    input_shape: tuple[int, int, int]
    source: str | None

    @property
    def card(self) -> Mapping[str, Any]: ...
    @property
    def bounds(self) -> Mapping[str, float]: ...
    @property
    def contract(self) -> Contract: ...
    @property
    def changes(self) -> tuple[str, ...]: ...
    @property
    def device(self) -> torch.device: ...
    @property
    def fingerprint(self) -> str: ...


class ShownResult(Protocol):
    """The facts of a result of any operation."""

    @property
    def operation(self) -> BaseModel: ...
    @property
    def reason(self) -> str: ...
    @property
    def seconds(self) -> float: ...
    @property
    def forwards(self) -> int: ...
    @property
    def backwards(self) -> int: ...
    @property
    def artifacts(self) -> Mapping[str, Artifact]: ...
    @property
    def provenance(self) -> Mapping[str, Any]: ...


class ShownAttackResult(ShownResult, Protocol):
    """The facts of an attack's result, with one row for each image."""

    @property
    def classifier(self) -> ShownClassifier: ...
    @property
    def clean(self) -> Tensor: ...
    @property
    def adversarial(self) -> Tensor: ...
    @property
    def labels(self) -> Tensor: ...
    @property
    def targets(self) -> Tensor | None: ...
    @property
    def labels_assumed(self) -> bool: ...
    @property
    def failed(self) -> Tensor: ...
    @property
    def clean_logits(self) -> Tensor: ...
    @property
    def logits(self) -> Tensor: ...
    @property
    def success(self) -> Tensor: ...
    @property
    def wrong_before(self) -> Tensor: ...
    @property
    def reached_before(self) -> Tensor: ...
    @property
    def steps_to_flip(self) -> Tensor: ...
    @property
    def norms(self) -> Mapping[str, Tensor]: ...
