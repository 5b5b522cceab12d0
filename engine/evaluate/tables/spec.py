"""The specification of a table: which models, attacks and data, and where the images are made. It is read from TOML or built in Python."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from engine.attacks import CATALOGUE
from engine.errors import GibbonError
from engine.evaluate.batch.aims import Rule
from engine.evaluate.defended import joined, split
from engine.evaluate.tables.budgets import Variant
from engine.files import ordinary_file
from engine.operation import Attack
from engine.refusals import place_and_reason
from engine.text.formatting import format_number
from engine.text.nearest import did_you_mean, nearest
from engine.text.parsing import Number, parse_number

ITSELF, UNDEFENDED = "itself", "undefended"
"""Places where images are made that depend on the row: on the model itself, and on the model without its defense."""
_LIMIT = 2**20
"""Bytes that a specification may have."""
_SEEDS = 2**31


class Part(BaseModel):
    """A frozen part of a specification, which refuses names that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True)


class TableModel(Part):
    """A row of the table: a model, perhaps behind a preprocessing defense. A text ``signs + jpeg quality=75`` is one, too."""

    source: str = Field(min_length=1)
    """The argument of `engine.models.load`: a shipped model, torchvision:NAME, a checkpoint file, or FILE.py:FACTORY."""
    defense: str = ""
    """Preprocessing in front of the model, such as ``jpeg quality=75``; empty: none."""
    name: str = ""
    """Name in the table; by default the source with its defense."""
    architecture: str | None = None
    """Architecture of a checkpoint file, see `engine.models.load`; None: that of its card."""
    activation: str | None = None
    """Rectifier of a checkpoint file; None: that of its card."""
    head: Literal["logits", "log", "strip"] = "logits"
    """Treatment of a model that ends in probabilities, see `engine.models.load`."""

    @model_validator(mode="before")
    @classmethod
    def _of_text(cls, given: Any) -> Any:
        if isinstance(given, str):
            source, defense = split(given)
            return {"source": source, "defense": defense}
        return given

    @property
    def title(self) -> str:
        """The name of the row in the table."""
        return self.name or joined(self.source, self.defense)

    @property
    def undefended(self) -> TableModel:
        """The same model without its defense."""
        return self.model_copy(update={"defense": "", "name": ""}) if self.defense else self

    @property
    def nameless(self) -> TableModel:
        """The same model without its name: rows that name one model twice attack it once."""
        return self.model_copy(update={"name": ""})


def _as_list(given: Any) -> Any:
    return (given,) if isinstance(given, (int, float, str)) else given


class TableAttack(Part):
    """One attack with its parameters, at one eps or several: a column for each.

    In TOML the attack's own parameters stand beside these fields: ``steps = 40``. A text is the name of an attack with its defaults.
    """

    attack: str
    """Slug in `engine.attacks.CATALOGUE`."""
    name: str = ""
    """Name in the table; by default the attack's title. Two entries of one attack need two names."""
    eps: Annotated[tuple[Number, ...], BeforeValidator(_as_list)] = ()
    """Radii in pixel units, such as 8/255; empty: that of the attack. Attacks without a radius take none."""
    aim: Rule = "away"
    """The target of each image, see `engine.evaluate.batch.Aim`."""
    group: str = ""
    """Columns of one group share a column with the worst case of each image. By default attacks of equal norm and eps form a group."""
    preset: str = ""
    """A published setting of the attack, by a part of its title."""
    parameters: Mapping[str, Any] = {}
    """The other parameters of the attack."""

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"attack": given}
        if not isinstance(given, Mapping):
            return given
        own = {name: value for name, value in given.items() if name in cls.model_fields}
        rest = {name.replace("-", "_"): value for name, value in given.items() if name not in cls.model_fields}
        cls._refuse_misspelt(own.get("attack"), rest)
        return {**own, "parameters": {**own.get("parameters", {}), **rest}}

    @classmethod
    def _refuse_misspelt(cls, slug: object, rest: Mapping[str, Any]) -> None:
        """Refuse a name that is none of the attack's parameters, but is like one of the fields of an entry."""
        kind = CATALOGUE.get(slug) if isinstance(slug, str) else None
        own = () if kind is None else tuple(kind.model_fields)
        if slug is not None and kind is None:
            return  # the attack itself is refused
        for name in (name for name in rest if name not in own):
            close = nearest(name, (*own, *cls.model_fields))
            if close in cls.model_fields and close not in own:
                raise ValueError(f"An attack of a table has no “{name}”. Did you mean {close}?")

    @field_validator("attack")
    @classmethod
    def _known(cls, slug: str) -> str:
        if slug not in CATALOGUE:
            cure = did_you_mean(slug, CATALOGUE, f"There are: {', '.join(sorted(CATALOGUE))}.", 0.5)
            raise ValueError(f"There is no attack “{slug}”. {cure}")
        return slug

    @model_validator(mode="after")
    def _buildable(self) -> Self:
        kind = CATALOGUE[self.attack]
        if not kind.from_image:
            raise ValueError(f"{kind.title} grows its images from noise, so there is nothing to compare. Choose an attack on images.")
        if self.eps and "eps" not in kind.model_fields:
            raise ValueError(f"{kind.title} has no eps. Leave eps out.")
        if self.aim == "away" and "targets" in kind.needs:
            raise ValueError(f"{kind.title} works towards a class: choose an aim other than “away”.")
        if self.aim != "away" and "targets" not in kind.uses:
            raise ValueError(f"{kind.title} takes no targets. Leave the aim out.")
        self.variants()
        return self

    @classmethod
    def of(cls, attack: Attack, **fields: Any) -> Self:
        """Make the entry of an attack that is built already."""
        return cls(attack=attack.slug, parameters=attack.model_dump(mode="json", exclude_defaults=True), **fields)

    @property
    def title(self) -> str:
        """The name of the attack above its columns."""
        return self.name or CATALOGUE[self.attack].title

    def variants(self) -> tuple[Variant, ...]:
        """Return the attack at each eps."""
        kind = CATALOGUE[self.attack]
        preset = dict(kind.preset(self.preset).values) if self.preset else {}
        radii: tuple[dict[str, Any], ...] = tuple({"eps": eps} for eps in self.eps) or ({},)
        built = (kind.build(**{**preset, **self.parameters, **radius}) for radius in radii)
        return tuple(Variant(self.title, attack, self.aim, self.group) for attack in built)


class TableData(Part):
    """A data set and the part of it that is used. A text is the name of a set, all of which is used."""

    name: str = Field(min_length=1)
    """Name for `engine.data.load`, with its split: “mnist:test”, “folder:PATH”, “generated:signs”."""
    count: int | None = Field(None, ge=1)
    """Number of images; None: all, of a drawn set its usual number."""
    seed: int | None = Field(None, ge=0)
    """The images are drawn by this seed; None: spread evenly over the set, and seed 0 of a set that this project draws."""

    @model_validator(mode="before")
    @classmethod
    def _of_text(cls, given: Any) -> Any:
        return {"name": given} if isinstance(given, str) else given


class TableSpec(Part):
    """A table of models x attacks x eps x data, white box and by transfer."""

    title: str = ""
    """Title of the table."""
    models: tuple[TableModel, ...] = Field(min_length=1)
    """The rows of the table."""
    attacks: tuple[TableAttack, ...] = Field(min_length=1)
    """The attacks, each with one column or more."""
    data: tuple[TableData, ...] = Field(min_length=1)
    """The data sets; each has its own columns."""
    crafted_on: tuple[str, ...] = ()
    """Where the images are made: “itself” (white box), “undefended” (on the model without its defense, by an attacker who does not know
    it), or a model by its name or source (transfer). Empty: itself, and undefended where a model has a defense.
    """
    seed: int = Field(0, ge=0)
    """Image n draws with the seed ``seed + n``, as in a batch."""
    together: int = Field(32, ge=1, le=100_000)
    """Images attacked in one batch: more are faster, and rounding may differ in the last digits."""
    keep_megabytes: float = Field(256, ge=0)
    """Room for the adversarial images. Those beyond are made again, with the same bits, when they are wanted."""

    def __init__(self, **parts: Any) -> None:
        try:
            super().__init__(**parts)
        except ValidationError as error:
            raise GibbonError(f"The table's specification does not fit: {place_and_reason(error, type(self))}") from None

    @model_validator(mode="after")
    def _no_name_twice(self) -> Self:
        _refuse_twice([model.title for model in self.models], "Two models have the name “{}”. Give one of them a name of its own.")
        _refuse_twice([data.name for data in self.data], "The data set “{}” stands twice. Name it once.")
        columns = [variant.label for attack in self.attacks for variant in attack.variants()]
        _refuse_twice(columns, "Two attacks have the name and eps “{}”. Give one of them a name of its own.")
        _refuse_twice(list(self.crafted_on), "“{}” stands twice in crafted_on. Name it once.")
        return self

    @property
    def places(self) -> tuple[str, ...]:
        """Where the images are made, the default filled in."""
        usual = (ITSELF, UNDEFENDED) if any(model.defense for model in self.models) else (ITSELF,)
        return self.crafted_on or usual

    def maker(self, place: str, row: TableModel) -> TableModel:
        """Return the model on which the images of ``place`` are made for a row."""
        if place == ITSELF:
            return row
        if place == UNDEFENDED:
            return row.undefended
        named = next((model for model in self.models if model.title == place), None)
        return named or TableModel.model_validate(place)

    def counts(self, place: str, row: TableModel) -> bool:
        """Return whether a row has numbers of its own for a place: without a defense both attackers are one, and stand once."""
        return bool(row.defense) or place != UNDEFENDED or ITSELF not in self.places

    def seeds(self, count: int) -> list[int]:
        """Return the seed of each of ``count`` images."""
        return [(self.seed + number) % _SEEDS for number in range(count)]


def _refuse_twice(names: list[str], sentence: str) -> None:
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise ValueError(sentence.format(twice))


def read_spec(path: Path | str) -> TableSpec:
    """Read a specification from a TOML file.

    Paths of models are relative to the working directory, as on the command line.

    Raises
    ------
    GibbonError
        The file is missing, is no TOML, or does not describe a table; the sentence names the place.
    """
    path = ordinary_file(path, "the specification of a table (.toml)", limit=_LIMIT)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GibbonError(f"“{path.name}” is no TOML: {error}. Mend that line.") from None
    return TableSpec(**{"title": path.stem, **content})


def spec_toml(spec: TableSpec) -> str:
    """Return the specification as TOML, which `read_spec` reads back to an equal one."""
    lines = [f"{name} = {_toml(getattr(spec, name))}" for name in ("title", "crafted_on", "seed", "together", "keep_megabytes")]
    for heading, parts in (("models", spec.models), ("data", spec.data), ("attacks", spec.attacks)):
        for part in parts:
            values = part.model_dump(exclude_defaults=True)
            values |= values.pop("parameters", {})
            lines += ["", f"[[{heading}]]", *(f"{name} = {_toml(value)}" for name, value in values.items() if value is not None)]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, float):
        short = format_number(value)  # as people write it, where that is read back to the same bits
        return json.dumps(short) if "/" in short and parse_number(short) == value else repr(value)
    return str(value) if isinstance(value, int) else json.dumps(value, ensure_ascii=False)
