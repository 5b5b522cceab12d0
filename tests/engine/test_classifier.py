"""Classifier: sites are calls, recording leaves nothing behind, what is derived shares weights, and a wrong head is said at once."""

from __future__ import annotations

import copy
import functools
import re
import threading
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import engine
from engine.errors import GibbonError
from tests.engine.conftest import small_network

LABELS = [f"class {i}" for i in range(5)]


def test_sites_are_calls_of_modules_and_functions(small: engine.Classifier) -> None:
    assert [(s.name, s.kind, s.shape) for s in small.sites] == [
        ("act", "relu", (8, 8, 8)),
        ("relu", "relu", (8, 4, 4)),
        ("act#2", "relu", (8, 4, 4)),
    ]
    assert len({s.name for s in small.sites}) == 3
    assert [s.index for s in small.sites] == [0, 1, 2]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "calls"), [("googlenet", 57), ("resnet50", 49)])
def test_torchvision_networks_show_every_call(name: str, calls: int) -> None:
    """GoogLeNet has no ReLU module at all; ResNet-50 has 17 of them and 49 calls."""
    import torchvision

    options = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    module = getattr(torchvision.models, name)(weights=None, **options).eval()
    classifier = engine.Classifier(module, [str(i) for i in range(1000)], (3, 64, 64), device="cpu")
    assert len(classifier.sites) == calls
    assert len(classifier.record(torch.rand(1, 3, 64, 64)).activations) == calls


def test_recorded_activations_equal_the_layers_written_out(small64: engine.Classifier, images: Tensor) -> None:
    net = small64.module
    first = torch.relu(net.norm(net.first(images)))
    second = torch.relu(net.second(first))
    third = torch.relu(second - 0.1)
    recording = small64.record(images)
    for recorded, expected in zip(recording.activations.values(), (first, second, third), strict=True):
        torch.testing.assert_close(recorded, expected)
    torch.testing.assert_close(recording.logits, net.head(third.flatten(1)))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())


def test_record_takes_only_what_is_asked_for(small: engine.Classifier) -> None:
    name = small.sites[1].name
    assert list(small.record(torch.rand(2, 3, 8, 8), [name]).activations) == [name]
    with pytest.raises(GibbonError, match="no rectifier call named “nowhere”"):
        small.record(torch.rand(2, 3, 8, 8), ["nowhere"])


def test_two_threads_record_one_model_at_once(small: engine.Classifier) -> None:
    images = [torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(i)) for i in range(2)]
    expected = [small.record(x).activations for x in images]
    wrong: list[int] = []

    def work(which: int) -> None:
        for _ in range(50):
            got = small.record(images[which]).activations
            if not all(torch.equal(got[k], expected[which][k]) for k in expected[which]):
                wrong.append(which)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_bound_clamps_its_site_and_no_other(small: engine.Classifier, images: Tensor) -> None:
    x = images.float()
    name = small.sites[0].name
    bounded = small.derive(bounds={name: 0.2})
    recorded, plain = bounded.record(x).activations, small.record(x).activations
    torch.testing.assert_close(recorded[name], plain[name].clamp_max(0.2))
    assert float(plain[name].max()) > 0.2
    assert float(recorded[small.sites[2].name].max()) > 0
    assert small.derive(bounds={s.name: 1e9 for s in small.sites}).record(x).logits.equal(small(x))
    torch.testing.assert_close(bounded(x), bounded.record(x).logits)


def test_a_replaced_activation_sees_the_pre_activation(small64: engine.Classifier, images: Tensor) -> None:
    name = small64.sites[1].name
    leaky = small64.derive(activations={name: nn.LeakyReLU(0.1)})
    net = small64.module
    pre = net.second(torch.relu(net.norm(net.first(images))))
    torch.testing.assert_close(leaky.record(images).activations[name], nn.functional.leaky_relu(pre, 0.1))


class Shortcut(nn.Module):
    """Rectifies in place and reads the input once more: each of the three ways in which torch's modules say "inplace"."""

    def __init__(self, rectify: nn.Module) -> None:
        super().__init__()
        self.first, self.rectify, self.head = nn.Linear(12, 8), rectify, nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x.flatten(1))
        return self.head(x + self.rectify(x) ** 2) if not isinstance(self.rectify, nn.Identity) else self.head(x.relu_() + x)


@pytest.mark.parametrize("rectify", [nn.ReLU(True), nn.LeakyReLU(0.1, True), nn.ELU(1.0, True), nn.Hardtanh(0, 0.5, True), nn.Identity()])
def test_what_is_changed_in_place_stays_in_place(rectify: nn.Module) -> None:
    classifier = engine.Classifier(Shortcut(rectify), ["a", "b", "c"], (3, 2, 2), device="cpu")
    (site,) = classifier.sites
    x = torch.rand(4, 3, 2, 2, requires_grad=True)
    plain = classifier(x)
    (expected,) = torch.autograd.grad(plain.sum(), x)
    same = classifier.derive(bounds={site.name: 1e9})
    torch.testing.assert_close(same(x), plain)
    torch.testing.assert_close(torch.autograd.grad(same(x).sum(), x)[0], expected)
    low = classifier.derive(bounds={site.name: 0.1})
    net, clamped = classifier.module, low.record(x).activations[site.name]
    squared = clamped if isinstance(rectify, nn.Identity) else clamped**2
    torch.testing.assert_close(low(x), net.head(clamped + squared))
    replaced = classifier.derive(activations={site.name: nn.LeakyReLU(0.3)})
    assert torch.autograd.grad(replaced(x).sum(), x)[0].isfinite().all()


def test_rectifiers_in_the_preprocessing_are_no_sites(small: engine.Classifier, images: Tensor) -> None:
    x, name = images.float(), small.sites[0].name
    derived = small.derive(before=[nn.ReLU()], bounds={name: 0.2})  # the images are positive: it changes nothing
    assert derived.record(x).activations.keys() == small.record(x).activations.keys()
    torch.testing.assert_close(derived(x), small.derive(bounds={name: 0.2})(x))


def test_derived_classifiers_share_weights_and_have_their_own_fingerprint(small: engine.Classifier) -> None:
    name = small.sites[0].name
    variants = [
        small,
        small.derive(bounds={name: 1.0}),
        small.derive(bounds={name: 2.0}),
        small.derive(activations={name: nn.LeakyReLU(0.2)}),
        small.derive(before=[nn.AvgPool2d(3, 1, 1)]),
        small.derive(size=16),
    ]
    assert len({c.fingerprint for c in variants}) == len(variants)
    assert all(c.module is small.module for c in variants)
    assert small.derive(name="other").fingerprint == small.fingerprint
    assert not small.bounds
    assert not small.activations


def test_the_fingerprint_knows_every_weight() -> None:
    first, second = small_network(), small_network()
    make = lambda m: engine.Classifier(m, LABELS, (3, 8, 8), device="cpu").fingerprint  # noqa: E731
    assert make(first) == make(second)
    second.head.bias.data[3] += 1e-6
    assert make(first) != make(second)


def test_normalisation_lives_inside() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(3, 2))
    plain = engine.Classifier(module, ["a", "b"], (3, 1, 1), device="cpu")
    normed = engine.Classifier(module, ["a", "b"], (3, 1, 1), mean=[0.1, 0.2, 0.3], std=[0.5, 0.25, 1.0], device="cpu")
    x = torch.rand(4, 3, 1, 1)
    scaled = (x - torch.tensor([0.1, 0.2, 0.3]).view(3, 1, 1)) / torch.tensor([0.5, 0.25, 1.0]).view(3, 1, 1)
    torch.testing.assert_close(normed(x), plain(scaled))


def test_another_working_size_is_resized_inside_and_differentiable(small: engine.Classifier) -> None:
    larger = small.derive(size=(16, 12))
    assert larger.input_shape == (3, 16, 12)
    x = torch.rand(2, 3, 16, 12, requires_grad=True)
    resized = nn.functional.interpolate(x, (8, 8), mode="bilinear", antialias=True)
    torch.testing.assert_close(larger(x), small(resized))
    assert torch.autograd.grad(larger(x).sum(), x)[0].abs().sum() > 0


def test_the_callers_module_is_left_as_it_was() -> None:
    module = small_network().train()
    engine.Classifier(module, LABELS, (3, 8, 8), device="cpu")
    assert module.training
    assert all(p.requires_grad for p in module.parameters())


@pytest.mark.parametrize(
    ("module", "labels", "message"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(12, 3), nn.Softmax(1)), 3, "probabilities"),
        (nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), 4, "3 classes, but 4 labels"),
        (nn.Sequential(nn.Flatten(), nn.Linear(10, 3)), 3, "fails on an image of shape"),
        (nn.Conv2d(3, 2, 1), 2, "not two rows of logits"),
    ],
)
def test_a_wrong_head_is_said_at_once(module: nn.Module, labels: int, message: str) -> None:
    with pytest.raises(GibbonError, match=message):
        engine.Classifier(module, [str(i) for i in range(labels)], (3, 2, 2), device="cpu")


def test_nan_weights_are_refused() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(12, 3))
    module[1].weight.data[0, 0] = torch.nan
    with pytest.raises(GibbonError, match="NaN"):
        engine.Classifier(module, ["a", "b", "c"], (3, 2, 2), device="cpu")


@pytest.mark.parametrize("head", ["strip", "log"])
def test_probabilities_can_be_stripped_or_logged(head: str) -> None:
    linear = nn.Linear(12, 3)
    module = nn.Sequential(nn.Flatten(), linear, nn.Softmax(1))
    classifier = engine.Classifier(module, ["a", "b", "c"], (3, 2, 2), device="cpu", head=head)  # type: ignore[arg-type]
    x = torch.rand(4, 3, 2, 2)
    torch.testing.assert_close(classifier(x).softmax(1), linear(x.flatten(1)).softmax(1))


def test_a_device_has_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.devices import device_of

    _pretend(monkeypatch, "cuda", 2)
    assert [str(device_of(name)) for name in (None, "cpu", "cpu:0", "cuda", "cuda:1")] == ["cuda:0", "cpu", "cpu", "cuda:0", "cuda:1"]
    _pretend(monkeypatch, "mps", 1)
    assert [str(device_of(name)) for name in (None, "cpu", "mps")] == ["mps:0", "cpu", "mps:0"]


@pytest.mark.parametrize(
    ("kind", "name", "sentence"),
    [
        (None, "cuda:1", "no device “cuda:1” here: torch finds no GPU"),
        ("cuda", "cuda:7", "no device “cuda:7” here. There is: cpu, cuda:0"),
        ("cuda", "mps", "no device “mps:0” here"),
        ("mps", "cuda", "no device “cuda:0” here. There is: cpu, mps:0"),
        (None, "meta", "no device “meta”"),
        (None, "toaster", "“toaster” is no device. There is: cpu"),
        (None, "", "“” is no device"),
        (None, 3.5, "“3.5” is no device"),
    ],
)
def test_a_device_that_is_not_here_is_refused(monkeypatch: pytest.MonkeyPatch, kind: str | None, name: Any, sentence: str) -> None:
    from engine.devices import device_of

    _pretend(monkeypatch, kind, 1)
    with pytest.raises(GibbonError, match=re.escape(sentence)):
        device_of(name)


def _pretend(monkeypatch: pytest.MonkeyPatch, kind: str | None, count: int) -> None:
    """Let torch say that it has so many accelerators of that kind."""
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: kind is not None)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: None if kind is None else torch.device(kind))
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 0 if kind is None else count)
    monkeypatch.setattr(torch.accelerator, "current_device_index", lambda: 0)


def test_preprocessing_with_other_weights_is_another_classifier(small: engine.Classifier) -> None:
    """The weights of a denoiser do not show in its repr."""
    first, second = (nn.Conv2d(3, 3, 1, bias=False) for _ in range(2))
    assert repr(first) == repr(second)
    derived = [small.derive(before=[module]) for module in (first, second)]
    assert derived[0].fingerprint != derived[1].fingerprint
    assert derived[0].fingerprint == small.derive(before=[copy.deepcopy(first)]).fingerprint


def test_preprocessing_is_frozen_and_the_callers_is_left_alone(small: engine.Classifier) -> None:
    noisy = nn.Dropout(0.5).train()
    x = torch.rand(2, 3, 8, 8)
    assert torch.equal(small.derive(before=[noisy])(x), small(x))
    assert noisy.training


def test_what_no_record_could_name_is_refused(small: engine.Classifier) -> None:
    for function in (lambda x: x, functools.partial(torch.clamp, min=0)):
        with pytest.raises(GibbonError, match="no name that a record could keep"):
            small.derive(before=[function])
    assert small.derive(before=[torch.round]).fingerprint != small.derive(before=[torch.floor]).fingerprint
