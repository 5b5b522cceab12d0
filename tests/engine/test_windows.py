"""One pixel followed through a network by windows: the same logits as those of the whole network, wherever the pixel lies."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import engine
from engine import attacks
from engine.attacks.one_pixel.painting import painted
from engine.attacks.one_pixel.windows import Neighbours
from engine.defenses.activations import Bounded
from tests.engine.conftest import small_network


def _worst(classifier: engine.Classifier, count: int = 2, step: int = 1) -> float:
    """The largest difference over every place of every image, or every so many."""
    _, height, width = classifier.input_shape
    random = torch.Generator().manual_seed(0)
    images = torch.rand(count, *classifier.input_shape, generator=random).to(classifier.dtype)
    neighbours = Neighbours.of(classifier, images)
    assert neighbours is not None
    assert torch.equal(neighbours.logits, classifier(images))
    places = torch.arange(0, height * width, step)
    rows, places = torch.arange(count).repeat_interleave(len(places)), places.repeat(count)
    order = torch.randperm(len(rows), generator=random)
    rows, places = rows[order], places[order]
    colours = torch.rand(len(rows), classifier.input_shape[0], generator=random).to(images)
    copies = painted(images[rows], places[:, None, None], colours[:, None, None])
    assert not torch.equal(classifier(copies), neighbours.logits[rows])
    return float((neighbours.changed(rows, places, colours) - classifier(copies)).abs().max())


def _normalised(channels: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(channels)
    with torch.no_grad():
        for values in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
            values.uniform_(0.5, 1.5)
    return norm


def _some_layer(channels: int, random: torch.Generator, smallest: int, fewest: int) -> tuple[list[nn.Module], int]:
    """A random layer for maps of at least ``smallest`` places, and the channels that it gives; a convolution if ``fewest`` is 3."""

    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (), generator=random))

    kernel = (draw(1, min(4, smallest)), draw(1, min(4, smallest)))
    stride = (draw(1, 3), draw(1, 3))
    kind = draw(fewest, 5)
    if kind == 0:
        padding = (draw(0, kernel[0] // 2), draw(0, kernel[1] // 2))
        return [nn.MaxPool2d(kernel, (min(2, stride[0]), min(2, stride[1])), padding)], channels
    if kind == 1:
        return [nn.AvgPool2d(kernel, (1, draw(1, 2)))], channels
    if kind == 2:
        return [nn.Sequential(nn.Identity(), _normalised(channels)), nn.LeakyReLU(0.3, inplace=True)], channels
    wide = channels * draw(1, 2)
    conv = nn.Conv2d(
        channels,
        wide,
        kernel,
        (1, min(2, stride[1])),
        (draw(0, 2), draw(0, 2)),
        dilation=(1, 2 if kernel[1] * 2 <= smallest else 1),
        groups=channels if draw(0, 1) else 1,
        bias=bool(draw(0, 1)),
    )
    after = [[nn.ELU()], [_normalised(wide), nn.LeakyReLU(0.1, inplace=True)], [nn.SiLU()], []][draw(0, 3)]
    return [conv, *after], wide


def _some_chain(seed: int) -> engine.Classifier:
    """A random chain of random layers over small images that are no squares, in float64."""
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    shape = (1 + seed % 3, 11 + seed % 5, 9 + seed % 7)
    layers: list[nn.Module] = []
    channels, maps = shape[0], torch.zeros(1, *shape)
    for number in range(2 + seed % 4):
        made, channels = _some_layer(channels, random, min(maps.shape[2:]), 3 if number == seed % 2 else 0)
        layers += made
        maps = nn.Sequential(*made).eval()(maps)
        if min(maps.shape[2:]) < 3:
            break
    module = nn.Sequential(nn.Sequential(*layers), nn.Flatten(), nn.Dropout(), nn.Linear(maps.numel(), 4)).double()
    return engine.Classifier(module, tuple("abcd"), shape, (0.4,), (0.3,), device="cpu")


@pytest.mark.parametrize("seed", [*range(30), *range(31, 61)])  # the last layer of 30 sees nothing but padding
def test_windows_give_the_logits_of_the_whole_network(seed: int) -> None:
    assert _worst(_some_chain(seed)) < 1e-9


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Conv2d(2, 3, 2, stride=3), nn.MaxPool2d(2)],
        [nn.MaxPool2d(1, 2), nn.Conv2d(2, 3, 3)],
        [nn.MaxPool2d(3, 2, 1), nn.AvgPool2d(3, 1, 1), nn.ReLU(), nn.Conv2d(2, 2, 1)],
        [nn.LeakyReLU(0.1, inplace=True), nn.Conv2d(2, 3, 3, padding=2)],
    ],
    ids=["stride beyond the kernel", "places that nothing sees", "padded pools that overlap", "a rectifier first, in place"],
)
def test_layers_that_do_not_see_all_or_see_it_twice(layers: list[nn.Module]) -> None:
    torch.manual_seed(0)
    size = nn.Sequential(*layers)(torch.zeros(1, 2, 13, 10)).numel()
    module = nn.Sequential(*layers, nn.Flatten(), nn.Linear(size, 3)).double()
    assert _worst(engine.Classifier(module, tuple("abc"), (2, 13, 10), device="cpu")) < 1e-9


_TWICE = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU())
_SAME = nn.ReLU()


@pytest.mark.parametrize(
    "layers",
    [[nn.Conv2d(2, 4, 3), _SAME, nn.Conv2d(4, 4, 3), _SAME], [nn.Conv2d(2, 4, 3), _TWICE, _TWICE], [nn.Conv2d(2, 4, 3), *2 * [_TWICE[0]]]],
    ids=["a rectifier", "a block", "a convolution"],
)
def test_what_stands_twice_in_the_chain_is_done_twice(layers: list[nn.Module]) -> None:
    size = nn.Sequential(*layers).double()(torch.zeros(1, 2, 13, 10, dtype=torch.float64)).numel()
    module = nn.Sequential(*layers, nn.Flatten(), nn.Linear(size, 3)).double()
    assert _worst(engine.Classifier(module, tuple("abc"), (2, 13, 10), device="cpu")) < 1e-9


def test_a_network_that_is_another_than_its_layers_say_is_asked_about_whole_images(monkeypatch: pytest.MonkeyPatch) -> None:
    module = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 11 * 8, 3))
    classifier = engine.Classifier(module, tuple("abc"), (2, 13, 10), device="cpu")
    images = torch.rand(3, 2, 13, 10)
    near = Neighbours.of(classifier, images)
    assert near is not None
    assert near.agrees(classifier(images))
    assert not near.agrees(classifier(images) + 0.01)
    whole = engine.run(attacks.OnePixel(population=10, generations=2), classifier, images)
    monkeypatch.setattr(Neighbours, "agrees", lambda *_: False)
    unseen = engine.run(attacks.OnePixel(population=10, generations=2), classifier, images)
    torch.testing.assert_close(unseen.logits, whole.logits)


@pytest.mark.parametrize("name", ["digits", "signs", "objects"])
@pytest.mark.parametrize("activation", ["relu", "bounded", "bounded-leaky"])
def test_windows_follow_the_shipped_networks(name: str, activation: str) -> None:
    shipped = engine.models.load(name, device="cpu")
    mean, std = shipped.normalisation
    module = engine.models.ARCHITECTURES[name].build(activation)
    missing = module.load_state_dict(shipped.module.state_dict(), strict=False)
    assert not missing.unexpected_keys
    double = engine.Classifier(module.double(), shipped.labels, shipped.input_shape, mean, std, device="cpu")
    assert _worst(double, 1, step=5) < 1e-9
    if activation == "relu":
        assert _worst(shipped, 1, step=5) < 1e-4


def _with_hook() -> nn.Module:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5))
    module[0].register_forward_hook(_doubled)
    return module


def _doubled(module: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> Tensor:
    return 2 * output


class _Own(nn.Sequential):
    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images.flip(2))


class _Called(nn.Sequential):
    def __call__(self, images: Tensor) -> Tensor:  # type: ignore[override]
        return super().__call__(images) + 1


@pytest.mark.parametrize(
    "module",
    [
        small_network(),
        _with_hook(),
        _Own(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 5)),
        nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular"), nn.Flatten(), nn.Linear(256, 5)),
        nn.Sequential(nn.Conv2d(3, 4, 8), nn.Flatten(), nn.Linear(4, 5)),
        nn.Sequential(nn.Flatten(), nn.Linear(192, 5)),
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False), nn.Flatten(), nn.Linear(144, 5)),
        _Called(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 5)),
    ],
    ids=[
        "no chain",
        "a hook",
        "a forward of its own",
        "another padding",
        "large windows",
        "no maps",
        "the batch counts",
        "a call of its own",
    ],
)
def test_what_is_not_understood_is_left_to_the_whole_network(module: nn.Module) -> None:
    classifier = engine.Classifier(module, tuple("abcde"), (3, 8, 8), device="cpu")
    assert Neighbours.of(classifier, torch.rand(2, 3, 8, 8)) is None


def test_a_derived_classifier_is_left_to_the_whole_network() -> None:
    digits = engine.models.load("digits", device="cpu")
    images = torch.rand(2, 1, 28, 28)
    site = digits.sites[0].name
    assert Neighbours.of(digits, images) is not None
    for derived in (
        digits.derive(bounds={site: 0.5}),
        digits.derive(activations={site: Bounded(0.5)}),
        digits.derive(before=[torch.round]),
        digits.derive(size=56),
    ):
        assert Neighbours.of(derived, torch.rand(2, *derived.input_shape)) is None
