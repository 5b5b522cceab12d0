"""Preprocessing defenses against literal references, the gradients of an attacker who knows them, and their place before a network."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from torch import Tensor

import engine
from engine import attacks
from engine.attacks import CATALOGUE as ATTACKS
from engine.defenses.preprocessing import (
    CATALOGUE,
    JPEG,
    BitDepth,
    GradientSmoothing,
    Median,
    NoiseAveraging,
    NonLocalMeans,
    Preprocessing,
    defended,
    read,
    words,
)
from engine.images.jpeg.proxy import smooth, soft_round
from engine.parameters import parameters_of
from tests.engine.conftest import small_network
from tests.pretended_gpu import Pretended, pretended_gpu

ONES = [
    BitDepth(bits=3),
    Median(),
    Median(size=3),
    NonLocalMeans(search=5),
    JPEG(quality=60),
    JPEG(quality=30, subsampling="4:4:4"),
    NoiseAveraging(samples=3),
    GradientSmoothing(),
    GradientSmoothing(window=3, overlap=2, threshold=0.3),
]
EACH = pytest.mark.parametrize("step", ONES, ids=repr)


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def patterned(*shape: int, seed: int = 0) -> Tensor:
    """Images with structure, so that not every patch is unlike every other."""
    y, x = torch.meshgrid(torch.arange(shape[-2]), torch.arange(shape[-1]), indexing="ij")
    return (0.5 + 0.4 * torch.sin(0.7 * y + 0.4 * x) * noise(*shape[:2], 1, 1, seed=seed) + 0.03 * noise(*shape, seed=seed)).clamp(0, 1)


def gradient(function: Callable[[Tensor], Tensor], images: Tensor, weights: Tensor) -> Tensor:
    images = images.detach().clone().requires_grad_()
    return torch.autograd.grad((function(images) * weights).sum(), images)[0]


def slope(function: Callable[[Tensor], Tensor], images: Tensor, weights: Tensor, along: Tensor, length: float) -> float:
    """The central difference along a direction."""
    ahead, back = ((function(images + sign * length * along) * weights).sum() for sign in (1, -1))
    return float(ahead - back) / (2 * length)


# ---------------------------------------------------------------- literal references


@pytest.mark.parametrize(("shape", "mode"), list(itertools.product([(32, 32), (31, 45), (17, 3), (1, 1), (5, 4)], ["RGB", "L"])))
@pytest.mark.parametrize("quality", [1, 10, 49, 50, 92, 100])
def test_jpeg_gives_the_pixels_of_a_file_that_pillow_writes_and_reads(shape: tuple[int, int], mode: str, quality: int) -> None:
    """Bit for bit here, since both compute in whole numbers. Another libjpeg may choose another cosine transform: one level, seldom."""
    for subsampling, code in (("4:2:0", 2), ("4:4:4", 0)):
        image = (255 * patterned(1, 3, *shape, seed=quality)).round() if quality % 2 else (255 * noise(1, 3, *shape, seed=quality)).round()
        image = image[:, :1] if mode == "L" else image
        pixels = image[0].permute(1, 2, 0).byte().numpy()
        file = io.BytesIO()
        options = {"subsampling": code} if mode == "RGB" else {}
        Image.fromarray(pixels[..., 0] if mode == "L" else pixels).save(file, "jpeg", quality=quality, **options)
        expected = np.asarray(Image.open(file)).reshape(pixels.shape).astype(int)
        found = (255 * JPEG(quality=quality, subsampling=subsampling)(image / 255)[0]).round().permute(1, 2, 0).numpy().astype(int)
        assert np.abs(found - expected).mean() <= 0.02, "more than a level in one value of fifty"
        assert np.abs(found - expected).max() <= 2


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("shape", [(7, 9), (3, 2), (1, 1)])
def test_the_median_is_scipys_also_in_even_windows_and_in_windows_larger_than_the_image(size: int, shape: tuple[int, int]) -> None:
    images = noise(2, 3, *shape, seed=size)
    expected = np.stack([[ndimage.median_filter(channel.numpy(), size, mode="reflect") for channel in image] for image in images])
    assert np.array_equal(Median(size=size)(images).numpy(), expected)


def test_an_even_window_takes_the_upper_median_of_the_pixel_and_those_before_it() -> None:
    image = torch.tensor([[0.1, 0.2], [0.3, 0.4]])[None, None]
    assert torch.equal(Median(size=2)(image)[0, 0, 1, 1], torch.tensor(0.3))  # the third of .1 .2 .3 .4


def mirror(place: int, side: int) -> int:
    """A place of an image that continues as in a mirror, without its edge twice."""
    while not 0 <= place < side:
        place = -place if place < 0 else 2 * (side - 1) - place
        if side == 1:
            return 0
    return place


@pytest.mark.parametrize(("search", "patch", "h", "sigma"), [(5, 3, 0.1, 0.0), (3, 1, 0.05, 0.0), (7, 3, 0.2, 0.05), (1, 3, 0.1, 0.0)])
def test_non_local_means_is_the_slow_loop(search: int, patch: int, h: float, sigma: float) -> None:
    image = patterned(1, 3, 6, 5)[0].double()
    height, width, reach, half = 6, 5, search // 2, patch // 2
    expected = torch.zeros_like(image)
    for y, x in itertools.product(range(height), range(width)):
        total, above = 0.0, torch.zeros(3, dtype=torch.float64)
        for dy, dx in itertools.product(range(-reach, reach + 1), repeat=2):
            squares = [
                float(image[c, mirror(y + py, 6), mirror(x + px, 5)] - image[c, mirror(y + dy + py, 6), mirror(x + dx + px, 5)]) ** 2
                for c, py, px in itertools.product(range(3), range(-half, half + 1), range(-half, half + 1))
            ]
            weight = math.exp(-max(sum(squares) / len(squares) - 2 * sigma**2, 0.0) / h**2)
            total += weight
            above += weight * image[:, mirror(y + dy, 6), mirror(x + dx, 5)]
        expected[:, y, x] = above / total
    found = NonLocalMeans(search=search, patch=patch, h=h, sigma=sigma)(image[None])[0]
    assert torch.allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("bits", range(1, 9))
def test_bit_depth_rounds_to_its_levels_and_twice_is_once(bits: int) -> None:
    images, step = noise(2, 3, 5, 5, seed=bits), BitDepth(bits=bits)
    once = step(images)
    levels = 2**bits - 1
    assert len(set((once * levels).flatten().tolist())) <= 2**bits
    assert float((once - images).abs().max()) <= 0.5 / levels + 1e-6
    assert torch.equal(step(once), once)
    assert torch.equal(step(torch.tensor([0.0, 1.0])[None, None, None]), torch.tensor([0.0, 1.0])[None, None, None])


def test_eight_bits_leave_the_grey_levels_of_a_file() -> None:
    levels = torch.arange(256)[None, None, None] / 255
    assert torch.equal(BitDepth(bits=8)(levels), levels)


@pytest.mark.parametrize(("window", "overlap", "threshold"), [(5, 1, 0.2), (3, 2, 0.3), (15, 5, 0.1), (4, 0, 0.25)])
@pytest.mark.parametrize("shape", [(11, 14), (5, 5), (2, 3)])
def test_local_gradient_smoothing_is_its_text(window: int, overlap: int, threshold: float, shape: tuple[int, int]) -> None:
    image = noise(1, 3, *shape, seed=window)[0].double()
    height, width = shape
    near = [[[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]]
    g = torch.zeros_like(image)
    for c, y, x in itertools.product(range(3), range(height), range(width)):
        at = [[float(image[c, min(max(y + dy, 0), height - 1), min(max(x + dx, 0), width - 1)]) for dx in (-1, 0, 1)] for dy in (-1, 0, 1)]
        g[c, y, x] = math.hypot(*(sum(k[i][j] * at[i][j] for i in range(3) for j in range(3)) for k in near))
    g = (g - g.min()) / (g.max() - g.min())
    total, windows = torch.zeros_like(g), torch.zeros_like(g)
    step = window - overlap
    tops, lefts = ([place for place in range(0, side, step) if place == 0 or place + overlap < side] for side in shape)
    for c, top, left in itertools.product(range(3), tops, lefts):
        part = g[c, top : top + window, left : left + window]
        windows[c, top : top + window, left : left + window] += 1
        if part.mean() > threshold:
            total[c, top : top + window, left : left + window] += part
    expected = image * (1 - 2.3 * total / windows).clamp(0, 1)
    found = GradientSmoothing(window=window, overlap=overlap, threshold=threshold)(image[None])[0]
    assert torch.allclose(found, expected, atol=1e-5)


def test_a_flat_image_has_no_edges_to_smooth() -> None:
    flat = torch.full((1, 3, 9, 9), 0.4)
    assert torch.equal(GradientSmoothing(threshold=0)(flat), flat)


def test_a_noisy_sticker_on_a_smooth_image_is_darkened_and_the_rest_is_not() -> None:
    image = torch.linspace(0.3, 0.7, 32).expand(1, 3, 32, 32).clone()
    image[..., 8:16, 8:16] = noise(1, 3, 8, 8)
    found = GradientSmoothing()(image)
    assert float(found[..., 10:14, 10:14].mean()) < 0.5 * float(image[..., 10:14, 10:14].mean())
    assert torch.equal(found[..., 20:, 20:], image[..., 20:, 20:])


# ---------------------------------------------------------------- gradients


@pytest.mark.parametrize("step", [step for step in ONES if step.way == "straight through"], ids=repr)
def test_a_step_that_rounds_passes_the_gradient_through_unchanged(step: Preprocessing) -> None:
    images, weights = noise(2, 3, 8, 8), noise(2, 3, 8, 8, seed=1)
    assert torch.equal(gradient(step, images, weights), weights)


@pytest.mark.parametrize("step", [step for step in ONES if step.way == "differentiable"], ids=repr)
def test_a_differentiable_step_has_the_gradient_of_finite_differences(step: Preprocessing) -> None:
    images, weights, along = (noise(1, 3, 9, 8, seed=seed, dtype=torch.float64) for seed in (3, 4, 5))
    images = 0.2 + 0.5 * images
    if isinstance(step, NonLocalMeans):
        step = step.model_copy(update={"h": 0.3})
    found = float((gradient(step, images, weights) * (along - 0.5)).sum())
    assert found == pytest.approx(slope(step, images, weights, along - 0.5, 1e-6), rel=1e-5, abs=1e-7)
    assert found != 0


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
@pytest.mark.parametrize("channels", [1, 3])
def test_jpegs_gradient_is_that_of_its_smooth_stand_in(subsampling: str, channels: int) -> None:
    images, weights, along = (noise(1, channels, 11, 13, seed=seed, dtype=torch.float64) for seed in (3, 4, 5))
    step = JPEG(quality=50, subsampling=subsampling)
    found = float((gradient(step, images, weights) * (along - 0.5)).sum())
    stand_in = slope(lambda pixels: smooth(255 * pixels, 50, subsampling) / 255, images, weights, along - 0.5, 1e-7)
    assert found == pytest.approx(stand_in, rel=1e-3)


def test_the_stand_in_is_near_the_codec_and_its_rounding_near_rounding() -> None:
    """The cube of half a step is 1/8 of a quantisation step: no coefficient is off by more."""
    values = torch.linspace(-3, 3, 601)
    assert float((soft_round(values) - values.round()).abs().max()) <= 0.125 + 1e-6
    images = patterned(2, 3, 32, 32)
    soft, true = smooth(255 * images, 75, "4:2:0"), 255 * JPEG(quality=75)(images)
    assert float((soft - true).abs().mean()) < 1.5


@EACH
def test_the_forward_pass_is_the_same_with_and_without_a_gradient(step: Preprocessing) -> None:
    images = noise(2, 3, 12, 12)
    plain = step(images)
    assert torch.equal(step(images.clone().requires_grad_()).detach(), plain)
    hidden = step.model_copy(update={"gradient": "none"})(images.clone().requires_grad_())
    assert torch.equal(hidden, plain)
    assert not hidden.requires_grad


def test_the_gradient_of_averaging_is_the_mean_over_the_copies() -> None:
    """EOT: weighted as the mean probability weighs them."""
    classifier = small()
    step = NoiseAveraging(sigma=0.2, samples=4)
    images = noise(2, 3, 8, 8)
    copies = step(images).unflatten(0, (2, 4))
    grown = copies.detach().requires_grad_()
    probabilities = classifier(grown.flatten(0, 1)).softmax(1).unflatten(0, (2, 4)).mean(1)
    expected = torch.autograd.grad(probabilities[:, 1].log().sum(), grown)[0].sum(1)
    found = gradient(lambda pixels: classifier.derive(before=[step])(pixels)[:, 1], images, torch.ones(2))
    assert torch.allclose(found, expected, atol=1e-6)


# ---------------------------------------------------------------- before a network


def small(device: str = "cpu") -> engine.Classifier:
    return engine.Classifier(small_network(), [f"class {i}" for i in range(5)], (3, 8, 8), name="small", device=device)


@EACH
def test_a_batch_equals_its_single_images_bit_for_bit(step: Preprocessing) -> None:
    images = torch.cat([noise(2, 3, 13, 10), patterned(1, 3, 13, 10)])
    alone = torch.cat([step(image[None]) for image in images])
    assert torch.equal(step(images), alone)
    classifier = defended(small(), step)
    assert not classifier.contract.mixes_rows
    assert not classifier.contract.random


@EACH
def test_a_prediction_is_that_of_the_network_on_the_changed_image(step: Preprocessing) -> None:
    classifier, images = small(), noise(3, 3, 8, 8)
    logits = classifier.derive(before=[step])(images)
    if isinstance(step, NoiseAveraging):
        mean = torch.stack([classifier(step(image[None])).softmax(1).mean(0) for image in images])
        assert torch.allclose(logits.softmax(1), mean, atol=1e-6)
        return
    assert torch.equal(logits, classifier(step(images)))


def test_an_attacker_who_does_not_know_has_the_gradient_of_the_network_alone_and_the_true_answer() -> None:
    classifier, images, weights = small(), noise(2, 3, 8, 8), noise(2, 5, seed=2)
    for step in ONES:
        hidden = classifier.derive(before=[step.model_copy(update={"gradient": "none"})])
        open_ = classifier.derive(before=[step])
        assert torch.allclose(gradient(hidden, images, weights), gradient(classifier, images, weights), atol=1e-6), step
        assert torch.equal(hidden(images.clone().requires_grad_()).detach(), open_(images)), step
        assert hidden.fingerprint != open_.fingerprint


def test_a_hidden_step_before_a_known_one_leaves_the_gradient_of_the_known_one() -> None:
    classifier, images, weights = small(), noise(1, 3, 8, 8), noise(1, 5, seed=2)
    both = classifier.derive(before=read("jpeg gradient=none + gradient-smoothing"))
    assert torch.allclose(
        gradient(both, images, weights), gradient(classifier.derive(before=[GradientSmoothing()]), images, weights), atol=1e-6
    )


def test_a_hidden_step_leaves_bounds_and_activations_in_place() -> None:
    classifier, images = small().derive(bounds={"act": 0.3}), noise(2, 3, 8, 8)
    hidden = classifier.derive(before=[BitDepth(bits=2, gradient="none")])
    assert torch.equal(hidden(images.clone().requires_grad_()).detach(), classifier(BitDepth(bits=2)(images)))
    assert not torch.equal(hidden(images), small()(BitDepth(bits=2)(images)))


def test_averaging_shows_the_mean_of_the_copies_activations_and_refuses_a_graph_through_them() -> None:
    classifier, images = small(), noise(2, 3, 8, 8)
    averaged = classifier.derive(before=[NoiseAveraging(samples=3)])
    copies = NoiseAveraging(samples=3)(images)
    expected = classifier.record(copies).activations["act"].unflatten(0, (2, 3)).mean(1)
    assert torch.allclose(averaged.record(images).activations["act"], expected, atol=1e-6)
    with pytest.raises(engine.GibbonError, match="averages 3 copies"):
        averaged.record(images, ["act"], graph=True)


def test_the_fingerprint_says_the_parameters_that_were_chosen() -> None:
    classifier = small()
    prints = {classifier.derive(before=[step]).fingerprint for step in ONES}
    assert len(prints) == len(ONES)
    assert classifier.derive(before=[JPEG()]).fingerprint == classifier.derive(before=[JPEG(quality=75)]).fingerprint


def test_noise_is_drawn_from_its_seed_and_is_the_same_for_every_image() -> None:
    images = noise(2, 3, 6, 6)
    draws = NoiseAveraging(samples=4, sigma=0.5)(images).unflatten(0, (2, 4)) - images[:, None]
    assert torch.allclose(draws[0], draws[1], atol=1e-6)
    assert not torch.allclose(draws[0, 0], draws[0, 1], atol=1e-3)
    again, other = (NoiseAveraging(samples=4, sigma=0.5, seed=seed)(images).unflatten(0, (2, 4)) for seed in (0, 1))
    assert torch.allclose(again - images[:, None], draws, atol=1e-6)
    assert not torch.allclose(other - images[:, None], draws, atol=1e-3)
    assert float(NoiseAveraging(samples=1000, sigma=0.5)(images[:1]).std(0).mean()) == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize("slug", ["pgd", "square", "deepfool"])
@EACH
def test_attacks_work_through_every_step(slug: str, step: Preprocessing) -> None:
    classifier, images = defended(small(), step), noise(2, 3, 8, 8)
    attack = ATTACKS[slug]().model_copy(update={"steps": 3}) if "steps" in ATTACKS[slug].model_fields else ATTACKS[slug]()
    attack = attack.model_copy(update={"max_queries": 60})
    result = engine.run(attack, classifier, images)
    assert result.adversarial.isfinite().all()
    assert torch.equal(result.prediction, classifier.predict(result.adversarial))


@EACH
def test_on_a_gpu_no_tensor_is_left_on_the_cpu_and_the_numbers_are_the_cpus(step: Preprocessing) -> None:
    images = noise(2, 3, 8, 8)
    expected = engine.run(attacks.PGD(steps=3), small().derive(before=[step]), images, seed=1)
    with pretended_gpu(float64=False):
        classifier = small("cuda").derive(before=[step])
        found = engine.run(attacks.PGD(steps=3), classifier, images, seed=1)
        assert isinstance(found.adversarial, Pretended)
        assert torch.allclose(found.adversarial.held, expected.adversarial, atol=1e-5)


@EACH
def test_no_step_waits_for_the_device(step: Preprocessing) -> None:
    waits = []
    for steps in (1, 3):
        with pretended_gpu() as gpu:
            engine.run(attacks.PGD(steps=steps), small("cuda").derive(before=[step]), noise(2, 3, 8, 8))
        waits.append(gpu.waited)
    assert waits[0] == waits[1]


# ---------------------------------------------------------------- recipes


def test_a_recipe_is_read_in_its_order_and_written_as_it_was_read() -> None:
    steps = read("jpeg quality=50 + bit-depth bits=3 + non-local-means h=2/255")
    assert steps == (JPEG(quality=50), BitDepth(bits=3), NonLocalMeans(h=2 / 255))
    assert read(words(steps)) == steps
    assert read([step.model_dump(mode="json") for step in steps]) == steps
    assert read("none") == read("") == ()
    assert read("jpeg gradient=none")[0].gradient == "none"
    assert words(read("jpeg quality=75")) == "jpeg"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("jpg", "Did you mean “jpeg”"),
        ("jpeg quality=0", "quality"),
        ("jpeg 75", "no name=value"),
        ("jpeg + jpeg", "stands twice"),
        ("jpeg quality=3 quality=4", "twice"),
        ("jpeg quality=none", "quality"),
        ("bit-depth sigma=1", "sigma"),
    ],
)
def test_a_wrong_recipe_is_refused_in_one_sentence_that_names_the_place(text: str, said: str) -> None:
    with pytest.raises(engine.GibbonError, match=said):
        read(text)


def test_steps_that_do_not_fit_are_refused_before_the_attack() -> None:
    four = engine.Classifier(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4 * 16, 2)), ["a", "b"], (4, 4, 4), device="cpu")
    with pytest.raises(engine.GibbonError, match="4 channels"):
        defended(four, "jpeg")
    for text, said in (("median size=0", "size"), ("non-local-means search=4", "no middle"), ("gradient-smoothing overlap=5", "overlap")):
        with pytest.raises(engine.GibbonError, match=said):
            defended(small(), text)


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=list(CATALOGUE))
def test_every_field_is_described_and_every_preset_can_be_built(kind: type[Preprocessing]) -> None:
    assert all(parameter.doc for parameter in parameters_of(kind).values())
    for preset in kind.presets:
        assert set(kind.build(**preset.values).chosen) | set(preset.values) == set(preset.values)
    assert kind.paper
