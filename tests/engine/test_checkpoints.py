"""Checkpoints as trainings leave them: nests, prefixes, averaged copies, counters, criteria; and what must be refused for all that."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

import engine
from engine import models
from engine.errors import GibbonError
from engine.models.architectures import ARCHITECTURES
from engine.models.matching import match
from engine.models.nests import unwrapped


def weights(name: str = "digits", activation: str = "relu", seed: int = 0) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return ARCHITECTURES[name].build(activation).state_dict()


def under(prefix: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: value for name, value in state.items()}


def saved(path: Path, held: Any, architecture: str = "digits", **options: Any) -> engine.Classifier:
    torch.save(held, path)
    return models.load(path, architecture=architecture, device="cpu", **options)


W, OTHER = weights(), weights(seed=1)
COUNT = {"n_averaged": torch.tensor(3)}
OPS = {"total_ops": torch.zeros(1, dtype=torch.float64), "conv1.total_ops": torch.zeros(1, dtype=torch.float64)}

HOLD: dict[str, tuple[Any, list[str]]] = {
    "averaged": (
        {**COUNT, **under("module.", W)},
        ["“module.” removed from the names", "left out what the network does not need: n_averaged"],
    ),
    "profiled": ({**W, **OPS}, ["left out what the network does not need: total_ops, conv1.total_ops"]),
    "lightning": (
        {"state_dict": {**under("model.", W), "criterion.weight": torch.ones(10)}, "epoch": 3},
        ["weights taken from “state_dict”", "“model.” removed from the names", "left out what the network does not need: criterion.weight"],
    ),
    "criterion beside": ({**W, "criterion.weight": torch.ones(10)}, ["left out what the network does not need: criterion.weight"]),
    "backbone": (under("backbone.", W), ["“backbone.” removed from the names"]),
    "behind a normalisation": (
        {"0.mean": torch.zeros(1, 1, 1), **under("1.", W)},
        ["“1.” removed from the names", "left out what the network does not need: 0.mean"],
    ),
    "deep prefix": (under("learner.student.net.", W), ["“learner.student.net.” removed from the names"]),
    "parallel inside": (
        {("conv1.module.weight" if name == "conv1.weight" else name): value for name, value in W.items()},
        ["“module.” removed from the names"],
    ),
    "compiled and parallel": (under("_orig_mod.module.", W), ["“_orig_mod.module.” removed from the names"]),
    "robust": (
        {
            **under("module.model.", W),
            **under("module.attacker.model.", W),
            "module.normalizer.new_mean": torch.zeros(1, 1, 1),
            "module.attacker.normalize.new_std": torch.ones(1, 1, 1),
        },
        [
            "“module.model.” removed from the names",
            "left out the same weights again, under “module.attacker.model.”",
            "left out what the network does not need: module.normalizer.new_mean, module.attacker.normalize.new_std",
        ],
    ),
    "averaged beside": (
        {**under("model.", W), **under("ema_model.", OTHER)},
        ["“model.” removed from the names", "left out other weights of the same names, under “ema_model.”"],
    ),
    "head apart": (
        {**under("body.", {k: v for k, v in W.items() if "dense2" not in k}), **{k: v for k, v in W.items() if "dense2" in k}},
        ["“body.” removed from the names"],
    ),
    "parts": (
        {"body": {k: v for k, v in W.items() if "dense" not in k}, "head": {k: v for k, v in W.items() if "dense" in k}},
        ["“body.” removed from the names", "“head.” removed from the names"],
    ),
    "any nest": ({"discriminator": W, "epoch": 3}, ["left out what is no tensor: epoch", "“discriminator.” removed from the names"]),
    "nest in nest": (
        {"checkpoint": 3, "model": {"state_dict": under("module.", W)}},
        ["weights taken from “model”", "weights taken from “state_dict”", "“module.” removed from the names"],
    ),
    "two nests": (
        {"state_dict": W, "state_dict_ema": OTHER},
        ["weights taken from “state_dict”", "“state_dict_ema” holds weights, too"],
    ),
    "optimiser": ({"model": W, "optimizer": {"state": {0: {"exp_avg": torch.full((3,), torch.nan)}}}}, ["weights taken from “model”"]),
    "broken copy": (
        {**W, "criterion.weight": torch.tensor([torch.nan, 1])},
        ["left out what the network does not need: criterion.weight"],
    ),
    "half": ({k: v.bfloat16() for k, v in W.items()}, ["converted from bfloat16"]),
}
NESTS = ["state_dict_ema", "model_ema", "model_state", "net_state_dict", "ema", "params_ema", "module", "network", "net", "weights"]
HOLD |= {nest: ({nest: W, "epoch": 1}, [f"weights taken from “{nest}”"]) for nest in NESTS}


@pytest.mark.parametrize("kind", HOLD)
def test_needed_weights_are_found_and_what_was_done_is_said(tmp_path: Path, kind: str) -> None:
    held, notes = HOLD[kind]
    classifier = saved(tmp_path / "c.pth", held)
    assert classifier.card["notes"] == notes
    for name, value in classifier.module.state_dict().items():
        assert torch.equal(value, W[name].bfloat16().float() if kind == "half" else W[name]), name


@pytest.mark.parametrize("prefix", ["", "module.", "features.", "classifier.", "encoder.net.", "a.b.c.d."])
def test_prefixes_that_are_names_of_the_network_itself(prefix: str) -> None:
    """A part that the network knows ("features") may come before it again."""
    network = nn.ModuleDict({"features": nn.Sequential(nn.Conv2d(3, 4, 3)), "classifier": nn.Sequential(nn.Flatten(), nn.Linear(4, 2))})
    found = match(under(prefix, network.state_dict()), network)
    assert found.tensors.keys() == network.state_dict().keys()
    assert found.removed == ((prefix,) if prefix else ())
    assert not found.left
    assert not found.alien


def test_data_parallel_around_the_features_alone(tmp_path: Path) -> None:
    """The ImageNet example of PyTorch wraps the features of AlexNet and VGG only."""
    from torchvision import models as networks

    torch.manual_seed(0)
    module = networks.squeezenet1_1(num_classes=7).eval()
    wrapped = copy.deepcopy(module)
    wrapped.features = nn.DataParallel(wrapped.features)
    classifier = saved(tmp_path / "c.pth", wrapped.state_dict(), "torchvision:squeezenet1_1")
    assert classifier.card["notes"][0] == "“module.” removed from the names"
    for name, value in classifier.module.state_dict().items():
        assert torch.equal(value, module.state_dict()[name])


# ------------------------------------------------------------------ what must be refused


def resnet(name: str, **options: Any) -> dict[str, Tensor]:
    from torchvision import models as networks

    state: dict[str, Tensor] = networks.get_model(name, weights=None, **options).state_dict()
    return state


REFUSED: dict[str, tuple[str, Callable[[], Any], str]] = {
    "int8": ("digits", lambda: {k: (v * 10).to(torch.int8) for k, v in W.items()}, "type int8, but “digits” needs floating weights"),
    "one integer": ("digits", lambda: {**W, "dense2.bias": torch.zeros(10, dtype=torch.int64)}, "“dense2.bias” in .* is of type int64"),
    "bool": ("digits", lambda: {**W, "conv1.weight": W["conv1.weight"] > 0}, "type bool"),
    "complex": ("digits", lambda: {**W, "conv1.weight": W["conv1.weight"] + 0j}, "type complex64"),
    "without head": (
        "digits",
        lambda: under("backbone.", {k: v for k, v in W.items() if "dense2" not in k}),
        "lacks dense2.weight, dense2.bias, which “digits” needs; the rest fits under “backbone.”",
    ),
    "deeper": ("torchvision:resnet18", lambda: resnet("resnet34"), r"another architecture.*it holds layer1\.2\.conv1\.weight"),
    "shallower": ("torchvision:resnet34", lambda: resnet("resnet18"), r"lacks layer1\.2\.conv1\.weight"),
    "wider": ("torchvision:resnet50", lambda: resnet("wide_resnet50_2"), "another architecture.*shapes differ"),
    "next of kin": ("digits", lambda: {**W, "conv3.weight": torch.zeros(4, 4)}, "another architecture.*it holds conv3.weight"),
    "inside": ("digits", lambda: {**W, "conv1.lora_A": torch.zeros(4, 4)}, "another architecture.*it holds conv1.lora_A"),
    "other rectifier": ("digits", lambda: weights(activation="bounded"), "fits “digits” with activation “bounded”"),
    "nan": ("digits", lambda: under("net.", {**W, "conv1.bias": torch.full((10,), torch.nan)}), "“conv1.bias” in “c.pth” holds NaN"),
    "too large to convert": (
        "digits",
        lambda: {**W, "conv1.bias": torch.full((10,), 1e300, dtype=torch.float64)},
        "“conv1.bias” in “c.pth” holds NaN or infinite",
    ),
    "head elsewhere": (
        "digits",
        lambda: {
            **under("s.", {k: v for k, v in W.items() if "dense2" not in k}),
            **under("t.", {k: v for k, v in OTHER.items() if "conv1" in k or "dense2" in k}),
        },
        "lacks dense2.weight, dense2.bias",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_does_not_fit_says_why(tmp_path: Path, kind: str) -> None:
    architecture, held, words = REFUSED[kind]
    with pytest.raises(GibbonError, match=words) as error:
        saved(tmp_path / "c.pth", held(), architecture)
    assert "\n" not in str(error.value)


# ------------------------------------------------------------------ dicts without an end


def test_a_checkpoint_that_contains_itself(tmp_path: Path) -> None:
    for nest in ("state_dict", "model", "other"):
        held: dict[str, Any] = dict(W)
        held[nest] = held
        assert saved(tmp_path / "c.pth", held).card["notes"][-1:] in ([], [f"left out what is no tensor: {nest}"])
        held = {"model": {"net": dict(W)}}
        held["model"]["net"][nest] = held
        assert saved(tmp_path / "c.pth", held).card["notes"][0] == "weights taken from “model”"
    alone: dict[str, Any] = {}
    alone["state_dict"] = alone
    with pytest.raises(GibbonError, match="holds no tensors"):
        saved(tmp_path / "c.pth", alone)


def test_dicts_in_dicts_a_hundred_thousand_deep() -> None:
    for name in ("state_dict", "other"):
        held: Any = dict(W)
        for _ in range(100_000):
            held = {name: held}
        start = time.thread_time()
        with pytest.raises(GibbonError, match="holds no tensors"):
            unwrapped(held, "c.pth")
        assert time.thread_time() - start < 1
        while isinstance(held, dict) and name in held:  # one by one: freed at once, the interpreter's stack would be too short
            held = held.pop(name)


def test_dicts_that_name_each_other_many_times_are_walked_once() -> None:
    held: Any = dict(W)
    for _ in range(30):  # 2 ** 30 paths
        held = {"a": held, "b": held}
    start = time.thread_time()
    tensors, _ = unwrapped(held, "c.pth")
    assert len(tensors) == len(W)
    assert time.thread_time() - start < 1


def test_a_small_file_that_speaks_of_a_huge_tensor_is_not_computed_with(tmp_path: Path) -> None:
    huge = torch.zeros(1).expand(1 << 20, 1 << 20)  # 4 TiB, were it written out
    classifier = saved(tmp_path / "c.pth", {**W, "criterion.weight": huge})
    assert classifier.card["notes"] == ["left out what the network does not need: criterion.weight"]
    with pytest.raises(GibbonError, match=r"shapes differ: dense2\.bias"):
        saved(tmp_path / "c.pth", {**W, "dense2.bias": huge})


def test_more_tensors_than_a_network_can_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.models.nests._NAMES", 5)
    with pytest.raises(GibbonError, match="holds more than 5 tensors"):
        unwrapped(dict(W), "c.pth")


def test_keys_that_are_no_names(tmp_path: Path) -> None:
    classifier = saved(tmp_path / "c.pth", {**W, 3: 4, (1, (2, 3)): "x"})
    assert classifier.card["notes"] == ["left out what is no tensor: 3, tuple"]


def test_the_card_beside_the_file_is_used_whatever_the_nest(tmp_path: Path) -> None:
    save_file(under("net.", W), tmp_path / "c.safetensors")
    (tmp_path / "c.json").write_text(json.dumps({"architecture": "digits", "name": "mine"}))
    classifier = models.load(tmp_path / "c.safetensors", device="cpu")
    assert (classifier.name, classifier.card["notes"]) == ("mine", ["“net.” removed from the names"])
    (tmp_path / "c.json").unlink()
    with pytest.raises(GibbonError, match="fits architecture “digits” with activation “relu”"):
        models.load(tmp_path / "c.safetensors")
