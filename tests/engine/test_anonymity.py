"""Anonymous figures and records: no name of a file and no path anywhere, and the same bits where no file is needed."""

from __future__ import annotations

import getpass
import json
import socket
from pathlib import Path

import pytest
import torch

import engine
import engine.script
from engine import attacks, images, record
from engine.artifacts import Perturbation
from engine.attacks.universal.saved import save_perturbation
from engine.cli.app import main
from engine.record import Record

SECRETS = ("smith", "secret")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "smith"
    made.mkdir()
    monkeypatch.chdir(made)
    images.write_png(made / "secret.png", engine.images.samples()[0].open().crop_to(engine.models.load("signs")))
    return made


def hidden(text: str, folder: Path) -> list[str]:
    """What gives the author away in a text."""
    names = [name for name in (socket.gethostname(), getpass.getuser()) if len(name) > 5]  # shorter ones occur in packed pixels by chance
    return [secret for secret in (*SECRETS, str(folder), *names) if secret in text]


@pytest.mark.parametrize("suffix", ["pdf", "svg", "png"])
def test_an_anonymous_figure_names_no_file_and_still_replays(folder: Path, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    images.write_png(folder / "secret-mask.png", torch.ones(3, 32, 32))
    assert main(["attack", "--image", "secret.png", "--mask", "secret-mask.png", "--steps", "2", "--out", "out"], "gibbon") == 0
    source = next((folder / "out").glob("*.pdf.json"))
    assert hidden(source.read_text("utf-8"), folder)  # an ordinary one names the image
    told = folder / f"figure.{suffix}"
    assert main(["figure", str(source), "--out", str(told), "--panels", "clean,loss", "--anonymous"], "gibbon") == 0
    beside = told.with_name(f"{told.name}.json")
    assert hidden(beside.read_text("utf-8"), folder) == []
    assert hidden(told.read_bytes().decode("latin-1"), folder) == []
    kept = json.loads(beside.read_text("utf-8"))
    assert kept["figure"]["anonymous"] is True
    assert "left out" in kept["figure"]["left_out"][0]
    for file in folder.glob("secret*"):
        file.unlink()
    assert main(["replay", str(beside)], "gibbon") == 0
    assert "same bits" in capsys.readouterr().out


def test_names_of_every_kind_of_file_are_left_out(folder: Path) -> None:
    signs = engine.models.load("signs")
    weights = folder / "secret-weights.safetensors"
    weights.write_bytes(engine.models.shipped.path("signs").read_bytes())
    own = engine.models.load(str(weights), architecture="signs")
    clean = images.open_image(folder / "secret.png").crop_to(own)
    result = engine.run(attacks.PGD(steps=1), own, clean[None])
    entry = record.record_of(
        result, image=record.image_entry(clean, images.open_image(folder / "secret.png"), folder=folder), folder=folder
    )
    plain, told = record.anonymous(entry, result.clean[0])
    assert hidden(plain.model_dump_json(), folder) == []
    assert any("model's file" in sentence for sentence in told)
    with pytest.raises(engine.GibbonError, match="does not say where the model"):
        record.replay(plain, folder=folder)
    with pytest.raises(engine.GibbonError, match="is anonymous: the model's file is left out"):
        engine.script.as_python(plain, folder)
    assert signs.fingerprint == own.fingerprint
    note = engine.figures.note_for(result, anonymous=True)
    assert hidden(note, folder) == []
    assert "of our own" in note
    assert hidden(engine.figures.note_for(result), folder)


def test_the_files_of_an_attack_are_left_out(folder: Path) -> None:
    signs = engine.models.load("signs")
    kept = Perturbation(torch.full((1, 3, 32, 32), 0.01), "noise")
    save_perturbation(folder / "secret-noise.safetensors", kept)
    clean = images.open_image(folder / "secret.png").crop_to(signs)
    result = engine.run(attacks.CATALOGUE["saved-perturbation"](file=str(folder / "secret-noise.safetensors")), signs, clean[None])
    entry = record.record_of(result, image=record.image_entry(clean), folder=folder)
    plain, told = record.anonymous(entry, result.clean[0])
    assert hidden(entry.model_dump_json(), folder)
    assert hidden(plain.model_dump_json(), folder) == []
    assert any("attack's files" in sentence for sentence in told)
    note = engine.figures.note_for(result, anonymous=True)
    assert hidden(note, folder) == []
    assert "scale" in note
    told_name = engine.figures.note_for(result)
    assert "secret-noise.safetensors" in told_name  # a figure for readers names the file, and not the folder of who made it
    assert str(folder) not in told_name
    with pytest.raises(engine.GibbonError, match="is anonymous: the attack's files are left out"):
        engine.script.as_python(plain, folder)


@pytest.mark.parametrize("place", ["folder:/home/smith/secret", "/home/smith/secret", "C:\\smith\\secret"])
def test_the_folder_of_a_model_s_training_is_not_in_the_note(folder: Path, place: str) -> None:
    card = json.loads(engine.models.shipped.path("signs").with_suffix(".json").read_text("utf-8"))
    weights = folder / "weights.safetensors"
    weights.write_bytes(engine.models.shipped.path("signs").read_bytes())
    weights.with_suffix(".json").write_text(json.dumps({**card, "data_set": place}), "utf-8")
    own = engine.models.load(str(weights), device="cpu")
    clean = images.open_image(folder / "secret.png").crop_to(own)
    note = engine.figures.note_for(engine.run(attacks.FGSM(), own, clean[None]), anonymous=True)
    assert "a folder of images" in note
    assert hidden(note, folder) == []


def test_stickers_become_part_of_the_image(folder: Path) -> None:
    from engine.stickers import Pixels, Sticker, compose

    signs = engine.models.load("signs")
    clean = images.open_image(folder / "secret.png").crop_to(signs)
    stickers = [Sticker(1, 3, 3, 8, 8, Pixels(torch.rand(3, 8, 8), "secret.png"), name="smith's")]
    attacked = compose(clean, stickers).base
    result = engine.run(attacks.PGD(steps=2), signs, attacked[None], seed=4)
    entry = record.record_of(result, image=record.image_entry(clean), stickers=stickers, folder=folder)
    plain, _ = record.anonymous(entry, result.clean[0])
    assert hidden(plain.model_dump_json(), folder) == []
    assert record.replay(Record.model_validate_json(plain.model_dump_json())).same
