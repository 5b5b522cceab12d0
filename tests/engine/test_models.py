"""Models from every source, and every kind of bad one."""

from __future__ import annotations

import argparse
import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import engine
from engine import models
from engine.data import DataSet
from engine.errors import GibbonError
from engine.models.architectures import ARCHITECTURES, Maxout

DIGITS = ARCHITECTURES["digits"]


def network(activation: str = "relu", name: str = "digits", seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return ARCHITECTURES[name].build(activation)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "mine.pth"
    torch.save(network().state_dict(), path)
    return path


def logits(classifier: engine.Classifier) -> torch.Tensor:
    images = torch.rand(2, *classifier.input_shape, generator=torch.Generator().manual_seed(0))
    return classifier(images)


# ------------------------------------------------------------------ what ships


def test_a_shipped_model_is_what_it_is() -> None:
    assert models.load("signs", architecture="signs", activation="relu", device="cpu").source == "signs"
    with pytest.raises(GibbonError, match="“signs” has activation “relu”, not “bounded”"):
        models.load("signs", activation="bounded")


def test_what_ships_needs_no_torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)  # importing it fails from here on
    entries = {entry.source: entry for entry in models.catalogue(with_torchvision=False)}
    assert entries["signs"].classes == 43
    assert all(entry.available for entry in entries.values())
    assert len({entry.title for entry in entries.values()}) == len(entries)
    assert entries["digits-lecture"].training == "as lectured"
    assert entries["signs-bounded"].training == "standard, bounded ReLU"
    assert next(iter(entries)) == "digits"
    assert models.architectures(with_torchvision=False) == [*models.ARCHITECTURES]
    assert {"digits", "signs", "objects"} <= {*models.ARCHITECTURES}
    models.load("digits", device="cpu")
    with pytest.raises(ImportError):
        models.catalogue()


# ------------------------------------------------------------------ checkpoints


@pytest.mark.parametrize("activation", ["relu", "bounded", "bounded-leaky"])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_checkpoint_gives_the_network_that_was_saved(tmp_path: Path, activation: str, suffix: str) -> None:
    module, path = network(activation), tmp_path / f"mine{suffix}"
    if suffix == ".pth":
        torch.save(module.state_dict(), path)
    else:
        save_file(module.state_dict(), path)
    before = torch.get_rng_state()
    classifier = models.load(path, architecture="digits", activation=activation, device="cpu")
    assert torch.equal(torch.get_rng_state(), before)
    expected = engine.Classifier(module, DIGITS.labels, DIGITS.input_shape, DIGITS.mean, DIGITS.std, device="cpu")
    assert torch.equal(logits(classifier), logits(expected))
    assert classifier.source == str(path)
    assert classifier.card["activation"] == activation
    again = models.load(classifier.source, **models.options_of(classifier), device="cpu")  # type: ignore[arg-type]
    assert again.fingerprint == classifier.fingerprint


def test_the_card_beside_a_checkpoint_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_file(network("bounded").state_dict(), path)
    card = {
        "architecture": "digits",
        "activation": "bounded",
        "name": "my digits",
        "labels": list("abcdefghij"),
        "mean": [0.5],
        "std": [0.25],
    }
    path.with_suffix(".json").write_text(json.dumps(card))
    classifier = models.load(path, device="cpu")
    assert classifier.name == "my digits"
    assert classifier.labels == tuple("abcdefghij")
    assert classifier.normalisation == ((0.5,), (0.25,))
    path.with_suffix(".json").write_text("{")
    with pytest.raises(GibbonError, match=r"card .*mine.json.* is damaged"):
        models.load(path, device="cpu")


@pytest.mark.parametrize("nest", ["state_dict", "model", "model_state_dict"])
def test_nested_and_prefixed_checkpoints_are_unwrapped_and_said(tmp_path: Path, checkpoint: Path, nest: str) -> None:
    plain = models.load(checkpoint, architecture="digits", device="cpu")
    state = {f"module.{key}": value for key, value in network().state_dict().items()}
    torch.save({"epoch": 3, nest: state}, tmp_path / "nested.pth")
    nested = models.load(tmp_path / "nested.pth", architecture="digits", device="cpu")
    assert nested.fingerprint == plain.fingerprint
    assert nested.card["notes"] == [f"weights taken from “{nest}”", "“module.” removed from the names"]


def test_half_precision_and_strays_are_said(tmp_path: Path) -> None:
    state: dict[str, Any] = {key: value.half() for key, value in network().state_dict().items()}
    torch.save({**state, "epoch": 3}, tmp_path / "half.pth")
    classifier = models.load(tmp_path / "half.pth", architecture="digits", device="cpu")
    assert classifier.dtype == torch.float32
    assert classifier.card["notes"] == ["left out what is no tensor: epoch", "converted from float16"]


def test_the_content_decides_not_the_suffix(tmp_path: Path, checkpoint: Path) -> None:
    plain = models.load(checkpoint, architecture="digits", device="cpu")
    save_file(network().state_dict(), tmp_path / "tensors.pth")
    checkpoint.rename(tmp_path / "torch.safetensors")
    for name in ("tensors.pth", "torch.safetensors"):
        assert models.load(tmp_path / name, architecture="digits", device="cpu").fingerprint == plain.fingerprint


# ------------------------------------------------------------------ bad files


class Runs:
    """What an attacker would save."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, (f"{sys.executable} -c \"open('ran', 'w')\"",))


def write(path: Path, kind: str) -> str:
    """Write a bad file; give the words that its refusal must hold."""
    state = network().state_dict()
    match kind:
        case "empty":
            path.write_bytes(b"")
            return r"empty \(0 bytes\)"
        case "html":
            path.write_bytes(b"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>")
            return "web page"
        case "noise":
            path.write_bytes(bytes(range(200)))
            return r"damaged or holds no weights\. Fetch or write it again\."
        case "code":
            torch.save({"weights": Runs()}, path)
            return "asks for .*system, which would run code, so it was not loaded"
        case "bare code":
            path.write_bytes(pickle.dumps(Runs()))
            return "asks for .*system, which would run code"
        case "legacy code":
            torch.save({"weights": Runs()}, path, _use_new_zipfile_serialization=False)
            return "asks for .*system, which would run code"
        case "module":
            torch.save(nn.Sequential(nn.Linear(2, 2)), path)
            return r"whole pickled module \(torch\.nn\..*Save its weights alone"
        case "object":
            torch.save({"state_dict": state, "args": argparse.Namespace(a=1)}, path)
            return "asks for argparse.Namespace"
        case "plain pickle":
            path.write_bytes(pickle.dumps({"a": 1}))
            return "torch.save did not write"
        case "truncated":
            torch.save(state, path)
            path.write_bytes(path.read_bytes()[:50_000])
            return "damaged"
        case "tensor":
            torch.save(torch.zeros(3), path)
            return "holds a Tensor, not a state dict"
        case "numbers":
            torch.save({"epoch": 1, "lr": 0.1}, path)
            return r"holds no tensors \(its keys: epoch, lr\)"
        case "nan":
            state["conv2.weight"][0, 0, 0, 0] = torch.nan
            torch.save(state, path)
            return "conv2.weight.*NaN"
        case "other head":
            torch.save({**state, "dense2.weight": torch.zeros(12, 100), "dense2.bias": torch.zeros(12)}, path)
            return r"shapes differ: dense2.weight is \(12, 100\) instead of \(10, 100\)"
        case "other network":
            torch.save(nn.Sequential(nn.Linear(4, 4)).state_dict(), path)
            return r"another architecture than “digits”: it lacks conv1.weight, .* and 5 more; it holds 0.weight, 0.bias, which"
        case "signs":
            torch.save(network("bounded", "signs").state_dict(), path)
            return "fits “signs” with activation “bounded”"
    raise AssertionError(kind)


KINDS = [
    *("empty", "html", "noise", "code", "bare code", "legacy code", "module", "object", "plain pickle", "truncated"),
    *("tensor", "numbers", "nan", "other head", "other network", "signs"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_bad_checkpoint_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "bad.pth"
    words = write(path, kind)
    with pytest.raises(GibbonError, match=words) as error:
        models.load(path, architecture="digits", device="cpu")
    assert "bad.pth" in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "ran").exists()


def test_the_pickle_with_code_would_have_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests above can fail: the same file, loaded carelessly, does run."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "bad.pth", "bare code")
    pickle.loads((tmp_path / "bad.pth").read_bytes())
    assert (tmp_path / "ran").exists()


def test_damaged_safetensors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    save_file(network().state_dict(), path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(GibbonError, match="damaged or no safetensors"):
        models.load(path, architecture="digits")
    path.write_bytes(bytes(range(256)))
    with pytest.raises(GibbonError, match="damaged or no safetensors"):
        models.load(path, architecture="digits")


@pytest.mark.filterwarnings("ignore")
def test_a_torchscript_archive_is_refused(tmp_path: Path) -> None:
    torch.jit.script(nn.Linear(2, 2)).save(str(tmp_path / "script.pt"))
    with pytest.raises(GibbonError, match="TorchScript archive, which is code"):
        models.load(tmp_path / "script.pt", architecture="digits")


def test_sources_that_are_not_there(tmp_path: Path, checkpoint: Path) -> None:
    for source, words in {
        str(tmp_path): "is a folder",
        str(tmp_path / "absent.pth"): "no file",
        "sings": "no model “sings”. Did you mean signs[?]",
        "zzzzzz": "no model “zzzzzz”. Shipped are .*signs",
        str(tmp_path / "absent.py") + ":make": "no file",
    }.items():
        with pytest.raises(GibbonError, match=words):
            models.load(source, architecture="digits" if source.endswith(("pth", "0")) else None)
    with pytest.raises(GibbonError, match=r"does not say which architecture .* fits architecture “digits” with activation “relu”"):
        models.load(checkpoint)
    with pytest.raises(GibbonError, match="no architecture “resnet”"):
        models.load(checkpoint, architecture="resnet")
    with pytest.raises(GibbonError, match="no activation “swish”"):
        models.load(checkpoint, architecture="digits", activation="swish")


def test_other_labels_than_classes_are_refused(checkpoint: Path) -> None:
    assert models.load(checkpoint, architecture="digits", labels=list("abcdefghij"), device="cpu").labels[0] == "a"
    with pytest.raises(GibbonError, match="10 classes, but 2 labels"):
        models.load(checkpoint, architecture="digits", labels=["a", "b"], device="cpu")


# ------------------------------------------------------------------ own code

MODEL = """
import torch
from torch import nn
import engine
import neighbour

def classifier():
    return engine.Classifier(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), ["a", "b"], (3, 2, 2), device="cpu")

def parts():
    torch.manual_seed(neighbour.SEED)
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), ["a", "b"], (3, 2, 2), [0.5] * 3, [0.2] * 3

def softmax():
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 2), nn.Softmax(1)), ["a", "b"], (3, 2, 2)

def more_classes():
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 5)), ["a", "b"], (3, 2, 2)

def raises():
    return {}["weights"]

def leaves():
    raise SystemExit(3)

def number():
    return 7

def shape():
    return nn.Flatten(), ["a"], 12

constant = 3
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "neighbour.py").write_text("SEED = 3\n")
    path = tmp_path / "mine.py"
    path.write_text(MODEL)
    return path


def test_own_code_runs_only_when_allowed(own: Path) -> None:
    assert models.runs_code(f"{own}:parts")
    assert not models.runs_code("signs")
    own.write_text("open('ran', 'w')")
    with pytest.raises(GibbonError, match="runs the code in mine"):
        models.load(f"{own}:parts")


@pytest.mark.parametrize("factory", ["classifier", "parts"])
def test_own_code_gives_a_classifier(own: Path, factory: str) -> None:
    path = list(sys.path)
    classifier = models.load(f"{own}:{factory}", allow_code=True, device="cpu")
    assert sys.path == path
    assert classifier.labels == ("a", "b")
    assert classifier.source == f"{own}:{factory}"
    assert len(classifier.card["sha256"]) == 64
    assert classifier.normalisation[0] == pytest.approx((0.5,) * 3 if factory == "parts" else (0,) * 3)


def test_classes_of_one_name_are_told_apart(own: Path, checkpoint: Path) -> None:
    own.write_text(
        MODEL
        + """
def cranes():
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), ["crane", "dog", "crane"], (3, 2, 2)

def numbered():
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), {2: "crane", 0: "crane", 1: "dog"}, (3, 2, 2)

def finished():
    return engine.Classifier(*cranes(), device="cpu")
"""
    )
    apart = ("crane (0)", "dog", "crane (2)")
    for factory in ("cranes", "numbered", "finished"):
        assert models.load(f"{own}:{factory}", allow_code=True, device="cpu").labels == apart
    assert models.load(f"{own}:finished", allow_code=True, device="cpu", labels=["crane", "dog", "crane"]).labels == apart
    twice = models.load(checkpoint, architecture="digits", device="cpu", labels=["a", "b"] * 5)
    assert twice.labels == tuple(f"{'ab'[k % 2]} ({k})" for k in range(10))
    checkpoint.with_suffix(".json").write_text(json.dumps({"architecture": "digits", "labels": list("aabcdefghi")}))
    assert models.load(checkpoint, device="cpu").labels[:3] == ("a (0)", "a (1)", "b")


def test_a_head_of_probabilities_can_be_stripped(own: Path) -> None:
    with pytest.raises(GibbonError, match="ends in probabilities"):
        models.load(f"{own}:softmax", allow_code=True)
    stripped = models.load(f"{own}:softmax", allow_code=True, head="strip", device="cpu")
    assert models.options_of(stripped) == {"head": "strip"}
    with pytest.raises(GibbonError, match="head of its own"):
        models.load(f"{own}:classifier", allow_code=True, head="log")


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        ("raises", r"failed in mine.py, line 21: KeyError: 'weights'"),
        ("leaves", r"failed in mine.py, line 24: SystemExit: 3"),
        ("number", r"gave something of type int\. It returns an engine.Classifier"),
        ("shape", "input shape 12, but"),
        ("constant", "is of type int, not a function"),
        ("absent", "has no function “absent”. It has: classifier, parts"),
        ("more_classes", "5 classes, but 2 labels"),
        ("", "does not name a function"),
    ],
)
def test_a_bad_factory_is_one_sentence(own: Path, factory: str, words: str) -> None:
    with pytest.raises(GibbonError, match=words) as error:
        models.load(f"{own}:{factory}", allow_code=True)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_python_is_one_sentence(own: Path) -> None:
    own.write_text("def f(:\n")
    with pytest.raises(GibbonError, match=r"failed in mine\.py, line 1: SyntaxError"):
        models.load(f"{own}:f", allow_code=True)
    own.write_text("import nothing_of_this_name\n")
    with pytest.raises(GibbonError, match="line 1: ModuleNotFoundError"):
        models.load(f"{own}:f", allow_code=True)


# ------------------------------------------------------------------ architectures


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("digits-cnn", 710_218),
        ("digits-resnet", 353_994),
        ("objects-cnn", 1_592_902),
        ("digits-logistic", 1_570),
        ("digits-maxout", 352_266),
    ],
)
def test_published_networks_have_the_published_size(name: str, parameters: int) -> None:
    """The first three counts are those of arXiv 1707.06728's networks."""
    network = models.ARCHITECTURES[name].build()
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters


@pytest.mark.parametrize("name", models.ARCHITECTURES)
def test_every_architecture_takes_its_own_images(name: str) -> None:
    architecture = models.ARCHITECTURES[name]
    classifier = architecture.untrained(device="cpu")
    assert classifier(torch.rand(2, *architecture.input_shape)).shape == (2, len(architecture.labels))


def test_maxout_is_the_largest_of_its_pieces() -> None:
    layer = Maxout(3, 2, 4)
    x = torch.randn(5, 3)
    weight, bias = layer.linear.weight.view(2, 4, 3), layer.linear.bias.view(2, 4)
    expected = torch.stack(
        [torch.stack([max(w @ row + b for w, b in zip(weight[u], bias[u], strict=True)) for u in range(2)]) for row in x]
    )
    assert torch.allclose(layer(x), expected, atol=1e-6)


def test_a_network_of_two_classes_takes_their_images_from_a_set_of_ten() -> None:
    images = torch.arange(20, dtype=torch.uint8).view(20, 1, 1, 1).expand(-1, 1, 28, 28).contiguous()
    digits = DataSet("all", tuple("0123456789"), images, torch.arange(20) % 10, "made up")
    chosen = models.ARCHITECTURES["digits-logistic"].images_for(digits)
    assert chosen.labels == ("3", "7")
    assert chosen.images[:, 0, 0, 0].tolist() == [3, 7, 13, 17]
    assert chosen.targets.tolist() == [0, 1, 0, 1]
    assert models.ARCHITECTURES["digits"].images_for(digits) is digits
