"""Damaged, cut and edited studies: each is refused in one sentence, and no other error leaves `study.read`."""

from __future__ import annotations

import copy
import json
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import engine
from engine import attacks, study
from engine.study import Study
from engine.study import archive as archive_limits
from tests.engine.study_damage import edited, repacked
from tests.engine.study_scenes import a_run, a_study


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole study."""
    return study.write(a_study(), tmp_path_factory.mktemp("whole") / "a.gibbon")


def refusal(path: Path) -> str:
    """The sentence that refuses a study. Any other exception fails the test."""
    with pytest.raises(engine.GibbonError) as raised:
        study.read(path)
    text = str(raised.value)
    assert text[0] in "“T", text
    assert text.endswith("."), text
    assert "\n" not in text
    assert len(text) < 500
    return text


def opens_or_refuses(path: Path) -> bool:
    """Whether a study opens. No other error may leave `study.read`, and what opens must be usable."""
    try:
        found = study.read(path)
    except engine.GibbonError:
        return False
    study.write(found, path.with_name("again.gibbon"))
    return True


# ---------------------------------------------------------------------- bytes


def test_a_file_cut_at_any_length_is_refused(whole: Path, tmp_path: Path) -> None:
    data, cut = whole.read_bytes(), tmp_path / "cut.gibbon"
    lengths = [*range(0, len(data), max(1, len(data) // 150)), *range(len(data) - 30, len(data))]
    for length in lengths:
        cut.write_bytes(data[:length])
        assert "“cut.gibbon”" in refusal(cut)


def test_a_flipped_byte_anywhere_is_noticed_or_harmless(whole: Path, tmp_path: Path) -> None:
    """Only bytes that mean nothing, such as a member's date, may change unnoticed: a study that opens has the same tensors."""
    data, flipped, random_ = whole.read_bytes(), tmp_path / "flipped.gibbon", random.Random(3)
    expected = study.read(whole).runs
    opened = 0
    for _ in range(250):
        place = random_.randrange(len(data))
        flipped.write_bytes(data[:place] + bytes([data[place] ^ (1 << random_.randrange(8))]) + data[place + 1 :])
        if opens_or_refuses(flipped):
            opened += 1
            for one, other in zip(expected, study.read(flipped).runs, strict=True):
                assert torch.equal(one.attack.adversarial, other.attack.adversarial)  # type: ignore[union-attr]
    assert opened < 125


def test_a_flipped_byte_in_the_zips_directory_is_noticed_or_harmless(whole: Path, tmp_path: Path) -> None:
    data, flipped, random_ = whole.read_bytes(), tmp_path / "flipped.gibbon", random.Random(4)
    (start,) = struct.unpack("<L", data[-6:-2])
    for _ in range(250):
        place = random_.randrange(start, len(data))
        flipped.write_bytes(data[:place] + bytes([random_.randrange(256)]) + data[place + 1 :])
        opens_or_refuses(flipped)


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04", b"GIF89a", b"{}", b"\0" * 100], ids=repr)
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.gibbon"
    path.write_bytes(content)
    refusal(path)


def test_a_folder_a_missing_file_and_another_zip_are_refused(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)
    assert "There is no file" in refusal(tmp_path / "none.gibbon")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as other:
        other.writestr("hello.txt", "hello")
    assert "no study of Gibbon's" in refusal(tmp_path / "a.zip")


# ---------------------------------------------------------------------- members


def test_a_name_that_leaves_the_folder_is_refused(whole: Path) -> None:
    for name in ("../evil.json", "/etc/passwd", "runs/../../evil", "C:\\evil", "a\\..\\b"):
        assert "leaves its folder" in refusal(repacked(whole, lambda members, name=name: {**members, name: b"x"}))


def test_a_name_that_stands_twice_is_refused(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "twice.gibbon"
    path.write_bytes(whole.read_bytes())
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("study.json", "{}")
    assert "two parts named “study.json”" in refusal(path)


def test_what_unpacks_out_of_proportion_is_refused(whole: Path) -> None:
    bomb = repacked(whole, lambda members: {**members, "tensors/bomb": bytes(200 * 2**20)})
    assert bomb.stat().st_size < 2**20
    assert "would unpack to" in refusal(bomb)


def test_too_many_parts_are_refused(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_limits, "MOST_MEMBERS", 5)
    assert "the limit is 5" in refusal(whole)


def test_json_that_unpacks_to_too_much_is_refused(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_limits, "MOST_JSON", 100)
    assert "unpacks to more than" in refusal(whole)


def test_what_other_programs_add_to_a_zip_is_ignored(whole: Path) -> None:
    assert len(study.read(repacked(whole, lambda members: {**members, "__MACOSX/._study.json": b"x", ".DS_Store": b"y"})).runs) == 2


def test_a_missing_part_of_any_kind_is_refused(whole: Path) -> None:
    with zipfile.ZipFile(whole) as archive:
        names = [name for name in archive.namelist() if name != "thumbnail.png"]
    for name in names:
        refusal(repacked(whole, lambda members, name=name: {key: data for key, data in members.items() if key != name}))


def test_swapped_tensors_are_refused(whole: Path) -> None:
    def swapped(members: dict[str, bytes]) -> dict[str, bytes]:
        one, other = [name for name in members if name.startswith("tensors/")][:2]
        return {**members, one: members[other], other: members[one]}

    assert "holds other numbers than its name says" in refusal(repacked(whole, swapped))


# ---------------------------------------------------------------------- edited by hand


def _main(change: Callable[[dict[str, Any]], None]) -> Callable[[str, Any], Any]:
    def edit(name: str, content: Any) -> Any:
        if name == "study.json":
            change(content)
        return content

    return edit


def _attacks(change: Callable[[dict[str, Any]], None]) -> Callable[[str, Any], Any]:
    def edit(name: str, content: Any) -> Any:
        if name.startswith("runs/"):
            change(content["attack"])
        return content

    return edit


def test_a_newer_version_is_refused_with_what_to_do(whole: Path) -> None:
    assert "Install a newer one" in refusal(edited(whole, _main(lambda main: main.update(version=99))))
    for odd in (True, "1", 1.5, None, [1]):
        assert "format version" in refusal(edited(whole, _main(lambda main, odd=odd: main.update(version=odd))))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_main(lambda main: main.update(format="other")), "no study of Gibbon's"),
        (_main(lambda main: main["canvas"].update(label=10**6)), "true label is class 1000000"),
        (_main(lambda main: main["canvas"].update(model="0" * 16)), "a model that it does not name"),
        (_main(lambda main: main["canvas"].update(model=None)), "an image and no model"),
        (_main(lambda main: main["canvas"]["bounds"].update(act=float("nan"))), "canvas.bounds.act"),
        (_main(lambda main: main["canvas"]["stickers"][0].update(width=0)), "width"),
        (_main(lambda main: main["canvas"]["stickers"][0].update(id=2)), "two of its stickers have one id"),
        (_main(lambda main: main["canvas"]["stickers"][1]["shape"].update(kind="star")), "no sticker shape “star”"),
        (_main(lambda main: main["runs"].append(main["runs"][0])), "names a run twice"),
        (_main(lambda main: main["runs"].append("../../../etc/passwd")), "runs.2"),
        (_main(lambda main: main.update(extra=1)), "extra"),
        (_main(lambda main: main["models"][0].update(labels=["one", "two", "three"])), "logits"),
        (_main(lambda main: main["models"][0]["entry"].update(input_shape=[3, 9, 9])), "in place of"),
        (_main(lambda main: main["models"][0]["entry"].update(input_shape=[3, 2**40, 9])), "takes images of"),
        (_main(lambda main: main["explanations"][0].update(room="attacks", slug="fgsm", parameters={})), "among its explanations"),
        (_attacks(lambda attack: attack["tensors"].pop("trace")), "trace is missing"),
        (_attacks(lambda attack: attack["tensors"].update(adversarial=attack["tensors"]["logits"])), "adversarial has the shape"),
        (_attacks(lambda attack: attack["tensors"].update(labels=attack["tensors"]["loss"])), "type float"),
        (_attacks(lambda attack: attack.update(norms={})), "norms"),
        (_attacks(lambda attack: attack.update(delta=attack["tensors"]["logits"])), "perturbation has the shape"),
        (_attacks(lambda attack: attack["timeline"].reverse()), "out of order"),
        (_attacks(lambda attack: attack["inputs"].update(region="moon")), "region"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_edit_that_does_not_fit_is_refused(change: Callable[[str, Any], Any], said: str, whole: Path) -> None:
    assert said in refusal(edited(whole, change))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2.0, -1.0])
def test_an_image_out_of_its_range_is_refused(value: float, tmp_path: Path) -> None:
    from dataclasses import replace

    run = a_run(attacks.FGSM())
    assert run.attack is not None
    broken = run.attack.adversarial.clone()
    broken[0, 0, 0, 0] = value
    other = replace(run.attack, adversarial=broken)
    vars(other).update(survives_8bit=run.attack.survives_8bit, norms=run.attack.norms)
    path = study.write(Study(runs=(replace(run, result=other),)), tmp_path / "a.gibbon")
    assert "adversarial reaches from" in refusal(path)


_NUMBERS = (-1, 0, 3, 2**70, 1.5, float("nan"), float("-inf"))
_ODD: tuple[Any, ...] = (None, True, *_NUMBERS, "", "ü" * 50, "../x", [], [1, "a"], {}, {"a": 1}, "0" * 32)


def _places(content: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values in JSON."""
    keys = content.keys() if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else ()
    return [here, *(place for key in keys for place in _places(content[key], (*here, key)))]


def test_any_odd_value_anywhere_is_refused_or_harmless(whole: Path, tmp_path: Path) -> None:
    """Every place of the JSON takes odd values in turn, or is left out: nothing but a sentence, or a study that can be written again."""
    random_, small = random.Random(5), study.write(Study(runs=(a_run(attacks.PGD(steps=2)),)), tmp_path / "small.gibbon")
    for path in (whole, small):
        with zipfile.ZipFile(path) as archive:
            contents = {name: json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")}
        everywhere = [(name, place) for name, content in contents.items() for place in _places(content) if place]
        for name, place in random_.sample(everywhere, 120):
            changed = copy.deepcopy(contents[name])
            inner = changed
            for key in place[:-1]:
                inner = inner[key]
            if random_.random() < 0.2:
                del inner[place[-1]]
            else:
                inner[place[-1]] = random_.choice(_ODD)
            opens_or_refuses(edited(path, lambda each, content, name=name, changed=changed: changed if each == name else content))
