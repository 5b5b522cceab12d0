"""The trust lights of runs in a study: kept to the last figure, migrated, and refused where they were edited."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import engine
from engine import attacks, study
from engine.evaluate.trust import SIGNS, Light, TrustLights, lights_at_once
from engine.intervals import Share
from engine.study import Study
from engine.study.migration import VERSION
from tests.engine.study_damage import edited
from tests.engine.study_scenes import a_run


def lit() -> Study:
    """A study of a run with measured lights, and of one without."""
    runs = (a_run(attacks.PGD(steps=3, eps=0.1)), replace(a_run(attacks.FGSM()), number=2))
    result = runs[0].attack
    assert result is not None
    with engine.start(TrustLights.of_result(result), result.classifier, result.clean, labels=result.labels) as run:
        for step in run:
            lights = step.lights  # type: ignore[attr-defined]
    return Study(runs=runs, lights={runs[0].id: lights})


def test_lights_come_back_with_every_figure(tmp_path: Path) -> None:
    whole = lit()
    lights = next(iter(whole.lights.values()))
    assert {light.state for light in lights} >= {"off", "not measured"}
    assert any(isinstance(figure, Share) for light in lights for figure in light.figures.values())
    found = study.read(study.write(study.read(study.write(whole, tmp_path / "a.gibbon")), tmp_path / "b.gibbon"))
    assert found.lights == whole.lights
    assert [light.measured for light in found.lights[whole.runs[0].id]] == [light.measured for light in lights]


@pytest.mark.parametrize("figure", [1.5, float("inf"), Share(1, 3), Share(0, 0)])
def test_a_light_of_any_figure_comes_back(figure: Any, tmp_path: Path) -> None:
    run = a_run(attacks.FGSM())
    lights = tuple(Light(sign, "on", {"a": figure}) for sign in SIGNS.values())
    found = study.read(study.write(Study(runs=(run,), lights={run.id: lights}), tmp_path / "a.gibbon"))
    assert found.lights == {run.id: lights}


def test_lights_at_once_come_back_with_the_reasons_why_others_are_open(tmp_path: Path) -> None:
    run = a_run(attacks.DeepFool())
    assert run.attack is not None
    lights = lights_at_once(run.attack)
    found = study.read(study.write(Study(runs=(run,), lights={run.id: lights}), tmp_path / "a.gibbon"))
    assert [(light.sign.slug, light.state, light.why) for light in found.lights[run.id]] == [
        (light.sign.slug, light.state, light.why) for light in lights
    ]


def test_a_study_of_version_2_has_no_lights(tmp_path: Path) -> None:
    def older(name: str, content: Any) -> Any:
        if name == "study.json":
            del content["lights"]
            content["version"] = 2
        return content

    found = study.read(edited(study.write(lit(), tmp_path / "a.gibbon"), older))
    assert found.lights == {}
    assert len(found.runs) == 2
    with zipfile.ZipFile(study.write(found, tmp_path / "new.gibbon")) as archive:
        assert json.loads(archive.read("study.json"))["version"] == VERSION


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lights: lights[0].update(light="unheard-of"), "none of the signs"),
        (lambda lights: lights[0].update(state="maybe"), "study.json says"),
        (lambda lights: lights[0].update(figures={"a": {"hits": 4, "of": 3}}), "counts more images than there are"),
        (lambda lights: lights[0].update(figures={"a": "many"}), "study.json says"),
    ],
)
def test_edited_lights_are_refused_in_a_sentence(change: Callable[[Any], None], said: str, tmp_path: Path) -> None:
    def edit(name: str, content: Any) -> Any:
        if name == "study.json":
            change(next(iter(content["lights"].values())))
        return content

    with pytest.raises(engine.GibbonError, match="damaged or was edited") as caught:
        study.read(edited(study.write(lit(), tmp_path / "a.gibbon"), edit))
    assert said in str(caught.value)


def test_lights_of_a_run_that_is_not_shown_here_stay_in_the_study(tmp_path: Path) -> None:
    whole = lit()
    study.write(whole, tmp_path / "a.gibbon")
    catalogue = dict(attacks.CATALOGUE)
    del attacks.CATALOGUE["pgd"]
    try:
        study.write(study.read(tmp_path / "a.gibbon"), tmp_path / "b.gibbon")
    finally:
        attacks.CATALOGUE.clear()
        attacks.CATALOGUE.update(catalogue)
    assert study.read(tmp_path / "b.gibbon").lights == whole.lights
