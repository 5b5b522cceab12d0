"""Saliency, histograms, spikes and the observation, against written-out references."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

import engine
from engine.access import ModelAccess
from engine.explain import CATALOGUE, Explanation, GradientSaliency, find_spikes, observe
from engine.explain.activations import BINS, round_up
from tests.engine.conftest import linear_classifier


def saliency(classifier: engine.Classifier, images: Tensor, classes: Tensor) -> Tensor:
    return engine.run(GradientSaliency(), classifier, images, labels=classes).artifacts["saliency"].values


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=list(CATALOGUE))
def test_every_explanation_gives_each_image_its_own_map(kind: type[Explanation], small64: engine.Classifier, images: Tensor) -> None:
    classes = small64.predict(images)
    maps = engine.run(kind(), small64, images, labels=classes).artifacts[kind.slug].values
    assert maps.shape == (len(images), 8, 8)
    assert bool(maps.isfinite().all())
    assert float(maps.abs().max()) > 0
    assert kind.signed or float(maps.min()) >= 0
    assert kind.caption.endswith(".")
    for row in range(len(images)):  # a row does not depend on its batch
        alone = engine.run(kind(), small64, images[row : row + 1], labels=classes[row : row + 1]).artifacts[kind.slug].values
        torch.testing.assert_close(alone[0], maps[row])


def test_saliency_of_a_linear_model_is_its_largest_weight() -> None:
    classifier = linear_classifier(classes=4, shape=(3, 5, 5))
    images = torch.rand(2, 3, 5, 5, dtype=torch.float64)
    labels = torch.tensor([1, 3])
    weight = classifier.module[1].weight.reshape(4, 3, 5, 5)  # type: ignore[index]
    torch.testing.assert_close(saliency(classifier, images, labels), weight[labels].abs().amax(1))
    result = engine.run(GradientSaliency(), classifier, images, labels=labels)
    torch.testing.assert_close(result.artifacts["saliency"].values, weight[labels].abs().amax(1))
    assert (result.forwards, result.backwards) == (2, 2)


def test_saliency_equals_finite_differences(small64: engine.Classifier, images: Tensor) -> None:
    label = int(small64.predict(images[:1]))
    got = saliency(small64, images[:1], torch.tensor([label]))[0]
    for y, x in ((1, 2), (6, 5)):
        slopes = []
        for channel in range(3):
            up, down = images[:1].clone(), images[:1].clone()
            up[0, channel, y, x] += 1e-6
            down[0, channel, y, x] -= 1e-6
            slopes.append(abs(float(small64(up)[0, label] - small64(down)[0, label])) / 2e-6)
        assert float(got[y, x]) == pytest.approx(max(slopes), rel=1e-4)


def test_every_unit_is_counted_once(small64: engine.Classifier, images: Tensor) -> None:
    observation = observe(small64, images[0], images[1])
    assert [layer.site.name for layer in observation.layers] == [site.name for site in small64.sites]
    for layer in observation.layers:
        units = torch.Size(layer.site.shape).numel()
        assert int(layer.clean.sum()) == units
        assert int(layer.adversarial.sum()) == units
        assert len(layer.clean) == BINS
        assert float(layer.edges[-1]) >= max(layer.clean_max, layer.adversarial_max)


def test_histograms_and_maxima_equal_the_recorded_activations(small64: engine.Classifier, images: Tensor) -> None:
    observation = observe(small64, images[0], images[1])
    recorded = small64.record(images[:2]).activations
    for layer in observation.layers:
        values = recorded[layer.site.name]
        assert layer.clean_max == pytest.approx(float(values[0].max()))
        assert layer.adversarial_max == pytest.approx(float(values[1].max()))
        assert layer.spikes == int((values[1] > values[0].max()).sum())
        edges = layer.edges.tolist()
        middle = sum(1 for v in values[0].flatten().tolist() if edges[10] <= v < edges[11])
        assert int(layer.clean[10]) == pytest.approx(middle, abs=1)


def test_spikes_are_the_units_above_the_clean_maximum(small64: engine.Classifier, images: Tensor) -> None:
    recorded = small64.record(images[:2]).activations
    spikes = find_spikes(small64.sites, recorded, most=1000)
    slow = []
    for site in small64.sites:
        clean, attacked = recorded[site.name]
        for channel, y, x in itertools.product(*(range(n) for n in site.shape)):
            if float(attacked[channel, y, x]) > float(clean.max()):
                slow.append((site.name, channel, y, x, float(attacked[channel, y, x] / clean.max())))
    assert slow
    assert {(s.site, s.channel, s.y, s.x) for s in spikes} == {entry[:4] for entry in slow}
    assert [s.ratio for s in spikes] == pytest.approx(sorted((entry[4] for entry in slow), reverse=True))
    for spike in spikes:
        assert spike.adversarial == pytest.approx(spike.ratio * spike.reference)
        assert spike.clean == float(recorded[spike.site][0, spike.channel, spike.y, spike.x])
    assert find_spikes(small64.sites, recorded, most=3) == spikes[:3]


def test_an_image_against_itself_has_no_spikes(small64: engine.Classifier, images: Tensor) -> None:
    observation = observe(small64, images[0], images[0])
    assert observation.spikes == ()
    assert all(torch.equal(layer.clean, layer.adversarial) for layer in observation.layers)


def test_the_bound_is_predicted_beside_the_plain_network(small64: engine.Classifier, images: Tensor) -> None:
    bounds = {site.name: 0.3 for site in small64.sites}
    observation = observe(small64, images[0], images[1], bounds=bounds, explanations=[GradientSaliency()])
    expected = small64.derive(bounds=bounds)(images[:2]).softmax(1)
    assert observation.bounded is not None
    torch.testing.assert_close(torch.stack([observation.bounded.clean, observation.bounded.adversarial]), expected)
    torch.testing.assert_close(observation.clean_logits, small64(images[:1])[0])
    assert observation.explanations["saliency"].adversarial is not None
    labels = small64.predict(images[1:2])
    torch.testing.assert_close(observation.explanations["saliency"].adversarial, saliency(small64, images[1:2], labels)[0])


@pytest.mark.parametrize(("value", "limit"), [(0.7, 0.8), (1.0, 1.0), (1.2, 1.5), (9.0, 10.0), (37.0, 40.0), (0.0, 1.0)])
def test_axis_limits_are_round(value: float, limit: float) -> None:
    assert round_up(value) == pytest.approx(limit)


class _Fails(GradientSaliency):
    slug = "fails"
    title = "An explanation of one's own"

    def maps(self, model: ModelAccess, images: Tensor, classes: Tensor) -> Tensor:
        raise RuntimeError("no such layer")


class _OtherShape(GradientSaliency):
    slug = "other-shape"
    title = "Another shape"

    def maps(self, model: ModelAccess, images: Tensor, classes: Tensor) -> Tensor:
        return images


def test_an_explanation_that_fails_leaves_the_rest(small64: engine.Classifier, images: Tensor) -> None:
    seen = observe(small64, images[0], images[1], explanations=[_Fails(), GradientSaliency(), _OtherShape()])
    assert set(seen.explanations) == {"saliency"}
    assert seen.layers
    assert seen.failures == {
        "fails": "An explanation of one's own failed: no such layer. Choose another explanation.",
        "other-shape": "Another shape failed: its maps are of shape (2, 3, 8, 8) in place of (2, 8, 8). Choose another explanation.",
    }


class _Labels(nn.Module):
    """Gives its logits without a graph."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(12, 3)

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        return self.dense(x.flatten(1)).relu()


def test_a_model_without_a_gradient_is_observed_without_the_map() -> None:
    classifier = engine.Classifier(_Labels(), ["a", "b", "c"], (3, 2, 2), name="labels", device="cpu")
    seen = observe(classifier, torch.rand(3, 2, 2), torch.rand(3, 2, 2), with_saliency=True)
    assert "passes no gradient" in seen.failures["saliency"]
    assert seen.layers
    assert seen.clean.sum() == pytest.approx(1)


def test_a_bound_under_which_the_model_fails_leaves_the_rest(small64: engine.Classifier, images: Tensor) -> None:
    seen = observe(small64, images[0], images[1], bounds={"no such layer": 1.0})
    assert seen.bounded is None
    assert "no such layer" in seen.failures["bounds"]
    assert seen.layers


def _next(classes: int = 10) -> engine.Classifier:
    from torchvision.models.convnext import CNBlockConfig, ConvNeXt

    torch.manual_seed(0)
    network = ConvNeXt([CNBlockConfig(8, 16, 1), CNBlockConfig(16, None, 1)], num_classes=classes)
    return engine.Classifier(network, [str(number) for number in range(classes)], (3, 64, 48), device="cpu")


def test_spikes_of_channels_last_layers_stand_where_they_are() -> None:
    """The linear layers of a ConvNeXt give rows, columns, channels."""
    classifier = _next()
    assert {site.shape[2] for site in classifier.sites} == {32, 64}
    assert {site.channel_axis for site in classifier.sites} == {2}
    for seed in range(40):
        pair = torch.rand(2, 3, 64, 48, generator=torch.Generator().manual_seed(seed))
        seen = observe(classifier, *pair)
        if seen.spikes:
            break
    recorded = classifier.record(pair[1:]).activations
    for spike in seen.spikes:
        assert float(recorded[spike.site][0, spike.y, spike.x, spike.channel]) == pytest.approx(spike.adversarial)


class _Layers(nn.Module):
    """Rectifiers behind layers of every order of axes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 6, 1), nn.BatchNorm2d(6)
        self.line, self.dense, self.head = nn.Conv1d(6, 4, 1), nn.Linear(4, 5), nn.Linear(5 * 20, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.conv(x))  # (6, 4, 5)
        x = torch.relu(self.norm(x) + x)  # (6, 4, 5), after a shortcut
        x = torch.relu(self.line(x.flatten(2)))  # (4, 20)
        x = torch.relu(self.dense(x.transpose(1, 2)))  # (20, 5)
        return torch.relu(self.head(x.flatten(1)))  # (3,)


def test_the_channel_axis_is_that_of_the_layer_before() -> None:
    classifier = engine.Classifier(_Layers(), ["a", "b", "c"], (3, 4, 5), device="cpu")
    assert [(site.shape, site.channel_axis) for site in classifier.sites] == [
        ((6, 4, 5), 0), ((6, 4, 5), 0), ((4, 20), 0), ((20, 5), 1), ((3,), 0),
    ]  # fmt: skip
    convolution, _, line, dense, head = classifier.sites
    assert convolution.place(2 * 20 + 3 * 5 + 4) == (2, 3, 4)
    assert line.place(3 * 20 + 17) == (3, 17, None)
    assert dense.place(17 * 5 + 3) == (3, 17, None)
    assert head.place(2) == (2, None, None)


class _Shifted(nn.Module):
    """A rectifier whose activation is moved a little."""

    def __init__(self, change: Tensor) -> None:
        super().__init__()
        self.register_buffer("change", change)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x) + self.change


def test_activations_of_a_view_lie_on_the_way_to_the_logits(small64: engine.Classifier, images: Tensor) -> None:
    """The gradient with respect to a layer's activation, held against finite differences of a replaced rectifier."""
    view = ModelAccess(small64, "gradients")
    images = images[:1]
    for site in small64.sites:
        with torch.enable_grad():
            seen = view.activations(images, [site.name])
            assert seen.logits.equal(small64(images))
            (slope,) = torch.autograd.grad(seen.logits[0, 2], seen.activations[site.name])
        place = int(slope.abs().argmax())
        change = torch.zeros_like(slope).flatten()
        change[place] = 1e-6
        moved = (_Shifted(sign * change.reshape(slope.shape)) for sign in (1, -1))
        up, down = (small64.derive(activations={site.name: rectifier})(images)[0, 2] for rectifier in moved)
        assert float(slope.flatten()[place]) == pytest.approx(float(up - down) / 2e-6, rel=1e-4)
    assert view.forwards == len(small64.sites)
