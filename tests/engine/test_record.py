"""Records: written, read, replayed to the same bits; what is broken, foreign or changed gets one sentence."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import engine
from engine import attacks, images, record
from engine.artifacts import Perturbation
from engine.attacks import CATALOGUE
from engine.record import ModelOptions, Packed, Record
from engine.record.migration import OLD_VALUES, VERSION
from engine.stickers import Colour, Optimised, Pixels, Sticker, compose
from tests.engine.conftest import small_network


def load(source: str = "small", device: str = "cpu", options: ModelOptions | None = None, seed: int = 0) -> engine.Classifier:
    """A classifier that a record's source names."""
    return engine.Classifier(
        small_network(seed=seed), [f"class {i}" for i in range(5)], (3, 8, 8), name=source, device=device, source=source
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    picture = torch.rand(3, 12, 10, generator=torch.Generator().manual_seed(5))
    images.write_png(tmp_path / "clean.png", picture)
    return tmp_path


def made(folder: Path, attack: engine.Attack | None = None, **options: Any) -> Record:
    """An attack on the picture, recorded."""
    classifier = load()
    photograph = images.open_image(folder / "clean.png")
    crop = images.Crop(1, 2, 8, 8)
    clean = photograph.crop_to(classifier, crop)
    mask: Tensor | None = options.get("mask")
    result = engine.run(attack or attacks.PGD(eps=0.1, steps=5), classifier, clean[None], seed=3, **options)
    return record.record_of(
        result,
        image=record.image_entry(clean, photograph, crop, folder / "out"),
        mask=record.mask_entry(mask),
        folder=folder / "out",
    )


def test_a_record_comes_back_from_its_file(folder: Path) -> None:
    entry = made(folder)
    path = entry.write(folder / "out" / "a.json")
    assert Record.read(path) == entry
    assert entry.image.path == "../clean.png"
    assert entry.label.assumed
    assert entry.operation.parameters["eps"] == 0.1
    assert [p.name for p in path.parent.iterdir()] == ["a.json"]


@pytest.mark.parametrize(
    ("attack", "options"),
    [
        (attacks.PGD(eps=0.1, steps=5), {}),
        (attacks.PGD(eps=0.1, steps=5, restarts=3), {"labels": torch.tensor([1])}),
        (attacks.FGSM(eps=0.1, towards="random"), {}),
        (attacks.PGD(eps=0.5, norm="l2", steps=4), {"targets": torch.tensor([4]), "labels": torch.tensor([0])}),
        (attacks.StickerPGD(steps=4, begin="random"), {"mask": torch.eye(8)[None]}),
    ],
)
def test_a_replay_gives_the_same_bits(folder: Path, attack: engine.Attack, options: dict[str, Any]) -> None:
    entry = made(folder, attack, **options)
    for _ in range(2):
        again = record.replay(entry, folder=folder / "out", load=load)
        assert again.same
        assert again.sentence == "The same bits again."
        assert bool(again.result.success[0]) == entry.outcome.success
        assert again.result.labels_assumed == entry.label.assumed


def test_other_bits_are_noticed(folder: Path) -> None:
    entry = made(folder)
    other = entry.model_copy(update={"seed": 4})
    again = record.replay(other, folder=folder / "out", load=load)
    assert not again.same
    assert "Other bits on the same device with the same versions. A second replay gave the bits of this one" in again.sentence
    assert again.repeats
    cancelled = record.replay(other, folder=folder / "out", load=load, watch=lambda step: False)
    assert "ended before the cause was looked for" in cancelled.sentence
    threads = record.replay(entry.model_copy(update={"threads": 3, "seed": 4}), folder=folder / "out", load=load, threads=1)
    assert threads.sentence == "Other bits on the same device; changed: threads 3 → 1."
    assert threads.repeats is None


class Unsettled(torch.nn.Module):
    """Departs from the contract of a model in a way that a test chooses, once ``departs`` is set."""

    departs = ""
    passes = 0

    def __init__(self) -> None:
        super().__init__()
        self.network = small_network()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        Unsettled.passes += 1
        extra = {"random": lambda: torch.rand(1), "drifting": lambda: float(Unsettled.passes % 5), "mixing": lambda: x.mean()}
        return self.network(x * (1 + extra[Unsettled.departs]()) if Unsettled.departs else x)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("random", "", "Other bits: the model is random"),
        ("", "drifting", "A second replay differed from this one, too"),
        ("mixing", "", "logits change with the other images in a batch"),
    ],
)
def test_the_cause_of_other_bits_is_looked_for(folder: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str, words: str) -> None:
    monkeypatch.setattr(Unsettled, "departs", before)
    monkeypatch.setattr(Unsettled, "passes", 0)
    model = engine.Classifier(Unsettled(), [f"class {i}" for i in range(5)], (3, 8, 8), source="unsettled", device="cpu")
    monkeypatch.setattr(Unsettled, "departs", after or before)
    entry = made(folder, attacks.PGD(steps=3, eps=0.1))
    entry = entry.model_copy(update={"model": entry.model.model_copy(update={"fingerprint": model.fingerprint})})
    again = record.replay(entry.model_copy(update={"seed": 9}), folder=folder / "out", load=lambda *_: model)
    assert words in again.sentence
    assert again.repeats is (None if before == "random" else before == "mixing")


def test_a_row_of_a_batch_replays_alone(folder: Path) -> None:
    classifier = load()
    batch = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    result = engine.run(attacks.PGD(eps=0.1, steps=1), classifier, batch, seed=9)
    entry = record.record_of(result, 2, image=record.image_entry(batch[2]))
    assert entry.row == 2
    again = record.replay(entry, load=load)
    # The same draws; float sums may be taken in another order in a batch of another size.
    assert torch.allclose(again.result.adversarial[0], result.adversarial[2], atol=1e-5)


def test_a_start_and_an_image_without_a_file_are_kept(folder: Path) -> None:
    classifier, clean = load(), torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(2))
    mask, start = torch.zeros(1, 8, 8), torch.rand(3, 8, 8)
    mask[:, 2:5, 2:5] = 1
    attack = attacks.StickerPGD(steps=3, begin="current")
    result = engine.run(attack, classifier, clean[None], mask=mask, start=start[None])
    entry = record.record_of(result, image=record.image_entry(clean), mask=record.mask_entry(mask), start=start)
    path = entry.write(folder / "kept.json")
    assert record.replay(Record.read(path), load=load).same


def test_a_label_assumed_elsewhere_replays_as_that_label() -> None:
    """As the window takes it: the prediction for the image without its stickers, though they change it."""
    classifier, clean = load(), torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(2))
    other = (classifier.predict(clean[None]) + 1) % classifier.num_classes
    result = engine.run(attacks.PGD(steps=3), classifier, clean[None], other, labels_assumed=True)
    assert result.labels_assumed
    entry = record.record_of(result, image=record.image_entry(clean))
    assert entry.label.assumed
    again = record.replay(entry, load=load)
    assert again.same
    assert int(again.result.labels[0]) == int(other[0])
    assert again.result.labels_assumed


def test_fixed_stickers_are_painted_again() -> None:
    classifier, clean = load(), torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(2))
    stickers = (
        Sticker(1, 0, 0, 3, 3, Colour((1.0, 0.0, 0.5)), opacity=0.5, name="pink"),
        Sticker(2, 2, 5, 4, 2, Pixels(torch.rand(3, 2, 2), "picture")),
        Sticker(3, 4, 1, 3, 3, Optimised()),
    )
    scene = compose(clean, stickers)
    result = engine.run(attacks.StickerPGD(steps=3), classifier, scene.base[None], mask=scene.mask)
    entry = record.record_of(result, image=record.image_entry(clean), mask=record.mask_entry(scene.mask), stickers=stickers)
    entry = Record.model_validate_json(entry.model_dump_json())
    assert entry.stickers[0].sticker() == stickers[0]
    assert record.replay(entry, load=load).same
    assert not record.replay(entry.model_copy(update={"stickers": entry.stickers[2:]}), load=load).same


def test_a_cancelled_run_replays_as_far_as_it_came(folder: Path) -> None:
    classifier, clean = load(), torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(2))
    run = engine.start(attacks.PGD(eps=0.1, steps=1000), classifier, clean[None])
    for step in run:
        if step.index == 4:
            break
    run.close()
    result = run.result()
    assert isinstance(result, engine.AttackResult)
    entry = record.record_of(result, image=record.image_entry(clean))
    assert (entry.outcome.reason, entry.outcome.steps_made) == ("cancelled", 4)
    again = record.replay(entry, load=load)
    assert again.same
    assert again.result.reason == "cancelled"


def test_bounds_and_working_size_are_loaded_again() -> None:
    classifier = load()
    derived = classifier.derive(bounds={classifier.sites[0].name: 0.3}, size=16)
    clean = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(2))
    result = engine.run(attacks.PGD(eps=0.1, steps=2), derived, clean[None])
    entry = record.record_of(result, image=record.image_entry(clean))
    assert record.replay(entry, load=load).same
    changed = classifier.derive(before=[torch.round])
    result = engine.run(attacks.FGSM(eps=0.1), changed, clean[None, :, :8, :8])
    entry = record.record_of(result, image=record.image_entry(clean[:, :8, :8]))
    with pytest.raises(engine.GibbonError, match="changed by hand"):
        record.replay(entry, load=load)


def test_a_defense_that_the_model_s_own_file_makes_is_made_again_and_another_one_is_not(folder: Path) -> None:
    file = folder / "hardened.py"
    file.write_text(
        "import torch, engine\n\n\ndef make():\n    torch.manual_seed(0)\n"
        "    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 9), torch.nn.ReLU(), torch.nn.Linear(9, 4))\n"
        "    plain = engine.Classifier(net, ['a', 'b', 'c', 'd'], (3, 8, 8))\n"
        "    return plain.derive(before=[torch.nn.AvgPool2d(3, 1, 1)], activations={'2': torch.nn.Tanh()}, bounds={'2': 0.5})\n"
    )

    def load(*_: object) -> engine.Classifier:
        return engine.models.load(f"{file}:make", allow_code=True, device="cpu")

    clean = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(3))
    for hardened in (load(), load().derive(bounds={"2": 0.25})):
        result = engine.run(attacks.PGD(eps=0.1, steps=3), hardened, clean[None])
        entry = record.record_of(result, image=record.image_entry(clean))
        assert entry.model.changes == ()
        assert record.replay(entry, load=load).same
    for further in ({"before": [torch.nn.AvgPool2d(3, 1, 1)]}, {"activations": {"2": torch.nn.Sigmoid()}}):
        result = engine.run(attacks.PGD(eps=0.1, steps=3), load().derive(**further), clean[None])
        entry = record.record_of(result, image=record.image_entry(clean))
        assert len(entry.model.changes) == 1
        with pytest.raises(engine.GibbonError, match="changed by hand"):
            record.replay(entry, load=load)


def test_a_mask_file_is_found_again_by_its_hash(folder: Path) -> None:
    mask = torch.zeros(1, 8, 8)
    mask[:, :4] = 1
    path = images.write_png(folder / "mask.png", mask)
    classifier, clean = load(), torch.rand(3, 8, 8)
    assert torch.equal(record.read_mask(path, classifier), mask)
    result = engine.run(attacks.PGD(eps=0.1, steps=2), classifier, clean[None], mask=mask)
    entry = record.record_of(result, image=record.image_entry(clean), mask=record.mask_entry(mask, path, folder / "out"))
    assert entry.mask is not None
    assert entry.mask.path == "../mask.png"
    assert record.replay(entry, folder=folder / "out", load=load).same
    images.write_png(path, 1 - mask)
    with pytest.raises(engine.GibbonError, match="not the mask that was recorded"):
        record.replay(entry, folder=folder / "out", load=load)
    with pytest.raises(engine.GibbonError, match="12 pixels, but the model works at 8 × 8"):
        record.read_mask(folder / "clean.png", classifier)


def test_a_moved_image_is_found_beside_the_record_or_given(folder: Path) -> None:
    entry = made(folder)
    place = (folder / "clean.png").rename(folder / "out" / "clean.png")
    assert record.replay(entry, folder=folder / "out", load=load).same
    place = place.rename(folder / "elsewhere.png")
    with pytest.raises(engine.GibbonError, match="is not there"):
        record.replay(entry, folder=folder / "out", load=load)
    assert record.replay(entry, folder=folder / "out", image=place, load=load).same
    images.write_png(place, torch.rand(3, 12, 10))
    with pytest.raises(engine.GibbonError, match="not the image that was recorded"):
        record.replay(entry, folder=folder / "out", image=place, load=load)


def test_a_file_that_the_attack_names_is_found_again_by_its_hash(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was typed, so relative to the working directory; the record names it from its own folder."""
    monkeypatch.chdir(folder)
    classifier, clean = load(), torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(2))
    for name, sign in (("v", 1), ("w", -1)):
        attacks.save_perturbation(name, Perturbation(torch.full((1, 3, 8, 8), 0.2 * sign), name))
    result = engine.run(attacks.SavedPerturbation(file="v.safetensors"), classifier, clean[None])
    entry = record.record_of(result, image=record.image_entry(clean), folder=folder / "out")
    path = entry.write(folder / "out" / "a.json")
    assert entry.operation.parameters["file"] == "../v.safetensors"
    assert entry.operation.files == {"file": record.file_digest("v.safetensors")}
    monkeypatch.chdir(folder / "out")
    assert record.replay(Record.read(path), folder=path.parent, load=load).same
    saved = (folder / "v.safetensors").rename(folder / "out" / "v.safetensors")
    assert record.replay(Record.read(path), folder=path.parent, load=load).same
    (folder / "w.safetensors").replace(saved)
    with pytest.raises(engine.GibbonError, match="not the file that was recorded"):
        record.replay(entry, folder=path.parent, load=load)
    saved.unlink()
    with pytest.raises(engine.GibbonError, match="is not there") as caught:
        record.replay(entry, folder=path.parent, load=load)
    assert "--image" not in str(caught.value)


def test_the_hash_is_that_of_the_file_that_was_read(tmp_path: Path) -> None:
    clean, file = torch.rand(3, 8, 8), tmp_path / "v.safetensors"
    attacks.save_perturbation(file, Perturbation(torch.full((1, 3, 8, 8), 0.2), "read"))
    then = record.file_digest(file)
    result = engine.run(attacks.SavedPerturbation(file=str(file)), load(), clean[None])
    attacks.save_perturbation(file, Perturbation(torch.full((1, 3, 8, 8), -0.2), "written later"))
    entry = record.record_of(result, image=record.image_entry(clean))
    assert entry.operation.files == {"file": then}
    with pytest.raises(engine.GibbonError, match="not the file that was recorded"):
        record.replay(entry, load=load)


def brightness(batch: Tensor) -> Tensor:
    """What an attacker might raise, too."""
    return 100 * batch.flatten(1).mean(1)


def test_a_further_objective_is_noted_and_its_replay_refused() -> None:
    classifier, clean = load(), torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(2))
    plain, followed = (engine.run(attacks.FGSM(eps=0.1), classifier, clean[None], objective=given) for given in (None, brightness))
    assert "objective" not in plain.provenance
    assert followed.provenance["objective"] == "brightness"
    entry = record.record_of(followed, image=record.image_entry(clean))
    entry = Record.model_validate_json(entry.model_dump_json())
    assert entry.objective == "brightness"
    with pytest.raises(engine.GibbonError, match=r"further objective, “brightness”, which a record cannot hold"):
        record.replay(entry, load=load)


def test_another_model_is_refused(folder: Path) -> None:
    entry = made(folder)
    with pytest.raises(engine.GibbonError, match="another model than the recorded one"):
        record.replay(entry, folder=folder / "out", load=lambda source, device, options: load(seed=1))
    with pytest.raises(engine.GibbonError, match="There is no model"):
        record.replay(entry, folder=folder / "out")
    with pytest.raises(engine.GibbonError, match="does not say where"):
        record.replay(entry.model_copy(update={"model": entry.model.model_copy(update={"source": None})}), load=load)


def test_a_model_file_is_named_from_the_record(folder: Path) -> None:
    """A checkpoint beside the record is found whatever the current folder is."""
    (folder / "net.pt").write_bytes(b"")
    classifier = load(str(folder / "net.pt"))
    classifier.card = {"architecture": "signs", "activation": "relu"}
    result = engine.run(attacks.FGSM(eps=0.1), classifier, torch.rand(1, 3, 8, 8))
    entry = record.record_of(result, image=record.image_entry(result.clean[0]), folder=folder / "out")
    assert entry.model.source == "../net.pt"
    assert entry.model.options == ModelOptions(architecture="signs", activation="relu")
    asked: list[str] = []

    def watching(source: str, device: str, options: ModelOptions) -> engine.Classifier:
        asked.append(source)
        return load()

    assert record.replay(entry, folder=folder / "out", load=watching).same
    assert Path(asked[0]).samefile(folder / "net.pt")


def test_a_record_cannot_allow_code(folder: Path) -> None:
    """Whoever sends a record must not make it run code, nor name options that load would take."""
    (folder / "evil.py").write_text("from pathlib import Path\nPath(__file__).with_name('ran').touch()\n")
    content = made(folder).to_json()
    content["model"]["source"] = "../evil.py:make"
    with pytest.raises(engine.GibbonError, match="runs"):
        record.replay(Record.model_validate(content), folder=folder / "out")
    content["model"]["options"]["allow_code"] = True
    path = folder / "out" / "evil.json"
    path.write_text(json.dumps(content))
    with pytest.raises(engine.GibbonError, match="allow_code"):
        Record.read(path)
    assert not (folder / "ran").exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda content: content | {"version": 4}, "reads the versions 1 to 3"),
        (lambda content: content | {"version": 0}, "reads the versions 1 to 3"),
        (lambda content: content | {"version": True}, "reads the versions 1 to 3"),
        (lambda content: content | {"version": "2"}, "reads the versions 1 to 3"),
        (lambda content: content | {"version": 1, "operation": 7}, "damaged"),
        (lambda content: content | {"format": "something"}, "no record of Gibbon's"),
        (lambda content: content | {"format": "gibbon-batch"}, "record of a table of many images. Repeat it with: batch --repeat"),
        (lambda content: content | {"format": "gibbon-training"}, "record of a training. Train again with: replay"),
        (lambda content: {"architecture": "digits", "input_shape": [1, 28, 28], "labels": ["0"]}, "card of a network. Open the weights"),
        (lambda content: {"model": 1}, "no record of Gibbon's"),
        (lambda content: [content], "no record of Gibbon's"),
        (lambda content: {k: v for k, v in content.items() if k != "seed"}, "damaged record: seed"),
        (lambda content: content | {"seed": "many"}, "damaged record: seed"),
        (lambda content: content | {"surprise": 1}, "damaged record: surprise"),
    ],
)
def test_broken_and_foreign_records(folder: Path, change: Any, sentence: str) -> None:
    path = folder / "a.json"
    path.write_text(json.dumps(change(made(folder).to_json())))
    with pytest.raises(engine.GibbonError, match=sentence) as caught:
        Record.read(path)
    assert "\n" not in str(caught.value)


def test_a_record_of_version_1_says_what_the_attack_did_then(folder: Path) -> None:
    path = folder / "a.json"
    content = made(folder).to_json()
    for slug, given, then in (
        ("pgd", {"norm": "l1"}, {"norm": "l1", "l1_step": "one value"}),
        ("fgsm", {}, {"l1_step": "one value"}),
        ("deepfool", {}, {"beyond_rounding": False, "clipped_step": "newton"}),
        ("square", {}, {"corners": "all"}),
        ("noise", {"eps": 0.1}, {"eps": 0.1}),
        ("of-someone-else", {"a": 1}, {"a": 1}),
    ):
        path.write_text(json.dumps(content | {"version": 1, "operation": {"slug": slug, "parameters": given, "files": {}}}))
        read = Record.read(path)
        assert (read.version, read.operation.parameters) == (3, then)
        assert Record.read(read.write(folder / "b.json")) == read  # it is of version 3 now, and nothing is added again
    path.write_text(json.dumps(content | {"operation": {"slug": "pgd", "parameters": {"norm": "l1"}, "files": {}}}))
    assert Record.read(path).operation.parameters == {"norm": "l1"}


def test_old_values_are_parameters_that_there_are_and_not_their_defaults() -> None:
    for version, attacks_then in OLD_VALUES.items():
        assert version < VERSION
        for slug, values in attacks_then.items():
            fields = CATALOGUE[slug].model_fields
            assert all(fields[name].default != value for name, value in values.items()), slug
            CATALOGUE[slug].build(**values)


def test_files_that_are_no_json(folder: Path) -> None:
    for name, content in (("html.json", b"<html>"), ("empty.json", b""), ("bytes.json", b"\xff\xfe\x00"), ("deep.json", b"[" * 200_000)):
        (folder / name).write_bytes(content)
        with pytest.raises(engine.GibbonError, match="not JSON"):
            Record.read(folder / name)
    with pytest.raises(engine.GibbonError, match="is a folder"):
        Record.read(folder)
    with pytest.raises(engine.GibbonError, match="There is no file"):
        Record.read(folder / "missing.json")


def test_packed_values_are_exact_and_cannot_explode() -> None:
    values = torch.randn(2, 3, 4)
    assert torch.equal(Packed.of(values).tensor(), values)
    bomb = base64.b64encode(zlib.compress(bytes(50_000_000))).decode()
    for text in ("", "!!", base64.b64encode(b"junk").decode(), bomb):
        with pytest.raises(engine.GibbonError, match="damaged"):
            Packed(shape=(2, 2), zlib=text).tensor()
    for shape in ((-1, 4), (0,), (10**6, 10**6)):
        with pytest.raises(ValueError, match="cannot be held"):
            Packed(shape=shape, zlib="")


def test_classes_that_the_model_has_not(folder: Path) -> None:
    content = made(folder, labels=torch.tensor([1])).to_json()
    content["label"]["index"] = 77
    with pytest.raises(engine.GibbonError, match="class 77"):
        record.replay(Record.model_validate(content), folder=folder / "out", load=load)
    content["operation"]["slug"] = "magic"
    with pytest.raises(engine.GibbonError, match="no attack “magic”"):
        record.replay(Record.model_validate(content), folder=folder / "out", load=load)


def test_the_thread_count_is_put_back(folder: Path) -> None:
    entry = made(folder)
    before = torch.get_num_threads()
    again = record.replay(entry.model_copy(update={"threads": before + 1}), folder=folder / "out", load=load)
    assert again.result.provenance["threads"] == before + 1
    assert torch.get_num_threads() == before


@pytest.mark.skipif(torch.cuda.is_available(), reason="only where CUDA is absent")
def test_a_device_that_is_not_here(folder: Path) -> None:
    entry = made(folder).model_copy(update={"device": "cuda:0", "device_name": "GPU"})
    with pytest.raises(engine.GibbonError, match="made on cuda:0"):
        record.replay(entry, folder=folder / "out", load=load)
    again = record.replay(entry, folder=folder / "out", load=load, device="cpu")
    assert again.same or "made on cuda:0, this on cpu" in again.sentence
