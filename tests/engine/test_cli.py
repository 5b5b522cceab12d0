"""The command line: what it writes, what it refuses in one sentence, and that asking for help loads no torch."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import engine
import main as entry
from engine import images
from engine.cli import main
from engine.cli.fields import parse
from engine.cli.options import class_number
from engine.figures import FigurePlan
from engine.record import Record

ROOT = Path(__file__).parents[2]
STOP = next(sample for sample in images.samples() if sample.label_name == "Stop" and sample.size == 32).path
Run = Callable[..., tuple[int, str, str]]


def program(*arguments: str | Path, folder: Path, **environment: str | None) -> subprocess.Popen[str]:
    env = {name: value for name, value in {**os.environ, "OMP_NUM_THREADS": "1", **environment}.items() if value is not None}
    command = [sys.executable, str(ROOT / "main.py"), *map(str, arguments)]
    return subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


# ---------------------------------------------------------------- attack, replay, figure


def test_attack_replay_figure(run: Run, tmp_path: Path) -> None:
    """The issue's own line flips the stop sign, twice with the same bits."""
    line = ("--model", "signs", "--image", STOP, "--attack", "pgd", "--eps", "8/255", "--steps", "40", "--seed", "0", "--device", "cpu")
    code, out, _ = run("attack", *line, "--out", "a", "--arrays")
    assert code == 0
    assert "→" in out
    stem = f"{STOP.stem}-pgd"
    assert sorted(p.name for p in Path("a").iterdir()) == sorted(f"{stem}.{s}" for s in ("json", "npz", "pdf", "pdf.json", "png"))
    record = Record.read(f"a/{stem}.json")
    assert record.outcome.success
    assert record.outcome.before.name == "Stop"
    assert record.outcome.before.probability > 0.99
    with np.load(f"a/{stem}.npz") as arrays:
        written = np.asarray(Image.open(f"a/{stem}.png")).transpose(2, 0, 1)
        assert np.array_equal(written, (arrays["adversarial"] * 255).round())
        assert arrays["adversarial_logits"].argmax() == record.outcome.after.index

    code, out, _ = run("attack", *line, "--out", "b", "--json")
    assert code == 0
    again = json.loads(out)
    assert again["outcome"]["adversarial_sha256"] == record.outcome.adversarial_sha256
    assert again["saved"]["still_adversarial"] == record.outcome.survives_8bit

    code, out, _ = run("replay", f"a/{stem}.json", "--out", "again.png")
    assert code == 0
    assert "The same bits again." in out
    assert Path("again.png").read_bytes() == Path(f"a/{stem}.png").read_bytes()

    code, out, _ = run("figure", f"a/{stem}.pdf.json", "--out", "f/f.svg", "--panels", "clean,loss", "--width-mm", "60", "--dark")
    assert code == 0
    width = re.search(r'<svg[^>]* width="([\d.]+)pt"', Path("f/f.svg").read_text("utf-8"))
    assert width is not None
    assert float(width[1]) == pytest.approx(60 / 25.4 * 72, abs=0.01)
    kept = Record.read("f/f.svg.json").figure
    assert kept is not None
    assert FigurePlan.of(kept) == FigurePlan(panels=("clean", "loss"), width_mm=60, dark=True)
    assert kept["same_bits"] is True
    assert str(kept["caption"]).startswith(r"\caption{")


def test_a_sticker_changes_only_its_rectangle(run: Run) -> None:
    arguments = ("--attack", "sticker", "--sticker", "10,12,6,4", "--label", "stop", "--steps", "3", "--panels", "clean")
    code, _, _ = run("attack", "--image", STOP, *arguments, "--arrays", "--out", "o")
    assert code == 0
    with np.load(f"o/{STOP.stem}-sticker.npz") as arrays:
        changed = (arrays["perturbation"] != 0).any(0)
        assert changed.any()
        changed[12:16, 10:16] = False
        assert not changed.any()
        assert arrays["mask"].sum() == 24
    assert not Record.read(f"o/{STOP.stem}-sticker.json").label.assumed


def test_a_photograph_is_cropped_and_a_target_is_reached_for(run: Run) -> None:
    images.write_png("photo.png", torch.rand(3, 60, 80))
    options = ("--crop", "5,6,40,40", "--label", "Stop", "--target", "Yield", "--steps", "2", "--panels", "clean")
    assert run("attack", "--image", "photo.png", *options)[0] == 0
    record = Record.read("photo-pgd.json")
    assert record.image.crop == (5, 6, 40, 40)
    assert record.target is not None
    assert record.target.name == "Yield"
    assert run("replay", "photo-pgd.json")[0] == 0


def test_replay_says_when_the_bits_are_others(run: Run) -> None:
    run("attack", "--image", STOP, "--steps", "2", "--panels", "clean")
    path = Path(f"{STOP.stem}-pgd.json")
    content = json.loads(path.read_text())
    content["seed"] = 1
    path.write_text(json.dumps(content))
    code, out, _ = run("replay", path)
    assert code == 1
    assert "Other bits" in out


# ---------------------------------------------------------------- refusals

BAD: list[tuple[list[str], str]] = [
    (["attack", "--image", "missing.png"], "no file “missing.png”"),
    (["attack"], "Which image?"),
    (["attack", "--image", "STOP", "--eps", "-1"], "eps: -1 is too small. It must be above 0."),
    (["attack", "--image", "STOP", "--eps", "8"], "grey levels write 8/255"),
    (["attack", "--image", "STOP", "--steps", "0"], "steps: 0 is too small. The least is 1."),
    (["attack", "--image", "STOP", "--stpes", "4"], "Did you mean --steps?"),
    (["attack", "--image", "STOP", "--sed", "4"], "Did you mean --seed?"),
    (["attack", "--image", "STOP", "--steps"], "--steps needs a value"),
    (["attack", "--image", "STOP", "--steps", "--seed", "1"], "--steps needs a value"),
    (["attack", "--image", "STOP", "--steps", "3", "--steps", "4"], "given twice"),
    (["attack", "--image", "STOP", "stray"], "was found where an option was expected"),
    (["attack", "--image", "STOP", "--attack", "pdg"], "Did you mean pgd?"),
    (["attack", "--image", "STOP", "--label", "Stop", "--target", "stop"], "nothing to reach"),
    (["attack", "--image", "STOP", "--target", "Stopp"], "Did you mean “Stop”?"),
    (["attack", "--image", "STOP", "--target", "43"], "has 0 to 42"),
    (["attack", "--image", "STOP", "--attack", "sticker"], "needs a mask"),
    (["attack", "--image", "STOP", "--sticker", "99,0,2,2"], "covers no pixel"),
    (["attack", "--image", "STOP", "--crop", "1,2"], "left,top,width,height"),
    (["attack", "--image", "STOP", "--crop", "20,20,30,30"], "leaves the photograph"),
    (["attack", "--image", "STOP", "--start", "STOP"], "Leave --start out."),
    (["attack", "--image", "STOP", "--attack", "universal", "--target", "Yield"], "Leave --target out."),
    (["attack", "--image", "STOP", "--data-set", "generated:signs"], "Leave --data-set out."),
    (["attack", "--image", "STOP", "--panels", "clean,nothing"], "no panel “nothing”"),
    (["attack", "--image", "STOP", "--panels", "histogram:nowhere"], "no layer “nowhere”"),
    (["attack", "--image", "STOP", "--model", "nonsense"], "There is no model “nonsense”"),
    (["attack", "--image", "STOP", "--model", "evil.py:make"], "--allow-code"),
    (["attack", "--image", "STOP", "--device", "cuda:99"], "no device “cuda:99”"),
    (["attack", "--image", "STOP", "--seed", "x"], "--seed"),
    (["replay", "missing.json"], "no file “missing.json”"),
    (["replay", "STOP"], "carries no record"),
    (["figure", "missing.json", "--out", "a.pdf"], "no file “missing.json”"),
    (["train"], "such as digits"),
    (["train", "signs", "--data", "nowhere"], "was not found"),
    (["train", "digits", "--epochs", "0"], "epochs"),
    (["train", "digits", "--resume"], "no interrupted training"),
    (["nonsense"], "nonsense"),
]


@pytest.mark.parametrize(("arguments", "sentence"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_one_sentence_and_exit_code_2(run: Run, tmp_path: Path, arguments: list[str], sentence: str) -> None:
    (tmp_path / "evil.py").write_text("from pathlib import Path\nPath('ran').touch()\n")
    code, out, err = run(*[str(STOP) if argument == "STOP" else argument for argument in arguments])
    assert code == 2
    assert sentence in err
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert out == ""
    assert [p.name for p in tmp_path.iterdir()] == ["evil.py"]


def test_a_traceback_for_who_asks(run: Run) -> None:
    code, _, err = run("replay", "missing.json", "--traceback")
    assert code == 2
    assert "Traceback" in err


def test_nothing_is_written_over(run: Run) -> None:
    arguments = ("attack", "--image", STOP, "--steps", "1", "--panels", "clean")
    assert run(*arguments)[0] == 0
    before = Path(f"{STOP.stem}-pgd.json").read_bytes()
    code, _, err = run(*arguments)
    assert code == 2
    assert "there is already" in err
    assert Path(f"{STOP.stem}-pgd.json").read_bytes() == before
    assert run(*arguments, "--overwrite")[0] == 0


# ---------------------------------------------------------------- options from fields


def test_every_attack_lists_its_fields_and_none_collides(run: Run) -> None:
    _, plain, _ = run("attack", "--help")
    own = set(re.findall(r"--[a-z-]+", plain.split("Options of")[0])) - {"--attack NAME --help"}
    for slug, kind in engine.attacks.CATALOGUE.items():
        code, out, _ = run("attack", "--attack", slug, "--help")
        assert code == 0
        for name in kind.model_fields:
            option = f"--{name.replace('_', '-')}"
            assert option in out
            assert option not in own
        assert max(map(len, out.splitlines())) <= 100  # in a pipe, as here


def test_values_are_read_as_people_write_them() -> None:
    line = ["--eps", "8/255", "--step-size=none", "--no-random-start", "--norm", "l2", "--restarts", "1", "--quantile", "90 %"]
    attack = engine.attacks.PGD.build(**parse(engine.attacks.PGD, [*line[:-2], "--quantile", "0.5"]))
    assert attack == engine.attacks.PGD(eps=8 / 255, step_size=None, random_start=False, norm="l2", quantile=0.5)
    pgd = engine.attacks.PGD
    assert (
        parse(pgd, ["--random-start"])
        == parse(pgd, ["--random-start", "yes"])
        == parse(pgd, ["--random-start=on"])
        == {"random_start": True}
    )
    assert parse(pgd, ["--random-start", "--steps", "3"]) == {"random_start": True, "steps": "3"}
    assert parse(engine.defenses.Train, ["--sign", "-1"]) == {"sign": -1}
    with pytest.raises(engine.GibbonError, match="yes or no"):
        parse(pgd, ["--random-start=maybe"])


def test_classes_by_name_or_number() -> None:
    labels = ["Stop", "Speed limit 20", "7", "yield"]
    assert [class_number(text, labels, "label") for text in ("stop", "1", "7", "YIELD")] == [0, 1, 2, 3]


# ---------------------------------------------------------------- models, train, demo


def test_models_are_listed(run: Run) -> None:
    code, out, _ = run("models", "--shipped")
    assert code == 0
    assert "signs" in out
    code, out, _ = run("models", "--shipped", "--find", "DIGITS", "--json")
    found: list[dict[str, Any]] = json.loads(out)
    assert found
    assert all("digits" in model["source"] for model in found)


def test_training_writes_a_model_that_loads(run: Run) -> None:
    line = ("train", "digits", "--activation", "bounded", "--data-set", "generated:digits", "--epochs", "1", "--device", "cpu")
    code, out, err = run(*line, "--out", "m")
    assert code == 0
    assert err.startswith("There was no folder “m”, so it was made.\nepoch 1 of 1: loss ")
    assert "right on generated:digits" in out
    assert sorted(p.name for p in Path("m").iterdir()) == [f"digits-bounded.{s}" for s in ("json", "safetensors", "training.json")]
    classifier = engine.models.load("m/digits-bounded.safetensors", device="cpu")
    assert classifier.num_classes == 10
    assert {site.kind for site in classifier.sites} == {"bounded"}
    code, _, err = run(*line, "--out", "m")
    assert code == 2
    assert "there is already" in err


def test_without_a_display_the_demo_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux can lack a display")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["gibbon"])
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "gibbon-demo").mkdir()
    (tmp_path / "gibbon-demo" / "mine").write_text("mine")
    assert entry.main() == 0
    out = capsys.readouterr().out
    assert out.startswith("There is no display here")
    assert all(command in out.splitlines()[0] for command in ("demo", "attack", "replay", "figure", "models", "train"))
    assert [p.name for p in (tmp_path / "gibbon-demo").iterdir()] == ["mine"]
    made = tmp_path / "gibbon-demo-2"
    records = [Record.read(made / name) for name in ("stop-pgd.json", "stop-sticker-6x6.json")]
    assert [record.operation.slug for record in records] == ["pgd", "sticker"]
    assert all(record.image.path == "stop.png" for record in records)  # the folder can be moved
    assert records[0].outcome.success
    assert main(["replay", str(made / "stop-sticker-6x6.json")], "gibbon") == 0


# ---------------------------------------------------------------- as a program


def test_help_loads_no_torch(tmp_path: Path) -> None:
    code = f"""
import runpy, sys
sys.argv = ["main.py", "--help"]
try:
    runpy.run_path({str(ROOT / "main.py")!r}, run_name="__main__")
except SystemExit as end:
    print(end.code, sorted({{"torch", "torchvision", "matplotlib", "PySide6"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "attack" in done.stdout
    assert done.stdout.splitlines()[-1] == "0 []"


def interrupt_when(process: subprocess.Popen[str], path: Path) -> tuple[str, str]:
    """Press Ctrl-C once ``path`` is there; what the program said."""
    deadline = time.monotonic() + 50
    while not path.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=50)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another signal there")
def test_an_interrupted_training_goes_on(run: Run, tmp_path: Path) -> None:
    line = ("train", "digits", "--data-set", "generated:digits", "--epochs", "12", "--device", "cpu")
    process = program(*line, folder=tmp_path)
    checkpoint = tmp_path / "digits.unfinished.safetensors"
    _, err = interrupt_when(process, checkpoint)
    assert process.returncode == 130
    assert "--resume continues" in err
    assert checkpoint.exists()
    code, _, err = run(*line)
    assert code == 2
    assert "An interrupted training waits" in err
    assert run(*line, "--resume")[0] == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["digits.json", "digits.safetensors", "digits.training.json"]
    assert json.loads((tmp_path / "digits.json").read_text())["epochs"] == 12


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another signal there")
def test_ctrl_c_keeps_the_best_so_far(tmp_path: Path) -> None:
    process = program("attack", "--image", STOP, "--steps", "100000", "--panels", "clean", "--out", "o", folder=tmp_path)
    out, err = interrupt_when(process, tmp_path / "o")  # the folder is made when the attack begins
    assert process.returncode == 130, err
    assert "cancelled" in out
    assert err == "There was no folder “o”, so it was made.\n"
    record = Record.read(tmp_path / "o" / f"{STOP.stem}-pgd.json")
    assert record.outcome.reason == "cancelled"
    assert record.outcome.steps_made < 100_000
    assert (tmp_path / "o" / f"{STOP.stem}-pgd.pdf").exists()


def test_a_folder_of_data_that_was_named_must_hold_them(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder, sentence in (("missing", "does not exist"), ("empty", "is not in")):
        code, said, complained = run("reproduce", "linear", "--data", folder)
        assert (code, said) == (2, "")
        assert sentence in complained
        assert complained.count("\n") == 1
