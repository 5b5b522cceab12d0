"""Parameterised: a frozen set of typed parameters under a slug, the base of every operation and of every part of a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from engine.docstrings import field_docstrings
from engine.errors import GibbonError
from engine.parameters import Preset, parameters_of
from engine.refusals import bad_parameters


class Parameterised(BaseModel):
    """A frozen set of parameters.

    Each field is written once, with type, default, range and docstring, by a function of `engine.parameters`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    slug: ClassVar[str]
    """The name in the catalogue and on the command line."""
    title: ClassVar[str]
    also: ClassVar[tuple[str, ...]] = ()
    """Other names under which it is known and can be searched for."""
    presets: ClassVar[tuple[Preset, ...]] = ()
    """Parameter sets that were published, each with a title."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Set each field's description to the docstring under it, where it has no description of its own."""
        for name, text in field_docstrings(cls).items():
            field = cls.model_fields.get(name)
            if field is not None and field.description is None:
                field.description = text

    if not TYPE_CHECKING:  # the type checker reads the fields' own signature

        def __init__(self, **parameters: Any) -> None:
            try:
                super().__init__(**parameters)
            except ValidationError as error:
                raise bad_parameters(error, type(self).title, list(type(self).model_fields)) from None

    @field_validator("*", mode="before")
    @classmethod
    def _read_value(cls, value: Any, info: ValidationInfo) -> Any:
        """Parse numbers as people write them, in every field alike."""
        assert info.field_name is not None
        return parameters_of(cls)[info.field_name].read(value)

    def named_files(self) -> dict[str, Path]:
        """Return the files that its fields name, by field. Their content belongs to the parameters: a run records their hashes."""
        given = {name: getattr(self, name) for name, parameter in parameters_of(type(self)).items() if parameter.is_file}
        return {name: Path(value) for name, value in given.items() if value}

    @classmethod
    def preset(cls, title: str) -> Preset:
        """Return the preset of that title, or the only one whose title contains ``title``, or else all of its words.

        Raises
        ------
        GibbonError
            No preset matches, or several do.
        """
        found = [each for each in cls.presets if each.title == title]
        found = found or [each for each in cls.presets if title.casefold() in each.title.casefold()]
        found = found or [each for each in cls.presets if all(word in each.title.casefold() for word in title.casefold().split())]
        if len(found) != 1:
            which = "several presets" if found else "no preset"
            there = "; ".join(each.title for each in found or cls.presets) or "none"
            raise GibbonError(f"“{cls.slug}” has {which} of the name “{title}”. There is: {there}.")
        return found[0]

    @classmethod
    def build(cls, **parameters: Any) -> Self:
        """Make the operation from parameters, which may be texts such as ``8/255``.

        Raises
        ------
        GibbonError
            A parameter is unknown or out of its range; the sentence names it.
        """
        return cls(**parameters)
