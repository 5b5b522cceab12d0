"""Searches for the place of stickers: painting, region and updates against literal loops, and the checks of the method."""

from __future__ import annotations

import itertools
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import engine
from engine import attacks, record
from engine.artifacts import PlacedStickers, Table
from engine.attacks.sticker_search.painting import with_boxes, with_frames
from engine.attacks.sticker_search.region import Region
from engine.attacks.sticker_search.search import PlacementSearch
from engine.attacks.toolkit.evolution import crossed
from engine.attacks.toolkit.searches import Evolution, RandomSearch, Search, Swarm
from engine.attacks.toolkit.swarm import velocities
from engine.cli.artifacts import as_json
from engine.errors import GibbonError
from engine.randomness import RowRandom
from engine.stickers import Colour, Sticker, coverage, paint
from engine.stickers.colours import colour_of
from engine.study import artifacts as kept

BLACK, WHITE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
ORANGE = (1.0, 0.5, 0.0)


@cache
def signs() -> tuple[engine.Classifier, Tensor, Tensor]:
    """The shipped network, with drawn signs that it predicts correctly."""
    classifier = engine.models.load("signs")
    images, labels = engine.data.load("generated:signs", count=40).batch(slice(0, 40))
    right = classifier.predict(images) == labels
    return classifier, images[right], labels[right]


def found(result: engine.AttackResult) -> PlacedStickers:
    placed = result.artifacts["stickers"]
    assert isinstance(placed, PlacedStickers)
    return placed


# ---------------------------------------------------------------------- parts


@pytest.mark.parametrize("channels", [1, 3])
@given(boxes=st.lists(st.tuples(st.integers(-3, 9), st.integers(-3, 8), st.integers(1, 9), st.integers(1, 9)), min_size=4, max_size=4))
@settings(max_examples=25, deadline=None)
def test_boxes_are_painted_as_stickers_bit_by_bit(channels: int, boxes: list[tuple[int, int, int, int]]) -> None:
    images = torch.rand(2, channels, 9, 10, generator=torch.Generator().manual_seed(0))
    colours = [BLACK, BLACK, WHITE, ORANGE]
    candidates = torch.tensor(boxes).expand(2, 3, 4, 4)
    stickers = [Sticker(n, *box, content=Colour(rgb)) for n, (box, rgb) in enumerate(zip(boxes, colours, strict=True))]
    painted = with_boxes(images, candidates, colours)
    for image in range(2):
        assert torch.equal(painted[image, 1], paint(images[image], stickers))


def test_rotated_boxes_are_painted_as_stickers() -> None:
    images = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    frames = [(2.5, 3, 6, 4, 30.0), (5, 5.5, 7, 3, -70.0), (1, 1, 3, 3, 0.0)]
    colours = [BLACK, WHITE, ORANGE]
    stickers = [
        Sticker(n, *frame[:4], content=Colour(rgb), angle=frame[4]) for n, (frame, rgb) in enumerate(zip(frames, colours, strict=True))
    ]
    painted = with_frames(images, torch.tensor(frames, dtype=torch.float64)[None, None], colours)
    torch.testing.assert_close(painted[0, 0], paint(images[0], stickers), atol=1e-6, rtol=0)


def ring() -> Tensor:
    allowed = torch.ones(12, 13, dtype=torch.bool)
    allowed[4:8, 5:8] = False
    allowed[0] = False
    return allowed


def test_boxes_move_to_the_nearest_place_on_the_region() -> None:
    allowed = ring()
    region = Region(allowed[None])
    assert region.bounds.tolist() == [[0, 1, 13, 12]]
    places = list(itertools.product(range(9), range(1, 8), (1, 3, 4), (1, 2, 5)))
    boxes = torch.tensor(places)
    fitted = region.fitted(boxes[None])[0]
    assert torch.equal(fitted[:, 2:], boxes[:, 2:])
    for box, (left, top, width, height) in zip(places, fitted.tolist(), strict=True):
        assert bool(allowed[top : top + height, left : left + width].all())
        free = [
            (x, y)
            for x, y in itertools.product(range(14 - width), range(13 - height))
            if bool(allowed[y : y + height, x : x + width].all())
        ]
        nearest = min((x - box[0]) ** 2 + (y - box[1]) ** 2 for x, y in free)
        assert (left - box[0]) ** 2 + (top - box[1]) ** 2 == nearest


def test_a_box_that_fits_nowhere_loses_pixels_of_its_longer_side() -> None:
    allowed = torch.zeros(9, 9, dtype=torch.bool)
    allowed[2:4, 1:8] = allowed[2:8, 1:3] = True  # an L, two pixels thick
    region = Region(allowed[None])
    left, top, width, height = region.fitted(torch.tensor([[[1, 2, 5, 6]]]))[0, 0].tolist()
    assert (width, height) == (3, 2)  # 5 x 6 -> 5 x 5 -> 5 x 4 -> 4 x 4 -> 4 x 3 -> 3 x 3 -> 3 x 2
    assert bool(allowed[top : top + height, left : left + width].all())


def test_crossover_is_that_of_the_loop() -> None:
    random = torch.Generator().manual_seed(2)
    genes, mutants, draws = (torch.rand(2, 5, 6, generator=random) for _ in range(3))
    forced = torch.rand(2, 5, generator=random)
    made = crossed(genes, mutants, draws, forced, 0.3)
    for image, member, gene in itertools.product(range(2), range(5), range(6)):
        mutates = float(draws[image, member, gene]) < 0.3 or gene == int(float(forced[image, member]) * 6)
        assert made[image, member, gene] == (mutants if mutates else genes)[image, member, gene]


def test_velocities_are_those_of_the_loop() -> None:
    random = torch.Generator().manual_seed(3)
    genes, before, own, first, second = (torch.rand(2, 4, 3, generator=random) for _ in range(5))
    best = torch.rand(2, 3, generator=random)
    made = velocities(genes, before, own, best, (first, second), 0.7, 1.5, 0.4)
    for at in itertools.product(range(2), range(4), range(3)):
        value = 0.7 * before[at] + 1.5 * first[at] * (own[at] - genes[at]) + 1.5 * second[at] * (best[at[0], at[2]] - genes[at])
        assert float(made[at]) == pytest.approx(min(max(float(value), -0.4), 0.4), abs=1e-6)


def searches() -> dict[str, Search]:
    random = RowRandom(0, [0, 1])
    swarm = Swarm.begin(random.anew(), 24, 5, inertia=0.73, pull=1.5, speed=0.25, factors="each", lives=1000)
    return {
        "random": RandomSearch.begin(random.anew(), 24, 5),
        "evolution": Evolution.begin(random.anew(), 24, 5, 0.5, 0.9),
        "swarm": swarm,
    }


@pytest.mark.parametrize("name", ["random", "evolution", "swarm"])
def test_a_search_climbs_a_hill(name: str) -> None:
    """The top is at (.2, .4, .6, .8, .5): evolution and the swarm come near, chance alone does not."""
    top, random, search, best = torch.tensor([0.2, 0.4, 0.6, 0.8, 0.5]), RowRandom(5, [0, 1]), searches()[name], -1.0
    for _ in range(40):
        assert bool(((search.genes >= 0) & (search.genes <= 1)).all())
        fitness = -(search.genes - top).square().sum(-1)
        best = max(best, float(fitness.amax(1).amin()))
        search = search.told(fitness, random)
    assert (best > -0.002) == (name != "random")


# ---------------------------------------------------------------------- the attack


@pytest.mark.parametrize("turn", [0, 40])
@pytest.mark.parametrize("search", ["evolution", "swarm", "random"])
def test_the_stickers_found_give_the_adversarial_image_bit_by_bit(search: str, turn: float) -> None:
    classifier, images, labels = signs()
    region = torch.zeros(32, 32)
    region[6:26, 8:30], region[10:14, 10:14] = 1, 0
    attack = attacks.StickerSearch.build(search=search, turn=turn, queries=60, population=20, max_area=0.1)
    result = engine.run(attack, classifier, images[:6], labels[:6], mask=region, seed=4)
    assert any(found(result).stickers)
    for image, adversarial, stickers in zip(images[:6], result.adversarial, found(result).stickers, strict=True):
        assert torch.equal(paint(image, stickers), adversarial)
        outside = torch.ones(32, 32, dtype=torch.bool)
        for sticker in stickers:
            covered = coverage(sticker, 32, 32)[0] > 0
            assert bool((region[covered] == 1).all())
            outside &= ~covered
        assert torch.equal(adversarial[:, outside], image[:, outside])
        assert sum(sticker.width * sticker.height for sticker in stickers) <= 0.1 * 32 * 32
    places = result.artifacts["places"]
    assert isinstance(places, Table)
    assert len(places.rows) == sum(map(len, found(result).stickers))
    torch.testing.assert_close(result.logits, classifier(result.adversarial))


@pytest.mark.parametrize("queries", [1, 7, 64, 100])
@pytest.mark.parametrize("search", ["evolution", "swarm", "random"])
def test_exactly_the_allowed_candidates_are_queried(search: str, queries: int) -> None:
    classifier, images, labels = signs()
    attack = attacks.StickerSearch.build(search=search, queries=queries, population=24, stop="never")
    result = engine.run(attack, classifier, images[:2], labels[:2])
    assert result.forwards == 2 * (queries + 1)
    assert result.reason == "finished"


def test_more_queries_of_the_same_seed_only_go_on() -> None:
    classifier, images, labels = signs()
    for search in ("evolution", "swarm", "random"):
        few, many = (
            engine.run(attacks.StickerSearch.build(search=search, queries=n, population=16, first=1, second=0), classifier, images, labels)
            for n in (32, 160)
        )
        assert bool((many.success | ~few.success).all())
        assert bool((many.loss >= few.loss)[~many.success].all())


def test_more_stickers_flip_no_fewer() -> None:
    classifier, images, labels = signs()
    shares = []
    for first, second in ((1, 0), (1, 1), (2, 2)):
        attack = attacks.StickerSearch(first=first, second=second, queries=160, population=32)
        shares.append(int(engine.run(attack, classifier, images, labels).success.sum()))
    assert shares == sorted(shares)
    assert shares[0] < shares[-1], "these images show no difference"


ONE = {"first": 1, "second": 0, "smallest": 1 / 8, "largest": 1 / 8, "stop": "never"}


def test_every_place_of_one_sticker_is_tried_and_evolution_comes_near() -> None:
    """29 x 29 places of 4 x 4 pixels, painted one after the other as the canvas does."""
    classifier, images, labels = signs()
    image, label = images[0], labels[:1]
    result = engine.run(attacks.StickerSearch.build(**ONE, search="grid"), classifier, image[None], label)
    painted = torch.stack([paint(image, [Sticker(1, x, y, 4, 4, Colour(BLACK))]) for y in range(29) for x in range(29)])
    logits = classifier(painted)
    rest = logits.scatter(1, label.expand(841)[:, None], -torch.inf).amax(1)
    margins = rest - logits[:, int(label)]
    assert result.forwards == 842
    assert float(result.loss) == pytest.approx(float(margins.max()), abs=1e-4)
    evolved = engine.run(attacks.StickerSearch.build(**ONE, queries=640, population=32), classifier, image[None], label)
    clean = float(
        rest.new_tensor(float(engine.run(attacks.StickerSearch.build(**ONE, queries=1), classifier, image[None], label).trace[0, 0]))
    )
    assert float(evolved.loss) <= float(result.loss) + 1e-4
    assert (float(evolved.loss) - clean) >= 0.95 * (float(result.loss) - clean)


def test_a_target_is_reached() -> None:
    classifier, images, labels = signs()
    targets = classifier(images).scatter(1, labels[:, None], -torch.inf).argmax(1)
    result = engine.run(attacks.StickerSearch(queries=320), classifier, images, labels, targets)
    assert int(result.success.sum()) >= 3
    assert torch.equal(result.success, result.prediction == targets)


@pytest.mark.parametrize(("stride", "places"), [(1, 29), (4, 8), (28, 2)])
def test_a_stride_leaves_places_out(stride: int, places: int) -> None:
    classifier, images, labels = signs()
    result = engine.run(attacks.StickerSearch.build(**ONE, search="grid", stride=stride), classifier, images[:1], labels[:1])
    assert result.forwards == places**2 + 1


def test_grey_images_take_the_mean_of_a_colour(grey: tuple[engine.Classifier, Tensor]) -> None:
    classifier, images = grey
    attack = attacks.StickerSearch(queries=16, population=8, first=1, second=0, first_colour="#ff8000", stop="never")
    result = engine.run(attack, classifier, images)
    for image, adversarial, stickers in zip(images, result.adversarial, found(result).stickers, strict=True):
        assert torch.equal(paint(image, stickers), adversarial)


@pytest.fixture
def grey() -> tuple[engine.Classifier, Tensor]:
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(100, 4))
    with torch.no_grad():
        network[1].weight.copy_(torch.randn(4, 100, generator=torch.Generator().manual_seed(0)))
    images = torch.rand(3, 1, 10, 10, generator=torch.Generator().manual_seed(1))
    return engine.Classifier(network, list("abcd"), (1, 10, 10)), images


def test_it_replays_and_a_study_and_the_command_line_keep_its_stickers() -> None:
    classifier, images, labels = signs()
    result = engine.run(attacks.StickerSearch(queries=96, turn=20), classifier, images[:1], labels[:1], seed=3)
    entry = record.record_of(result, image=record.image_entry(images[0]))
    assert record.replay(entry).same
    tensors = kept.Tensors()
    again = kept.artifact_of(kept.entry_of(found(result), tensors), lambda digest: torch.zeros(0))
    assert isinstance(again, PlacedStickers)
    assert again.stickers == found(result).stickers
    told = as_json(result.artifacts)["stickers"]["stickers"]["images"][0]
    assert [each["x"] for each in told] == [sticker.x for sticker in found(result).stickers[0]]


# ---------------------------------------------------------------------- bad input


def test_bad_input_is_a_sentence() -> None:
    classifier, images, labels = signs()
    small = torch.zeros(32, 32)
    small[3:4, 3:20] = 1
    with pytest.raises(GibbonError, match=r"The smallest sticker, 2 × 2 pixels, does not fit into the region, whose box is 17 × 1 pixels"):
        engine.run(attacks.StickerSearch(), classifier, images[:1], labels[:1], mask=small)
    diagonal = torch.eye(32)
    with pytest.raises(GibbonError, match="does not fit into the region, whose box is 32 × 32"):
        engine.run(attacks.StickerSearch(), classifier, images[:1], labels[:1], mask=diagonal)
    with pytest.raises(GibbonError, match="no sticker of either colour"):
        attacks.StickerSearch(first=0, second=0)
    with pytest.raises(GibbonError, match="more than the largest side"):
        attacks.StickerSearch(smallest=0.5, largest=0.25)
    with pytest.raises(GibbonError, match="one upright sticker only"):
        attacks.StickerSearch(search="grid")
    with pytest.raises(GibbonError, match="“octarine” is no colour here"):
        attacks.StickerSearch(first_colour="octarine")
    with pytest.raises(GibbonError, match=r"There are 841 places and sizes of the sticker, but 100 queries"):
        engine.run(attacks.StickerSearch.build(**ONE, search="grid", queries=100), classifier, images[:1], labels[:1])
    with pytest.raises(GibbonError, match="cover more than the 5 pixels that are allowed"):
        engine.run(attacks.StickerSearch(max_area=0.005), classifier, images[:1], labels[:1])
    assert colour_of(" White ") == WHITE
    assert colour_of("#FF0080") == pytest.approx((1.0, 0.0, 128 / 255))


def test_the_base_is_no_attack_of_its_own() -> None:
    assert PlacementSearch not in attacks.CATALOGUE.values()
