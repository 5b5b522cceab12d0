"""What the command line tells of an attack: what was left out, what was chosen, where the budget went."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import images
from engine.record import Record

STOP = next(sample for sample in images.samples() if sample.label_name == "Stop" and sample.size == 32).path
Run = Callable[..., tuple[int, str, str]]
NETWORKS = """
import engine
import torch
from torch import nn

class Rounding(nn.Sequential):
    def forward(self, x):
        return super().forward(x.round().detach())

def made(network, classes):
    torch.manual_seed(0)
    return engine.Classifier(network(nn.Flatten(), nn.Linear(3 * 32 * 32, classes)), labels=list("abcd")[:classes], input_shape=(3, 32, 32))

linear = lambda: made(nn.Sequential, 4)
one_class = lambda: made(nn.Sequential, 1)
rounding = lambda: made(Rounding, 4)
"""


@pytest.fixture
def networks(tmp_path: Path) -> Path:
    (tmp_path / "networks.py").write_text(NETWORKS)
    return tmp_path / "networks.py"


def test_a_default_panel_that_cannot_be_drawn_is_left_out_and_said(run: Run, networks: Path) -> None:
    line = ("attack", "--image", STOP, "--model", f"{networks}:linear", "--allow-code", "--steps", "2", "--out", "o")
    code, out, err = run(*line)
    assert (code, err) == (0, "There was no folder “o”, so it was made.\n")
    assert "no rectifier" in out
    sidecar = Path(f"o/{STOP.stem}-pgd.pdf.json")
    assert json.loads(sidecar.read_text())["figure"]["panels"] == ["clean", "adversarial", "perturbation", "bars"]
    code, _, err = run("figure", sidecar, "--out", "f.svg", "--allow-code")
    assert code == 0
    assert "no rectifier" in err
    for asked in (line, ("figure", sidecar, "--out", "g.svg", "--allow-code")):
        code, _, err = run(*asked, "--panels", "clean,histogram", *(["--overwrite"] if asked is line else []))
        assert code == 2
        assert "Leave the histogram out." in err


@pytest.mark.parametrize(("network", "sentence"), [("one_class", "has one class only"), ("rounding", "passes no gradient to its input")])
def test_what_the_attack_refuses_is_heard_by_default(run: Run, networks: Path, network: str, sentence: str) -> None:
    code, _, err = run("attack", "--image", STOP, "--model", f"{networks}:{network}", "--allow-code", "--out", "o")
    assert code == 2
    assert sentence in err


# ---------------------------------------------------------------- the class that an attack chose itself


@pytest.mark.parametrize(("slug", "options"), [("fgsm", ["--towards", "random"]), ("pgd", ["--towards", "least likely", "--steps", "2"])])
def test_the_class_that_was_chosen_is_told_recorded_and_printed(run: Run, slug: str, options: list[str]) -> None:
    code, out, err = run("attack", "--image", STOP, "--attack", slug, *options, "--panels", "clean", "--device", "cpu")
    assert code == 0, err
    record = Record.read(f"{STOP.stem}-{slug}.json")
    assert record.goal is not None
    assert record.goal.index != record.label.index
    assert record.target is None  # success is still that the label was left
    assert f"away from “Stop” (assumed) towards “{record.goal.name}”, the class it chose" in out.splitlines()[0]
    assert run("figure", f"{STOP.stem}-{slug}.json", "--out", "f.svg", "--panels", "clean")[0] == 0
    small_print = " ".join(re.findall(r">([^<>]+)</text>", Path("f.svg").read_text("utf-8")))
    assert f"towards “{record.goal.name}”, the class it chose" in small_print


def test_of_a_target_that_was_given_nothing_was_chosen(run: Run) -> None:
    code, out, _ = run("attack", "--image", STOP, "--attack", "fgsm", "--target", "Yield", "--panels", "clean", "--device", "cpu")
    assert code == 0
    assert Record.read(f"{STOP.stem}-fgsm.json").goal is None
    assert "chose" not in out


# ---------------------------------------------------------------- what held before the attack


def test_an_attack_on_a_misread_image_is_called_no_success(run: Run) -> None:
    code, out, err = run("attack", "--image", STOP, "--label", "Yield", "--steps", "2", "--panels", "clean", "--device", "cpu")
    assert code == 0, err
    assert "wrong before the attack, which had nothing to do in 2 steps" in out
    assert "first at step" not in out
    assert run("figure", f"{STOP.stem}-pgd.json", "--out", "f.svg", "--panels", "loss")[0] == 0
    assert "misread before the attack" in " ".join(re.findall(r">([^<>]+)</text>", Path("f.svg").read_text("utf-8")))


# ---------------------------------------------------------------- budgets


@pytest.mark.parametrize(
    ("queries", "verdict"),
    [(1, "after 0 steps, then the budget of 1 query was spent"), (3, "after 2 steps, then the budget of 3 queries was spent")],
)
def test_a_spent_budget_is_told_with_its_size(run: Run, queries: int, verdict: str) -> None:
    line = ("attack", "--image", STOP, "--label", "Stop", "--max-queries", str(queries), "--eps", "1/255", "--panels", "clean")
    code, out, err = run(*line, "--device", "cpu")
    assert code == 0, err
    assert f"not adversarial {verdict}" in out
    assert ("before its first step. Allow more." in out) == (queries == 1)


# ---------------------------------------------------------------- numbers


def test_sizes_come_in_grey_levels_too_and_counts_with_separators(run: Run) -> None:
    code, out, err = run("attack", "--image", STOP, "--steps", "1100", "--label", "Stop", "--panels", "clean", "--device", "cpu")
    assert code == 0, err
    assert "L∞ 0.0314 (8/255), L2 " in out
    assert "1,101 forward and 1,100 backward rows" in out


def test_shares_are_percentages_and_flips_yes_or_no(run: Run) -> None:
    line = ("attack", "--image", STOP, "--device", "cpu", "--panels", "clean")
    code, out, err = run(*line, "--attack", "proximity", "--target", "Yield", "--steps", "3", "--curve", "2")
    assert code == 0, err
    table = out[out.index("The target against weight") :].splitlines()
    assert re.search(r"probability of the target +success", table[1])
    assert all(re.fullmatch(r"[\d,]+ +[\d.]+ % +[\d.]+ % *", row) for row in table[2:])
    assert len(table) == 5
    code, out, err = run(*line, "--attack", "one-pixel-map", "--levels", "2", "--sticker", "12,12,4,4")
    assert code == 0, err
    flips = [row.split()[-1] for row in out[out.index("The most effective pixels") :].splitlines()[2:]]
    assert flips
    assert set(flips) <= {"yes", "no"}
