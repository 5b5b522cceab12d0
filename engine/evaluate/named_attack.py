"""NamedAttack: evaluations that run an attack, which a slug and its parameters as JSON name."""

from __future__ import annotations

import json
from abc import ABC
from functools import cached_property
from typing import Any, Self

from pydantic import model_validator

from engine.errors import GibbonError
from engine.operation import Attack, Operation
from engine.parameters import method


class NamedAttack(Operation, ABC):
    """An evaluation with an attack among its parameters."""

    attack: str = method("pgd")
    """Slug of the attack that is run on every model."""
    parameters: str = method("{}")
    """Parameters of the attack as JSON, such as ``{"eps": "8/255", "steps": 40}``; the others keep their defaults."""

    @classmethod
    def of(cls, attack: Attack, **fields: Any) -> Self:
        """Build the evaluation of an attack in the catalogue."""
        return cls(attack=attack.slug, parameters=json.dumps(attack.model_dump(mode="json", exclude_defaults=True)), **fields)

    @cached_property
    def attacking(self) -> Attack:
        """Build the attack with its parameters.

        Raises
        ------
        GibbonError
            The attack does not exist, or has no such parameter.
        """
        from engine.attacks import CATALOGUE

        if self.attack not in CATALOGUE:
            raise GibbonError(f"There is no attack “{self.attack}”. There are: {', '.join(sorted(CATALOGUE))}.")
        try:
            values = json.loads(self.parameters)
        except ValueError as error:
            values = error
        if not isinstance(values, dict):
            raise GibbonError(f'parameters is no JSON object: {self.parameters!r:.60}. Write it as {{"eps": "8/255"}}.')
        return CATALOGUE[self.attack].build(**values)

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.attacking  # noqa: B018 - it raises
        return self
