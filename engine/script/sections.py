"""The lines of a script that make one part of a recorded run: classifier, image, stickers, mask, attack."""

from __future__ import annotations

from pathlib import Path

import torch

from engine import resources
from engine.attacks import CATALOGUE
from engine.data import parse_name
from engine.defenses.preprocessing import read, words
from engine.errors import GibbonError
from engine.models import shipped
from engine.models.architectures import ARCHITECTURES
from engine.operation import Attack
from engine.record.anonymity import LEFT_OUT
from engine.record.finding import find
from engine.record.making import located
from engine.record.packing import Packed
from engine.record.schema import DataEntry, ImageEntry, MaskEntry, ModelEntry, OperationEntry, Record
from engine.script.literals import call, literal, wrapped_call
from engine.stickers import Colour, Composition, Pixels, Rectangle, Shadow, Sticker, compose
from engine.stickers.shapes import parameters_of_shape


def classifier_call(entry: ModelEntry, folder: Path, device: str) -> str:
    """Return the expression that loads the recorded classifier.

    Raises
    ------
    GibbonError
        The classifier cannot be loaded again: it was not read from a file, or its rectifiers or preprocessing were replaced.
    """
    if entry.name == LEFT_OUT:
        raise GibbonError("The record is anonymous: the model's file is left out, so no script can load it. Use the record's original.")
    if entry.source is None:
        raise GibbonError(
            f"The model “{entry.name}” was not read from a file, so a script cannot load it. Save it and load that file, "
            "or give it a source: FILE.py:FACTORY."
        )
    if entry.changes:
        raise GibbonError(f"The model was changed by hand ({'; '.join(entry.changes)}), which a record does not hold, nor a script.")
    source = located(entry.source, lambda path: str(_absolute(path, folder)))
    options = {name: literal(value) for name, value in entry.options.model_dump(exclude_defaults=True).items()}
    if ".py:" in source:
        options["allow_code"] = "True"
    changed = {}
    if not _has_size(entry):
        changed["size"] = literal(tuple(entry.input_shape[1:]))  # of the classifier's own size it changes nothing
    if entry.bounds:
        changed["bounds"] = literal(dict(entry.bounds))
    if entry.preprocessing:
        changed["before"] = call("engine.defenses.preprocessing.read", literal(words(read(list(entry.preprocessing)))))
    loaded = call("engine.models.load", literal(source), device=literal(device), **options)
    return f"{loaded}.{call('derive', **changed)}" if changed else loaded


def _has_size(entry: ModelEntry) -> bool:
    """Return whether the source is a shipped model, whose images have the recorded size anyway."""
    if entry.source not in shipped.names():
        return False
    return ARCHITECTURES[shipped.card(entry.source)["architecture"]].input_shape == entry.input_shape


def image_call(entry: ImageEntry, folder: Path, classifier: str) -> tuple[str, set[str]]:
    """Return the expression that reads the recorded clean image, and the imports that it needs."""
    if entry.pixels is not None:
        return packed_call(entry.pixels)
    text, imports = path_call(_found(entry.path, entry.sha256, folder, "image"))
    crop = {} if entry.crop is None else {"crop": literal(tuple(entry.crop))}
    return call("engine.images.read", text, classifier, **crop), imports


def _found(path: str | None, sha256: str | None, folder: Path, what: str) -> Path:
    """Return the recorded file, or the place where it was if it has moved since: the script then says which file it needs."""
    try:
        return _absolute(find(path, sha256, folder, None, what), Path.cwd())
    except GibbonError:
        return _absolute(Path(path or ""), folder)


def packed_call(packed: Packed) -> tuple[str, set[str]]:
    """Return the expression that makes pixels which are in no file, and the imports that it needs."""
    values = packed.tensor()
    if bool((values == values.flatten()[0]).all()):
        return call("torch.full", literal(tuple(packed.shape)), literal(float(values.flatten()[0]))), set()
    return f"{call('Packed', shape=literal(tuple(packed.shape)), zlib=literal(packed.zlib))}.tensor()", {"from engine.record import Packed"}


def sticker_call(sticker: Sticker, *, with_content: bool) -> tuple[str, set[str]]:
    """Return the expression that makes a sticker, and the imports that it needs.

    ``with_content`` includes the present content of a sticker that is to be optimised; without it only the place is written.
    """
    imports = {f"from engine.stickers import {type(sticker.content).__name__}", "from engine.stickers import Sticker"}
    content, more = _content(sticker, with_content)
    defaults = {"opacity": 1.0, "name": "", "angle": 0, "locked": False, "visible": True}
    named = {name: literal(getattr(sticker, name)) for name, default in defaults.items() if getattr(sticker, name) != default}
    if not isinstance(sticker.shape, Rectangle):
        imports.add(f"from engine.stickers import {type(sticker.shape).__name__}")
        named["shape"] = call(
            type(sticker.shape).__name__, **{name: literal(value) for name, value in parameters_of_shape(sticker.shape).items()}
        )
    places = (literal(value) for value in (sticker.id, sticker.x, sticker.y, sticker.width, sticker.height))
    return call("Sticker", *places, content, **named), imports | more


def _content(sticker: Sticker, with_content: bool) -> tuple[str, set[str]]:
    content = sticker.content
    if isinstance(content, Colour):
        return call("Colour", literal(tuple(content.rgb))), set()
    if isinstance(content, Shadow):
        return call("Shadow", literal(content.kappa), literal(content.blur)), set()
    if isinstance(content, Pixels):
        name = [literal(content.name)] if content.name else []
        pixels, imports = packed_call(Packed.of(content.image))
        return call("Pixels", pixels, *name), imports
    if content.image is None or not with_content:
        return "Optimised()", set()
    pixels, imports = packed_call(Packed.of(content.image))
    frame = {} if content.frame is None else {"frame": literal(content.frame)}
    return call("Optimised", pixels, **frame), imports


def attack_call(entry: OperationEntry, folder: Path) -> str:
    """Return the expression that makes the attack, with the parameters that are not the default; a long one has a line for each.

    Raises
    ------
    GibbonError
        The attack is not in the catalogue.
    """
    if entry.slug not in CATALOGUE:
        raise GibbonError(f"There is no attack “{entry.slug}” here, so no script can run it.")
    if LEFT_OUT in (entry.parameters.get(name) for name in entry.files):
        raise GibbonError("The record is anonymous: the attack's files are left out, so no script can run it. Use the record's original.")
    kind: type[Attack] = CATALOGUE[entry.slug]
    attack = kind.build(**entry.parameters)
    files = {name: _absolute(path, folder) for name, path in attack.named_files().items()}
    given = {}
    for name, field in kind.model_fields.items():
        value = files.get(name, getattr(attack, name))
        if value != field.get_default(call_default_factory=True):
            given[name] = literal(value)
    return wrapped_call(f"attacks.{kind.__name__}", **given)


def attack_title(entry: OperationEntry) -> str:
    """Return the attack's title, or its name in the record where there is no such attack here."""
    return CATALOGUE[entry.slug].title if entry.slug in CATALOGUE else entry.slug


def data_call(entry: DataEntry) -> str:
    """Return the expression that loads the data set from which the attack learned."""
    name, split = parse_name(entry.name)
    splits = [] if split is None else [literal(split)]
    seed = {"seed": literal(entry.seed)} if entry.seed else {}
    return call("engine.data.load", literal(name), *splits, count=literal(entry.count), **seed)


def mask_call(entry: MaskEntry, folder: Path, classifier: str) -> tuple[str, set[str]]:
    """Return the expression that makes the mask, and the imports that it needs."""
    if entry.pixels is not None:
        return packed_call(entry.pixels)
    path, imports = path_call(_found(entry.path, entry.sha256, folder, "mask"))
    return call("read_mask", path, classifier), imports | {"from engine.record import read_mask"}


def composition_of(record: Record) -> Composition | None:
    """Return the composition of the record's stickers over an empty image of the model's size; None where it has none."""
    if not record.stickers:
        return None
    return compose(torch.zeros(record.model.input_shape), [entry.sticker() for entry in record.stickers])


def same_mask(entry: MaskEntry | None, composed: Composition | None) -> bool:
    """Return whether the recorded mask is exactly the one of the stickers."""
    if entry is None or entry.pixels is None or composed is None or composed.mask is None:
        return False
    return torch.equal(entry.pixels.tensor(), composed.mask.reshape(entry.pixels.shape))


def same_start(packed: Packed | None, composed: Composition | None) -> bool:
    """Return whether the recorded start is exactly the content of the stickers, wherever they are seen: elsewhere it has no effect."""
    if packed is None or composed is None or composed.mask is None:
        return False
    start, seen = packed.tensor(), composed.mask > 0
    return start.shape == composed.content.shape and torch.equal(start * seen, composed.content * seen)


def _absolute(path: Path, folder: Path) -> Path:
    """Return the absolute path of a file that a record names relative to its folder, without ``..``."""
    return path if path.is_absolute() and ".." not in path.parts else (folder / path).resolve()


def path_call(path: Path) -> tuple[str, set[str]]:
    """Return the text of a path, relative to the shipped resources where the file is one of those, and the imports that it needs."""
    home = resources.folder().resolve()
    if home in path.resolve().parents:
        return f"resources.folder() / {literal(path.resolve().relative_to(home).as_posix())}", {"from engine import resources"}
    return literal(str(path)), set()
