"""Recipes: frozen parts in an order, as text and as data: ``gaussian sigma=0.3 + label-smoothing`` becomes a tuple of parts, and back."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import model_serializer

from engine.errors import GibbonError
from engine.parameterised import Parameterised
from engine.parameters import parameters_of
from engine.text.nearest import nearest
from engine.text.parsing import named


class Part(Parameterised, ABC):
    """A set of parameters that can be combined with others of its kind, in an order, to a recipe."""

    kind: ClassVar[str]
    """Name of the slug in a record, such as ``objective``."""

    @property
    def words(self) -> str:
        """The part with the parameters that differ from their defaults, as `Recipes.read` reads it: ``pgd eps=0.1 steps=10``."""
        given = (f"{name}={_text(value)}" for name, value in self.chosen.items())
        return " ".join((self.slug, *given))

    @property
    def chosen(self) -> dict[str, Any]:
        """The parameters that differ from their defaults."""
        return {name: getattr(self, name) for name, each in parameters_of(type(self)).items() if getattr(self, name) != each.default}

    @model_serializer(mode="wrap")
    def _named(self, serialise: Any) -> dict[str, Any]:
        """Write the slug first, by which `Recipes.read` finds the class."""
        return {self.kind: self.slug, **serialise(self)}


P = TypeVar("P", bound=Part)


@dataclass(frozen=True)
class Recipes(Generic[P]):
    """Reader and writer of the recipes of one kind of parts."""

    catalogue: Mapping[str, type[P]]
    kind: str
    """Name of the slug in mappings; `Part.kind` of all parts."""
    noun: str
    """Name of a part in error messages."""
    whole: str
    """Name of a recipe in error messages."""
    nothing: str
    """Text of the empty recipe."""
    example: str
    """A recipe for error messages."""

    def read(self, recipe: object) -> tuple[P, ...]:
        """Return the parts of a recipe: a text, a part, or a sequence of parts, texts and mappings with their slugs.

        Raises
        ------
        GibbonError
            A part is unknown, stands twice, or has a parameter out of its range, or a “+” does not stand between two parts.
        """
        parts = tuple(self._parts(recipe))
        slugs = [part.slug for part in parts]
        twice = next((slug for place, slug in enumerate(slugs) if slug in slugs[:place]), None)
        if twice:
            raise GibbonError(f"“{twice}” stands twice in the {self.whole}. Name each part once.")
        return parts

    def words(self, recipe: Iterable[P]) -> str:
        """Return the text that `read` reads back, such as ``gaussian sigma=0.25 + label-smoothing``."""
        return " + ".join(part.words for part in recipe) or self.nothing

    def _parts(self, recipe: object) -> Iterable[P]:
        if isinstance(recipe, Part) and recipe.kind == self.kind:
            yield recipe  # type: ignore[misc]  # the kind says its class
        elif isinstance(recipe, str):
            for text in self._texts(recipe):
                if text != self.nothing or text in self.catalogue:
                    yield self._of_text(text)
        elif isinstance(recipe, Mapping):
            yield self._of_mapping(recipe)
        elif isinstance(recipe, list | tuple):
            for part in recipe:
                yield from self._parts(part)
        else:
            raise GibbonError(f"{named(recipe)} is no {self.whole}. Write it as “{self.example}”.")

    def _texts(self, recipe: str) -> list[str]:
        """Return the texts of the parts; an empty text has none, and a “+” stands between two."""
        texts = [each.strip() for each in recipe.split("+")]
        if len(texts) > 1 and not all(texts):
            raise GibbonError(f"{named(recipe)} has a “+” that no part follows or precedes. Leave it out, or write “{self.example}”.")
        return [text for text in texts if text]

    def _of_text(self, text: str) -> P:
        slug, *given = text.split()
        values: dict[str, Any] = {}
        for word in given:
            name, separator, value = word.partition("=")
            name = name.replace("-", "_")
            if not separator:
                raise GibbonError(f"“{word}” in the {self.whole} is no name=value, as in “{self.example}”.")
            if name in values:
                raise GibbonError(f"“{slug}” has {name} twice in the {self.whole}. Give it once.")
            values[name] = None if value.lower() == "none" and self._may_be_none(slug, name) else value
        return self._of_mapping({self.kind: slug, **values})

    def _may_be_none(self, slug: str, name: str) -> bool:
        """Return whether ``none`` means None here; for a choice it may be one of the choices."""
        known = self.catalogue.get(slug)
        parameter = None if known is None else parameters_of(known).get(name)
        return parameter is None or "none" not in parameter.choices

    def _of_mapping(self, values: Mapping[Any, Any]) -> P:
        slug = str(values.get(self.kind, ""))
        if slug not in self.catalogue:
            close = nearest(slug, self.catalogue, 0.5)
            cure = f"Did you mean “{close}”?" if close else f"There are: {', '.join(self.catalogue)}."
            raise GibbonError(f"There is no {self.noun} “{slug}”. {cure}")
        return self.catalogue[slug].build(**{str(name): value for name, value in values.items() if name != self.kind})


def _text(value: Any) -> str:
    return "none" if value is None else ("yes" if value else "no") if isinstance(value, bool) else str(value)
