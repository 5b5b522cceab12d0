"""Every network that ``gibbon models`` lists takes its own weights: published shapes, one's own classes, and real files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import engine
from engine import models
from engine.errors import GibbonError
from engine.models import torchvision as sources
from engine.models.filling import place
from engine.models.networks import empty, options_of, renamed, without_auxiliary
from engine.models.states import State

NAMES = sources.names()
FAMILIES = list({re.match(r"[a-z]+(_v\d|_[xy](?=_))?", name)[0]: name for name in reversed(NAMES)}.values())  # type: ignore[index]
"""One network of each kind."""
WITH_OPTIONS = ("googlenet", "inception_v3", "maxvit_t", "vit_h_14")
"""Those whose builder is told more than the number of classes."""
EACH = [name if name in {*FAMILIES, *WITH_OPTIONS} else pytest.param(name, marks=pytest.mark.slow) for name in NAMES]
"""Every network; at every run of the tests one of each kind, and those with options."""


def arguments(weights: Any, name: str) -> dict[str, Any]:
    """What torchvision's own builder is told for published weights, but for the classes, read from its source."""
    options: dict[str, Any] = {}
    if name.startswith("vit_"):
        options["image_size"] = weights.meta["min_size"][0]
    if name.startswith("maxvit"):
        options["input_size"] = weights.meta["min_size"]
    if name in ("googlenet", "inception_v3"):
        options = {"aux_logits": True, "transform_input": True, "init_weights": False}
    return options


def fits(state: dict[str, Tensor], name: str, **told: Any) -> tuple[nn.Module, dict[str, Any], list[str]]:
    """The steps of a load, on tensors without memory."""
    held = renamed(State(state, Path(f"{name}.pth"), "", ()), name)
    options = options_of(held, name, **told)
    module = empty(name, **options)
    notes = place(module, held, f"torchvision:{name}")
    without_auxiliary(module, name)
    return module, options, notes


def parameters(module: nn.Module) -> int:
    return sum(value.numel() for value in module.parameters())


def test_there_are_eighty() -> None:
    assert len(NAMES) == len(set(NAMES)) >= 80
    assert [entry.source for entry in models.catalogue() if entry.kind == "torchvision"] == [f"torchvision:{name}" for name in NAMES]


@pytest.mark.parametrize("name", EACH)
def test_the_published_shapes_fit(name: str) -> None:
    """All published weights of the network, not only the default ones."""
    from torchvision import models as networks

    published = [weights for weights in networks.get_model_weights(name) if weights.meta["categories"]]
    kinds = {json.dumps(arguments(weights, name)): weights for weights in published}
    for weights in kinds.values():
        told = arguments(weights, name)
        networks_own = empty(name, num_classes=len(weights.meta["categories"]), **told)
        module, options, notes = fits(networks_own.state_dict(), name, transform_input="transform_input" in told)
        assert options["num_classes"] == 1000
        # MaxViT's size is in no tensor: its builder's default is the published one.
        assert {key: value for key, value in told.items() if key != "input_size"}.items() <= options.items()
        assert notes == []
        counts = {parameters(module), parameters(networks_own)}  # Inception's published count includes the head for training
        assert weights.meta["num_params"] in counts


@pytest.mark.parametrize("name", FAMILIES)
def test_ones_own_classes_and_a_wrapper_fit(name: str) -> None:
    told = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    file = {f"module.{key}": value for key, value in empty(name, num_classes=7, **told).state_dict().items()}
    _, options, notes = fits(file, name)
    assert options["num_classes"] == 7
    assert not options.get("transform_input", False)
    assert notes == ["“module.” removed from the names"]


def test_an_empty_network_has_the_shapes_of_a_real_one() -> None:
    from torchvision import models as networks

    for name in ("regnet_y_400mf", "shufflenet_v2_x0_5", "squeezenet1_1"):
        real = networks.get_model(name, weights=None).state_dict()
        shadow = empty(name).state_dict()
        assert all(value.is_meta for value in shadow.values())
        assert {key: (v.shape, v.dtype) for key, v in real.items()} == {key: (v.shape, v.dtype) for key, v in shadow.items()}
    assert not torch.empty(1).is_meta


# ------------------------------------------------------------------ real files


def small_transformer(**options: Any) -> nn.Module:
    from torchvision import models as networks

    torch.manual_seed(0)
    module: nn.Module = networks.vit_b_32(weights=None, num_classes=3, **options).eval()
    nn.init.normal_(module.heads.head.weight)  # type: ignore[union-attr, arg-type]
    return module


def normalised(images: Tensor) -> Tensor:
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (images - mean.view(3, 1, 1)) / std.view(3, 1, 1)


def logits_agree(classifier: engine.Classifier, module: nn.Module) -> None:
    images = torch.rand(1, *classifier.input_shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = module(normalised(images))
    torch.testing.assert_close(classifier(images), expected, rtol=0, atol=1e-4 * float(expected.abs().max()))


def test_a_vision_transformer_of_another_size(tmp_path: Path) -> None:
    module = small_transformer(image_size=96, representation_size=5)
    torch.save({f"net.{key}": value for key, value in module.state_dict().items()}, tmp_path / "v.pth")
    classifier = models.load(tmp_path / "v.pth", architecture="torchvision:vit_b_32", device="cpu")
    assert classifier.input_shape == (3, 96, 96)
    assert classifier.num_classes == 3
    logits_agree(classifier, module)
    # How much of a photograph is cropped away was published for the published size only.
    assert "resize" not in classifier.card


@pytest.mark.parametrize(
    ("name", "patches", "representation"), [("vit_b_16", 12, 6), ("vit_l_32", 7, None), ("vit_l_16", 32, None), ("vit_h_14", 37, None)]
)
def test_the_size_of_a_vision_transformers_images_follows_from_its_positions(name: str, patches: int, representation: int | None) -> None:
    size = patches * int(name.rpartition("_")[2])
    file = empty(name, num_classes=4, image_size=size, representation_size=representation)
    module, options, notes = fits({f"backbone.{key}": value for key, value in file.state_dict().items()}, name)
    assert (options["image_size"], options["num_classes"], notes) == (size, 4, ["“backbone.” removed from the names"])
    assert parameters(module) == parameters(file)


def test_a_vision_transformer_of_wide_images_is_refused() -> None:
    state = empty("vit_b_32").state_dict()
    for shape, words in (
        ((1, 13, 768), "images that are not square: its position embedding has 12 patches"),
        ((1, 10, 700), "shapes differ"),
    ):
        with pytest.raises(GibbonError, match=words):
            fits({**state, "encoder.pos_embedding": torch.empty(shape, device="meta")}, "vit_b_32")


def lively(name: str) -> nn.Module:
    """A network with an input transform, whose logits depend on the image: batch normalisation measured on a few."""
    from torchvision import models as networks

    torch.manual_seed(1)
    module: nn.Module = networks.get_model(name, weights=None, num_classes=10, aux_logits=False, init_weights=False)
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight)
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = None
            part.reset_running_stats()
    images = nn.functional.interpolate(torch.rand(4, 3, 6, 6), (96, 96), mode="bilinear")
    module.train()
    with torch.no_grad():
        module(normalised(images))
    return module.eval()


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_the_input_transform_is_on_for_published_weights_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    module, path = lively(name), tmp_path / "mine.pth"
    torch.save(module.state_dict(), path)
    card = {"architecture": f"torchvision:{name}", "input_shape": [3, 96, 96]}
    path.with_suffix(".json").write_text(json.dumps(card))
    own = models.load(path, architecture=f"torchvision:{name}", device="cpu")
    logits_agree(own, module)
    assert (own.card["transform_input"], own.card["preprocessing"]) == (False, "assumed")
    assert any("mean 0.485, 0.456, 0.406" in note for note in own.card["notes"])
    assert any("transform_input is off" in note for note in own.card["notes"])

    module.transform_input = True  # type: ignore[assignment]
    path.with_suffix(".json").write_text(json.dumps({**card, "transform_input": True}))
    told = models.load(path, device="cpu")
    logits_agree(told, module)
    assert told.card["transform_input"] is True
    path.with_suffix(".json").write_text(json.dumps(card))

    about = sources.published(name)
    monkeypatch.setattr(type(about), "hash_prefix", property(lambda _: own.card["sha256"][:8]))
    published = models.load(path, architecture=f"torchvision:{name}", device="cpu")
    logits_agree(published, module)
    assert (published.card["transform_input"], published.card["preprocessing"]) == (True, "published")
    assert not any("transform_input" in note for note in published.card["notes"])


def test_other_published_weights_are_told_by_their_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RegNet's SWAG weights were measured at 384 pixels, the default ones at 224: the same shapes."""
    from torchvision import models as networks

    torch.manual_seed(0)
    torch.save(networks.regnet_y_400mf(weights=None).state_dict(), tmp_path / "r.pth")
    own = models.load(tmp_path / "r.pth", architecture="torchvision:regnet_y_400mf", device="cpu")
    assert (own.card["weights"], own.card["resize"], own.card["hash_matches"]) == ("IMAGENET1K_V2", 232, False)
    first = networks.RegNet_Y_400MF_Weights.IMAGENET1K_V1
    assert sources.recognised("regnet_y_400mf", "c65dace8" + "0" * 56) == sources._described("regnet_y_400mf", first)
    swag = sources.recognised("regnet_y_16gf", "43afe44d" + "0" * 56)
    assert swag is not None
    assert (swag.crop, swag.resize, swag.interpolation) == (384, 384, "bicubic")
    assert sources.recognised("regnet_y_16gf", "0" * 64) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_random_weights_on_the_disk_load_and_run(tmp_path: Path, name: str) -> None:
    from torchvision import models as networks

    torch.manual_seed(0)
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    module: nn.Module = networks.get_model(name, weights=None, **options).eval()
    path = tmp_path / "random.pth"
    try:
        torch.save(module.state_dict(), path)
        classifier = models.load(path, architecture=f"torchvision:{name}", device="cpu")
    finally:
        path.unlink(missing_ok=True)  # up to 2.6 GB
    about = sources.published(name)
    assert classifier.input_shape[1] == classifier.input_shape[2]
    assert name == "vit_h_14" or classifier.input_shape == (3, about.crop, about.crop)
    images = torch.rand(1, *classifier.input_shape)
    logits = classifier(images)
    assert logits.shape == (1, 1000)
    mean, std = (torch.tensor(value).view(3, 1, 1) for value in (about.mean, about.std))
    with torch.no_grad():
        expected = module((images - mean) / std)
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-3 * max(float(expected.abs().max()), 1e-6))
