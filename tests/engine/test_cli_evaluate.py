"""The commands that compare models: files and exit codes, resumption, and words that do not fit."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import engine
from engine.evaluate.tables import TableSpec

Run = Callable[..., tuple[int, str, str]]
SPEC = """
title = "Digits"
models = ["digits", "digits + bit-depth bits=1"]

[[data]]
name = "generated:digits"
count = 12

[[attacks]]
attack = "fgsm"
eps = ["0.1", 0.2]

[[attacks]]
attack = "pgd"
eps = 0.1
steps = 2
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SPEC, encoding="utf-8")
    return path


def test_a_table_is_written_as_numbers_record_and_figure_and_resumed(run: Run, spec: Path, tmp_path: Path) -> None:
    code, said, complained = run("evaluate", "table", spec, "--out", "made", "--figure", "svg")
    assert code == 0
    assert complained in ("", "There was no folder “made”, so it was made.\n")
    assert "PGD" in said
    assert "L∞ 0.1, 2 steps" in said
    assert "made without the defense" in said  # an attacker who knows beside one who does not
    with (tmp_path / "made/small.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    cells = [row for row in rows if row["kind"] == "cell"]
    assert len(cells) == 3 + 2 * 3, "a model without a defense stands once for both attackers"
    assert {row["crafted_on"] for row in rows if row["model"] == "digits"} == {"itself"}
    assert {row["crafted_on"] for row in rows if row["model"] != "digits"} == {"itself", "undefended"}
    assert all(row["budget"].startswith("L∞ 0.") and row["images"] == "12" for row in cells)
    for row in rows:
        low, share, high = (float(row[f"robust_accuracy{end}"]) for end in ("_low", "", "_high"))
        assert low <= share <= high
        assert float(row["robust_accuracy_of"]) == 12
        assert row["attack_success_of"] == row["clean_accuracy_hits"]
    record = json.loads((tmp_path / "made/small.json").read_text(encoding="utf-8"))
    assert TableSpec(**record["specification"]) == TableSpec(**tomllib.loads(SPEC))
    assert len(record["cells"]) == 9
    assert len(record["cells"][0]["images"]["after"]) == 12
    drawn = (tmp_path / "made/small.svg").read_text(encoding="utf-8")
    assert "2 steps" in drawn
    assert "worst case" in drawn
    assert json.loads((tmp_path / "made/small.svg.json").read_text(encoding="utf-8"))["format"] == "gibbon-table"

    code, _, complained = run("evaluate", "table", spec, "--out", "made")
    assert code == 2
    assert "there is already small.csv" in complained
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "made/cells").iterdir()}
    code, again, _ = run("evaluate", "table", spec, "--out", "made", "--resume", "--json")
    assert code == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert [row["robust_accuracy"] for row in json.loads(again)["cells"]] == [float(row["robust_accuracy"]) for row in rows]

    spec.write_text(SPEC.replace("steps = 2", "steps = 3"), encoding="utf-8")
    code, _, complained = run("evaluate", "table", spec, "--out", "made", "--resume")
    assert code == 2
    assert "steps is 2 there and 3 here" in complained
    code, said, _ = run("evaluate", "table", spec, "--out", "made", "--overwrite")
    assert code == 0
    assert "L∞ 0.1, 3 steps" in said


def test_a_table_with_a_cell_that_failed_says_so_and_its_code_is_1(run: Run, spec: Path) -> None:
    spec.write_text(SPEC.replace('"digits + bit-depth bits=1"', '"signs"'), encoding="utf-8")
    code, said, _ = run("evaluate", "table", spec, "--out", "made")
    assert code == 1
    assert "error" in said
    assert "“signs” takes colour images, “generated:digits” has grey images" in said


@pytest.mark.parametrize("data", ["generated:digits", "generated:signs"])
def test_a_table_without_any_number_is_not_written(run: Run, spec: Path, tmp_path: Path, data: str) -> None:
    model = "signs" if data == "generated:digits" else "digits"
    lines = SPEC.replace('"digits", "digits + bit-depth bits=1"', f'"{model}"').replace("generated:digits", data)
    spec.write_text(lines, encoding="utf-8")
    for more in ([], ["--json"]):
        code, said, complained = run("evaluate", "table", spec, "--out", "made", *more)
        assert (code, said) == (1, "")
        assert "No cell could be computed, so nothing was written. 3 cells" in complained
        assert complained.count(f"“{model}” takes ") == 1
    assert not (tmp_path / "made").exists()
    (tmp_path / "mine").mkdir()
    assert run("evaluate", "table", spec, "--out", "mine/deep/er")[0] == 1
    assert list((tmp_path / "mine").iterdir()) == [], "folders that were made go, the user's stays"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"digits", ', '"digts", ', "There is no model “digts”. Did you mean digits?\n"),
        ("bits=1", "bist=1", "Bit depth has no parameter “bist”. Did you mean bits?\n"),
        ("generated:digits", "generated:digit", "There is no data set “generated:digit”. Did you mean generated:digits?\n"),
        ('title = "Digits"', 'crafted_on = ["undefnded"]', "Did you mean undefended?\n"),
    ],
)
def test_a_table_that_names_what_is_not_there_makes_no_file(
    run: Run, spec: Path, tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    spec.write_text(SPEC.replace(old, new), encoding="utf-8")
    code, said, complained = run("evaluate", "table", spec, "--out", "made", "--overwrite")
    assert (code, said) == (2, "")
    assert complained.count(sentence) == 1
    assert complained.count("\n") == 1
    assert list(tmp_path.iterdir()) == [spec]


def test_a_curve_is_written_with_its_intervals_and_each_image(run: Run, tmp_path: Path) -> None:
    words = ("evaluate", "curve", "digits", "digits + bit-depth bits=1", "--attack", "fgsm", "--eps", "0.4", "--count", "12")
    code, said, complained = run(*words, "--data-set", "generated:digits", "--halvings", "5", "--out", "made")
    assert code == 0
    assert complained in ("", "There was no folder “made”, so it was made.\n")
    assert "mean relative norm" in said
    with (tmp_path / "made/curve-fgsm.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 33
    assert float(rows[-1]["eps"]) == 0.4
    for name in ("digits", "digits behind bit-depth bits=1"):
        values = [float(row[name]) for row in rows]
        assert values == sorted(values, reverse=True)
        assert all(float(row[f"{name}, low"]) <= float(row[name]) <= float(row[f"{name}, high"]) for row in rows)
    with (tmp_path / "made/curve-fgsm.images.csv").open(encoding="utf-8") as file:
        norms = list(csv.DictReader(file))
    assert len(norms) == 12
    record = json.loads((tmp_path / "made/curve-fgsm.json").read_text(encoding="utf-8"))
    assert record["operation"]["parameters"]["halvings"] == 5
    assert record["data"]["count"] == 12
    assert (tmp_path / "made/curve-fgsm.pdf").read_bytes().startswith(b"%PDF")


def test_a_point_of_the_curve_is_the_cell_of_the_table_at_that_eps() -> None:
    """The two evaluations attack the same images with the same seeds; FGSM on these images only gains with eps."""
    from engine import attacks
    from engine.evaluate.curves import RobustnessCurve
    from engine.evaluate.tables import evaluate_table

    data = engine.data.load("generated:digits", count=20)
    model = engine.models.load("digits", device="cpu")
    curve = engine.run(RobustnessCurve.of(attacks.PGD(eps=0.2, steps=5), halvings=2), model, data=data).artifacts["accuracy"]
    spec = TableSpec(models=["digits"], data=["set"], attacks=[{"attack": "pgd", "eps": [0.05, 0.1, 0.15, 0.2], "steps": 5}])
    with evaluate_table(spec, classifiers={"digits": model}, sets={"set": data}) as table:
        for _ in table:
            pass
    results = table.result()
    cells = [results.cell("digits", column).robust.value for column in results.columns]
    assert cells[0] > cells[-1]
    assert cells == pytest.approx(curve.lines["digits"][1:].tolist())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["evaluate"], "“evaluate” needs a command: table, curve, distortion, trust. See evaluate --help."),
        (["evaluate", "tabel"], "There is no command “tabel”. Did you mean table? There is: table, curve, distortion, trust."),
        (["evaluate", "table"], "SPEC is missing."),
        (["evaluate", "table", "none.toml"], "There is no file “none.toml”."),
        (["evaluate", "table", "x.toml", "--resum"], "There is no option --resum. Did you mean --resume?"),
        (["evaluate", "curve"], "Which models?"),
        (["evaluate", "curve", "digits"], "Which images?"),
        (["evaluate", "curve", "digits", "--data-set", "generated:digits", "--attack", "one-pixel"], "has no eps to search"),
        (["evaluate", "curve", "digits", "--data-set", "generated:digits", "--epz", "1"], "has no option --epz. Did you mean --eps?"),
        (["evaluate", "curve", "digits", "--eps", "0.1", "signs", "--data-set", "generated:digits"], "“signs” was found where an option"),
        (["evaluate", "trust", "digits", "--data-set", "generated:digits", "--out", "x"], "“evaluate trust” has no option --out, which"),
        (
            ["evaluate", "trust", "digits", "--data-set", "generated:digits", "--figure=pdf"],
            "“evaluate trust” has no option --figure, which",
        ),
        (["evaluate", "curve", "digits", "--data-set", "generated:digits", "--queries", "5"], "“evaluate curve” has no option --queries"),
        (
            ["evaluate", "curve", "digits", "--data-set", "generated:digits", "--resume"],
            "no option --resume, which evaluate table has.",
        ),
        (
            ["evaluate", "trust", "digits", "--data-set", "generated:digits", "--stepz", "5"],
            "“pgd” has no option --stepz. Did you mean --steps",
        ),
        (
            ["evaluate", "trust", "digits", "--data-set", "generated:digits", "--cuont", "5"],
            "“evaluate trust” has no option --cuont. Did you",
        ),
        (
            ["evaluate", "trust", "digits", "--data-set", "generated:digits", "--zzz", "5"],
            "Neither “evaluate trust” nor “pgd” has an option",
        ),
        (["evaluate", "curve", "digits + nothing", "--data-set", "generated:digits"], "nothing"),
        (["evaluate", "curve", "digits", "--data-set", "generated:signs"], "takes grey images, “generated:signs” has colour images"),
    ],
    ids=lambda value: " ".join(value[1:])[:40] if isinstance(value, list) else None,
)
def test_words_that_do_not_fit_are_refused_in_a_sentence(run: Run, words: list[str], sentence: str, tmp_path: Path) -> None:
    code, said, complained = run(*words)
    assert (code, said) == (2, "")
    assert sentence in complained
    assert list(tmp_path.iterdir()) == []
