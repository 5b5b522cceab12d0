"""Saliency, histograms, spikes and the observation, against written-out references."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

import engine
from engine.explain import GradientSaliency, find_spikes, observe, saliency
from engine.explain.activations import BINS, round_up
from tests.engine.conftest import linear_classifier


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
    observation = observe(small64, images[0], images[1], bounds=bounds, with_saliency=True)
    expected = small64.derive(bounds=bounds)(images[:2]).softmax(1)
    assert observation.bounded is not None
    torch.testing.assert_close(torch.stack([observation.bounded.clean, observation.bounded.adversarial]), expected)
    torch.testing.assert_close(observation.clean_logits, small64(images[:1])[0])
    assert observation.adversarial_saliency is not None
    labels = small64.predict(images[1:2])
    torch.testing.assert_close(observation.adversarial_saliency, saliency(small64, images[1:2], labels)[0])


@pytest.mark.parametrize(("value", "limit"), [(0.7, 0.8), (1.0, 1.0), (1.2, 1.5), (9.0, 10.0), (37.0, 40.0), (0.0, 1.0)])
def test_axis_limits_are_round(value: float, limit: float) -> None:
    assert round_up(value) == pytest.approx(limit)
