"""Words of a command line that do not fit are refused in this project's sentences, at once, and nothing is left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import images
from engine.cli import main
from engine.cli.options import class_number
from engine.errors import GibbonError
from engine.record import repeatable
from engine.threads import MOST_THREADS, checked_threads

ROOT = Path(__file__).parents[2]
STOP = next(sample for sample in images.samples() if sample.label_name == "Stop" and sample.size == 32).path
LONG = "a" * 300
Run = Callable[..., tuple[int, str, str]]

REFUSED: list[tuple[list[str], str]] = [
    (["attack", "--seed", "x"], "--seed: “x” is no whole number. Write it as 40 or 1,000."),
    (["attack", "--seed", "1_0"], "--seed: “1_0” is no whole number. Write it as 40 or 1,000."),
    (["attack", "--seed", "1,5"], "--seed: “1,5” is no whole number. Write it as 40 or 1,000."),
    (["attack", "--seed", "1.5"], "--seed: 1.5 is no whole number. Write it as 40 or 1,000."),
    (["attack", "--threads", "0"], "--threads: 0 is too small. The least is 1."),
    (["attack", "--threads", "1000000"], "--threads: 1,000,000 is too large. The most is 512."),
    (["demo", "--threads", "1000000"], "--threads: 1,000,000 is too large. The most is 512."),
    (["replay", "x.json", "--threads", "513"], "--threads: 513 is too large. The most is 512."),
    (["attack", "--width-mm", "wide"], "--width-mm: “wide” is not a number. Write it as 0.03, 8/255 or 5 %."),
    (["attack", "--width-mm", "5"], "--width-mm: 5 is too small. It must lie between 30 and 500."),
    (["attack", "--data-count", "0"], "--data-count: 0 is too small. The least is 1."),
    (["attack", "--head", "log2"], "--head: “log2” is none of logits, log, strip. Did you mean log?"),
    (["train", "sings"], "There is no network “sings”. Did you mean signs?"),
    (["train", "signs", "--activation", "x"], "activation: “x” is none of keep, relu, bounded, bounded-leaky."),
    (["attack", "--out"], "--out needs a value."),
    (["models", "--json=3"], "--json takes no value."),
    (["models", "--shiped"], "There is no option --shiped. Did you mean --shipped?"),
    (["replay", "--nope"], "There is no option --nope. See replay --help."),
    (["replay"], "FILE is missing. See replay --help."),
    (["figure", "a.json"], "--out is missing. See figure --help."),
    (["figure", "a.json", "--out", "b.pdf", "--top", "0"], "--top: 0 is too small. The least is 1."),
    (["replay", "a", "b"], "“replay” was given more words than it takes. Options begin with two dashes. See replay --help."),
    (["atack"], "There is no command “atack”. Did you mean attack? There is: attack, batch, replay"),
    (["replay", "/dev/zero"], "“/dev/zero” is no ordinary file. Choose a record (.json) or a study."),
    (["figure", "/dev/zero", "--out", "a.pdf"], "“/dev/zero” is no ordinary file. Choose a record (.json)."),
    (["attack", "--image", "/dev/zero"], "“/dev/zero” is no ordinary file. Choose an image."),
    (["attack", "--image", "STOP", "--mask", "/dev/zero"], "“/dev/zero” is no ordinary file. Choose an image."),
    (["attack", "--image", "STOP", "--attack", "saved-perturbation", "--file", "/dev/zero"], "“/dev/zero” is no ordinary file."),
    (["replay", LONG], "cannot be read: File name too long. Check the path."),
    (["attack", "--image", LONG], "cannot be read: File name too long. Check the path."),
    (["demo", "--out", "FILE"], "“FILE” is a file, and the demonstration needs a folder. Choose another --out."),
    (["attack", "--image", "STOP", "--n-target-classes", "99999"], "n_target_classes: 99999 is too large. The most is 1,000."),
    (["attack", "--image", "STOP", "--panels", ",".join(["clean"] * 40)], "The panel “clean” is named twice. Name it once."),
    (["attack", "--image", "STOP", "--panels", "histogram,clean,histogram"], "The panel “histogram” is named twice. Name it once."),
    (["attack", "--image", "STOP", "--attack", "universal"], "Universal perturbation works on a data set. Name one with --data-set."),
    (["attack", "--image", "STOP", "--attack", "fooling"], "needs a class to reach. Name one with --target."),
]


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED, ids=[" ".join(words)[:60] for words, _ in REFUSED])
def test_what_does_not_fit_is_refused_in_a_sentence(run: Run, arguments: list[str], sentence: str) -> None:
    Path("FILE").write_text("kept")
    code, out, err = run(*(STOP if word == "STOP" else word for word in arguments))
    assert (code, out) == (2, "")
    assert sentence in err
    assert err.rstrip().endswith((".", "?"))
    assert not any(word in err for word in ("nput should", "Invalid value", "No such", "Missing ", "Error", "requires an argument"))
    assert [path.name for path in Path().iterdir()] == ["FILE"]
    assert Path("FILE").read_text() == "kept"


def test_a_pipe_is_refused_without_waiting_for_who_writes_to_it(run: Run) -> None:
    os.mkfifo("pipe.json")
    for words in (["replay", "pipe.json"], ["attack", "--image", "pipe.json"], ["figure", "pipe.json", "--out", "a.pdf"]):
        code, _, err = run(*words)
        assert code == 2
        assert "“pipe.json” is no ordinary file." in err


def test_a_record_of_a_million_threads_is_refused(run: Run) -> None:
    assert run("attack", "--image", STOP, "--steps", "1", "--panels", "clean", "--device", "cpu")[0] == 0
    path = Path(f"{STOP.stem}-pgd.json")
    for threads in (1_000_000, 0, -1):
        path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "threads": threads}), "utf-8")
        code, _, err = run("replay", path)
        assert code == 2
        assert f"{threads:,} threads cannot be used. Choose 1 to 512." in err


@pytest.mark.parametrize("count", [0, -3, MOST_THREADS + 1, 10**6])
def test_a_script_cannot_ask_for_more_threads_than_a_process_can_start(count: int) -> None:
    with pytest.raises(GibbonError, match="threads cannot be used"), repeatable(count):
        pass
    assert checked_threads(MOST_THREADS) == MOST_THREADS


@pytest.mark.parametrize("labels", [("crane", "dog", "crane"), ("crane (0)", "dog", "crane (2)")])
def test_two_classes_of_one_name_ask_for_the_number(labels: tuple[str, ...]) -> None:
    with pytest.raises(GibbonError, match=r"Two classes are called crane: 0 and 2. Give the number."):
        class_number("crane", labels, "target")
    assert class_number("2", labels, "target") == 2
    assert class_number("dog", labels, "target") == 1


def program(words: list[str], folder: Path, stdout: int) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(ROOT / "main.py"), *words]
    return subprocess.run(command, cwd=folder, env=env, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=120, check=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device here that is always full")
@pytest.mark.parametrize(
    "words", [["models", "--shipped"], pytest.param(["reproduce", "--json"], marks=pytest.mark.slow), ["--version"]], ids=" ".join
)
def test_an_output_that_cannot_be_written_is_said_once(tmp_path: Path, words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = program(words, tmp_path, full.fileno())
    assert done.returncode == 2
    assert done.stderr.strip() == "The output cannot be written: No space left on device."


@pytest.mark.parametrize("words", [["models", "--shipped"], [], ["gui"]])
def test_a_current_folder_that_is_gone_is_said(tmp_path: Path, words: list[str]) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    code = f"import os, sys; os.rmdir({str(folder)!r}); os.execv(sys.executable, [sys.executable, {str(ROOT / 'main.py')!r}, *{words!r}])"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert done.stderr.strip() == "The current folder is not there any more. Change to one that is, and run the command again."


def test_help_names_the_choices_and_the_kinds_of_values(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["attack", "--help"], "gibbon") == 0
    shown = " ".join(capsys.readouterr().out.split())
    for words in ("--seed INTEGER", "--width-mm NUMBER", "[logits|log|strip]", "--steps", "--n-target-classes", "linf | l2 | l1"):
        assert words in shown
