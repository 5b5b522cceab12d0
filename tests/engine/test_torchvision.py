"""torchvision's networks: weights of one's own, weights from its cache, weights that are not there."""

from __future__ import annotations

import dataclasses
import functools
import os
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import engine
from engine import models
from engine.errors import GibbonError
from engine.models import torchvision as sources
from engine.models.states import file_hash


def build(name: str, **options: Any) -> nn.Module:
    from torchvision import models as networks  # seconds: not while tests are collected

    torch.manual_seed(0)
    module: nn.Module = networks.get_model(name, weights=None, **options).eval()
    return module


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints"


def same(classifier: engine.Classifier, module: nn.Module) -> None:
    about = sources.published(classifier.card["architecture"].removeprefix("torchvision:"))
    images = torch.rand(1, *classifier.input_shape, generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(v).reshape(1, 3, 1, 1) for v in (about.mean, about.std))
    with torch.no_grad():
        expected = module((images - mean) / std)
        # The order of the channels in memory decides the last digits of a sum.
        torch.testing.assert_close(classifier(images), expected, rtol=0, atol=1e-5 * float(expected.abs().max()))


def test_a_checkpoint_decides_the_number_of_classes(tmp_path: Path) -> None:
    module, path = build("squeezenet1_0", num_classes=7), tmp_path / "mine.pth"
    torch.save({"model": {f"module.{k}": v for k, v in module.state_dict().items()}}, path)
    classifier = models.load(path, architecture="torchvision:squeezenet1_0", device="cpu")
    assert classifier.labels == tuple(f"class {k}" for k in range(7))
    assert classifier.input_shape == (3, 224, 224)
    assert "hash_matches" not in classifier.card
    same(classifier, module)
    named = models.load(path, architecture="torchvision:squeezenet1_0", labels=list("abcdefg"), device="cpu")
    assert named.labels == tuple("abcdefg")


def test_the_cache_is_used_and_a_differing_hash_is_said(cache: Path) -> None:
    about = sources.published("squeezenet1_0")
    assert about.path == cache / "squeezenet1_0-b66bff10.pth"
    assert about.hash_prefix == "b66bff10"
    with pytest.raises(GibbonError, match="not on this machine") as error:
        models.load("torchvision:squeezenet1_0")
    assert about.url in str(error.value)
    assert str(about.path) in str(error.value)
    missing = models.missing_download("torchvision:squeezenet1_0")
    assert missing is not None
    assert missing.megabytes == pytest.approx(4.8, abs=0.1)
    module = build("squeezenet1_0")
    cache.mkdir(parents=True)
    torch.save(module.state_dict(), about.path)
    assert models.missing_download("torchvision:squeezenet1_0") is None
    classifier = models.load("torchvision:squeezenet1_0", device="cpu")
    assert classifier.source == "torchvision:squeezenet1_0"
    assert classifier.labels[368] == "gibbon"
    assert classifier.card["sha256"] == file_hash(about.path)
    assert classifier.card["hash_matches"] is False
    assert "differs from the published one (b66bff10)" in classifier.card["hash_note"]
    same(classifier, module)


def test_published_weights_are_downloaded_when_asked_for(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, shelf = build("squeezenet1_1"), tmp_path / "server"
    shelf.mkdir()
    torch.save(module.state_dict(), shelf / "net.pth")
    name = f"net-{file_hash(shelf / 'net.pth')[:8]}.pth"
    (shelf / "net.pth").rename(shelf / name)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(shelf)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    about = dataclasses.replace(sources.published("squeezenet1_1"), url=f"http://127.0.0.1:{server.server_address[1]}/{name}")
    monkeypatch.setattr(sources, "published", lambda _: about)
    told: list[tuple[int, int | None]] = []
    try:
        classifier = models.load("torchvision:squeezenet1_1", device="cpu", download=True, progress=lambda *now: told.append(now))
    finally:
        server.shutdown()
        server.server_close()
    assert told[-1] == ((cache / name).stat().st_size,) * 2
    assert classifier.card["hash_matches"] is True
    same(classifier, module)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.mark.parametrize(
    ("name", "options"),
    [("googlenet", {"aux_logits": True, "init_weights": False}), ("mnasnet0_5", {}), ("shufflenet_v2_x0_5", {})],
)
def test_networks_with_quirks_give_torchvisions_own_logits(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    module, path = build(name, **options), tmp_path / "mine.safetensors"
    save_file(module.state_dict(), path)
    classifier = models.load(path, architecture=f"torchvision:{name}", device="cpu")
    assert not any(part.startswith("aux") for part, _ in classifier.module.named_modules())
    same(classifier, module)


@pytest.mark.slow
def test_the_older_names_of_densenets_published_files_are_understood(tmp_path: Path) -> None:
    module = build("densenet121")
    older = {}
    for key, value in module.state_dict().items():
        for part in ("norm1", "norm2", "conv1", "conv2"):
            if "denselayer" in key:
                key = key.replace(f".{part}.", f".{part[:-1]}.{part[-1]}.")
        older[key] = value
    assert "features.denseblock1.denselayer1.norm.1.weight" in older
    torch.save(older, tmp_path / "older.pth")
    same(models.load(tmp_path / "older.pth", architecture="torchvision:densenet121", device="cpu"), module)


def test_a_bounded_twin_is_built_from_its_card(tmp_path: Path) -> None:
    from engine.defenses.rectifiers import maker, swap_rectifiers

    module = build("squeezenet1_1", num_classes=4)
    swap_rectifiers(module, maker("bounded-leaky", slope=0.05))
    save_file(module.state_dict(), tmp_path / "mine.safetensors")
    (tmp_path / "mine.json").write_text('{"architecture": "torchvision:squeezenet1_1", "activation": "bounded-leaky", "slope": 0.05}')
    same(models.load(tmp_path / "mine.safetensors", device="cpu"), module)


def test_what_does_not_fit_is_one_sentence(tmp_path: Path) -> None:
    torch.save(build("squeezenet1_0", num_classes=7).state_dict(), tmp_path / "mine.pth")
    for architecture, words in {
        "torchvision:resnet18": "another architecture than “torchvision:resnet18”: it lacks conv1.weight",
        "torchvision:squeezenet1_1": r"shapes differ: features.0.weight is \(96, 3, 7, 7\) instead of \(64, 3, 3, 3\)",
        "torchvision:squeeznet1_0": "has no classification model “squeeznet1_0”. Did you mean squeezenet1_0",
        "torchvision:fcn_resnet50": "no classification model “fcn_resnet50”",
    }.items():
        with pytest.raises(GibbonError, match=words) as error:
            models.load(tmp_path / "mine.pth", architecture=architecture, device="cpu")
        assert "\n" not in str(error.value)
    with pytest.raises(GibbonError, match="brings its own architecture"):
        models.load("torchvision:resnet18", architecture="digits")


def test_the_catalogue_says_what_is_in_the_cache(cache: Path) -> None:
    entries = {entry.source: entry for entry in models.catalogue()}
    squeezenet = entries["torchvision:squeezenet1_0"]
    assert not squeezenet.available
    assert (squeezenet.classes, squeezenet.input_shape, squeezenet.parameters) == (1000, (3, 224, 224), 1_248_424)
    assert squeezenet.accuracy == pytest.approx(0.58092)
    cache.mkdir(parents=True)
    squeezenet.path.touch()
    assert {entry.source: entry for entry in models.catalogue()}["torchvision:squeezenet1_0"].available
    assert "torchvision:resnet50" in models.architectures()


# ------------------------------------------------------------------ with the weights of a real one


@pytest.fixture
def imagenet() -> Path:
    folder = Path(os.environ.get("GIBBON_IMAGENET", ""))
    if not (folder / "squeezenet1_0.pth").is_file():
        pytest.skip("GIBBON_IMAGENET names no folder with squeezenet1_0.pth and images/")
    return folder


@pytest.mark.data
def test_squeezenet_is_one_classifier_from_both_sources(imagenet: Path, cache: Path) -> None:
    path = imagenet / "squeezenet1_0.pth"
    from_file = models.load(path, architecture="torchvision:squeezenet1_0", device="cpu")
    cache.mkdir(parents=True)
    shutil.copy(path, cache / "squeezenet1_0-b66bff10.pth")
    from_cache = models.load("torchvision:squeezenet1_0", device="cpu")
    assert from_file.fingerprint == from_cache.fingerprint
    for classifier in (from_file, from_cache):
        assert classifier.card["sha256"] == file_hash(path)
        assert "differs from the published one" in classifier.card["hash_note"]


@pytest.mark.data
def test_squeezenet_knows_most_of_the_photographs(imagenet: Path) -> None:
    classifier = models.load(imagenet / "squeezenet1_0.pth", architecture="torchvision:squeezenet1_0", device="cpu")
    photographs = sorted((imagenet / "images").iterdir())
    first = fifth = 0
    for path in photographs:
        best = classifier(engine.images.read(path, classifier)[None])[0].topk(5).indices.tolist()
        names = [classifier.labels[k].lower() for k in best]
        wanted = path.stem.partition("_")[2].replace("_", " ").lower()
        first += names[0] == wanted
        fifth += wanted in names
    print(f"{first} of {len(photographs)} first, {fifth} among the first five")
    assert first >= 0.7 * len(photographs)
    assert fifth >= 0.9 * len(photographs)
