"""A table of models and attacks in a study: every number comes back, an image is attacked again, and an edited one is refused."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import engine
from engine import attacks, study
from engine.evaluate.batch import RowRun
from engine.evaluate.tables import TableResults, TableSpec, evaluate_table
from engine.images import digest
from engine.study import Study
from engine.study.migration import VERSION
from tests.engine.study_damage import edited


@pytest.fixture(scope="module")
def results() -> TableResults:
    """Digits with and without a defense, under two attacks, and a model of other classes, whose cells have sentences."""
    given = [{"attack": "fgsm", "eps": [0.1, 0.3]}, {"attack": "pgd", "eps": 0.3, "steps": 2, "random_start": True}]
    models = ["digits", "digits + bit-depth bits=1", "signs"]
    spec = TableSpec(title="Small", models=models, data=[{"name": "generated:digits", "count": 9}], attacks=given, together=4)
    with evaluate_table(spec) as run:
        for _ in run:
            pass
    return run.result()


@pytest.fixture
def path(results: TableResults, tmp_path: Path) -> Path:
    return study.write(Study(table=results), tmp_path / "a.gibbon")


def test_every_number_comes_back(results: TableResults, path: Path, tmp_path: Path) -> None:
    found = study.read(study.write(study.read(path), tmp_path / "b.gibbon")).table
    assert found is not None
    assert found.spec == results.spec
    assert found.data().rows == results.data().rows
    assert found.upright().rows == results.upright().rows
    assert found.sentences() == results.sentences()
    assert [light.plain() for light in found.lights.all] == [light.plain() for light in results.lights.all]
    assert (found.reason, found.seconds, found.shapes) == (results.reason, results.seconds, results.shapes)
    assert found.errors
    assert {cell.error for cell in found.errors} == {cell.error for cell in results.errors}


def test_an_image_of_a_cell_is_attacked_again_to_the_same_bits(results: TableResults, path: Path) -> None:
    found = study.read(path).table
    assert found is not None
    key = next(key for key, cell in found.cells.items() if "PGD" in key.attack and key.place == "undefended" and not cell.error)
    assert digest(found.cells[key].adversarial(5)) == results.cells[key].digests[5]
    again = RowRun(*found.cells[key].row(5))
    for _ in again:
        pass
    again.close()
    assert again.result().same


def test_a_table_in_progress_has_the_cells_so_far(tmp_path: Path) -> None:
    spec = TableSpec(models=["digits"], data=[{"name": "generated:digits", "count": 4}], attacks=[{"attack": "fgsm", "eps": [0.1, 0.2]}])
    with evaluate_table(spec) as run:
        for _ in run:
            if len(run.cells) == 1:
                break
    found = study.read(study.write(Study(table=run.result()), tmp_path / "a.gibbon")).table
    assert found is not None
    assert (len(found.cells), found.total, str(found.reason)) == (1, 2, "cancelled")


def test_a_study_of_version_2_has_no_table_of_models(path: Path, tmp_path: Path) -> None:
    def older(name: str, content: Any) -> Any:
        if name == "study.json":
            del content["lights"], content["table"]
            content["version"] = 2
        return content

    found = study.read(edited(path, older))
    assert found.table is None
    with zipfile.ZipFile(study.write(found, tmp_path / "new.gibbon")) as archive:
        assert "table.json" not in archive.namelist()
        assert json.loads(archive.read("study.json"))["version"] == VERSION


def _table(change: Callable[[Any], None]) -> Callable[[str, Any], Any]:
    def edit(name: str, content: Any) -> Any:
        if name == "table.json":
            change(content)
        return content

    return edit


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table["cells"][0].update(model="nobody"), "has no cell of “nobody”"),
        (lambda table: table["cells"][0].update(error="no"), "neither numbers nor a sentence, or both"),
        (lambda table: table["cells"][0].update(verdicts=None), "neither numbers nor a sentence, or both"),
        (lambda table: table["cells"][0]["verdicts"].pop("before"), "do not fit each other"),
        (lambda table: table["cells"][0]["verdicts"].update(before=table["cells"][0]["verdicts"]["failed"]), "do not fit each other"),
        (lambda table: table["cells"][0].update(class_names=["only one"]), "do not fit each other"),
        (lambda table: table["cells"][0]["digests"].pop(), "do not fit each other"),
        (lambda table: table.update(threads=0), "table.json says"),
    ],
)
def test_an_edited_table_is_refused_in_a_sentence(change: Callable[[Any], None], said: str, path: Path) -> None:
    with pytest.raises(engine.GibbonError, match="damaged or was edited") as caught:
        study.read(edited(path, _table(change)))
    assert said in str(caught.value)


def test_a_table_of_an_attack_that_is_not_here_is_told(path: Path) -> None:
    found = study.read(edited(path, _table(lambda table: table["specification"]["attacks"][0].update(attack="unheard-of"))))
    assert found.table is None
    assert found.remarks[0].startswith("The table of models and attacks is not shown: ")
    assert "no attack “unheard-of”" in found.remarks[0]
    assert attacks.CATALOGUE
