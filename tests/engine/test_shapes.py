"""Shapes of stickers: coverage, painting, mask and record agree for every shape that is listed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import engine
from engine import attacks, record
from engine import stickers as s
from engine.errors import GibbonError
from engine.record.migration import with_sampled_edges
from engine.record.stickers import StickerEntry
from engine.stickers.frames import to_unit
from tests.engine.test_record import load

RING = s.Brushed.of(torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]]))
STAR = s.Polygon(((0.5, 0.0), (0.8, 1.0), (0.0, 0.4), (1.0, 0.4), (0.2, 1.0)))
ALL = {**{name: kind() for name, kind in s.SHAPES.items()}, "ellipse-sampled": s.Ellipse("sampled"), "brush-ring": RING}
every_shape = pytest.mark.parametrize("shape", ALL.values(), ids=list(ALL))
boxes = st.tuples(st.integers(-6, 12), st.integers(-6, 12), st.integers(1, 14), st.integers(1, 14))


def slow_coverage(sticker: s.Sticker, height: int, width: int) -> Tensor:
    """Point by point: 8 x 8 of them in each pixel, through the sticker's own question."""
    points = [(number + 0.5) / 8 for number in range(8)]
    return torch.tensor(
        [[sum(s.contains(sticker, x + dx, y + dy) for dx in points for dy in points) / 64 for x in range(width)] for y in range(height)]
    )[None]


@every_shape
@given(box=boxes)
@settings(max_examples=6, deadline=None)
def test_coverage_is_the_share_of_points_inside(shape: s.Shape, box: tuple[int, int, int, int]) -> None:
    sticker = s.Sticker(1, *box, shape=shape)
    on_the_points = shape in (s.Rectangle(), s.Ellipse("sampled"), s.Brushed())
    within = 1.01 / 64 if on_the_points else 0.1  # at other edges 64 points are no exact measure of a pixel's area
    torch.testing.assert_close(s.coverage(sticker, 9, 7), slow_coverage(sticker, 9, 7), atol=within, rtol=0)


@every_shape
def test_the_outline_encloses_what_is_covered(shape: s.Shape) -> None:
    """The polygon's area, by the shoelace formula, is the area that is covered."""
    loops = shape.outlines()
    pairs = [pair for loop in loops for pair in zip(loop, (*loop[1:], loop[0]), strict=True)]
    area = abs(sum(a * d - b * c for (a, b), (c, d) in pairs)) / 2
    assert area == pytest.approx(float(shape.coverage(40, 60).mean()), abs=0.005)
    assert all(-1e-9 <= value <= 1 + 1e-9 for loop in loops for corner in loop for value in corner)


def test_an_ellipse_covers_a_quarter_of_pi() -> None:
    assert float(s.Ellipse().coverage(64, 32).mean()) == pytest.approx(torch.pi / 4, abs=2e-3)
    assert float(s.Ellipse().coverage(1, 1)) == pytest.approx(torch.pi / 4, abs=0.03)


@every_shape
def test_paint_blends_by_coverage(shape: s.Shape) -> None:
    image = torch.rand(3, 10, 12, generator=torch.Generator().manual_seed(0))
    sticker = s.Sticker(1, -2, 3, 9, 6, s.Colour((1.0, 0.5, 0.0)), opacity=0.75, shape=shape)
    covered = s.coverage(sticker, 10, 12)
    colour = torch.tensor([1.0, 0.5, 0.0])[:, None, None]
    torch.testing.assert_close(s.paint(image, [sticker]), (1 - covered) * image + covered * colour)


@every_shape
def test_what_an_attack_may_change_is_what_shows_of_the_sticker(shape: s.Shape) -> None:
    """``(1 - mask) * base + mask * content`` equals the painted image, with stickers below and above."""
    clean = torch.rand(3, 12, 12, generator=torch.Generator().manual_seed(1))
    below = s.Sticker(1, 0, 0, 6, 12, s.Colour((0.0, 1.0, 0.0)), opacity=0.5)
    painted = s.Sticker(2, 2, 1, 9, 10, s.Optimised(torch.rand(3, 10, 9)), shape=shape)
    above = s.Sticker(3, 5, 4, 6, 3, s.Colour((0.0, 0.0, 1.0)), opacity=0.5, shape=shape)
    made = s.compose(clean, (below, painted, above))
    assert made.mask is not None
    torch.testing.assert_close((1 - made.mask) * made.base + made.mask * made.content, made.shown, atol=1e-5, rtol=0)
    outside = s.coverage(painted, 12, 12) == 0
    assert float(made.mask[outside].max()) == 0


@every_shape
def test_an_attack_paints_within_the_shape_only(shape: s.Shape) -> None:
    classifier, clean = load(), torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(2))
    sticker = s.Sticker(1, 1, 1, 6, 5, s.Optimised(), shape=shape)
    scene = s.compose(clean, (sticker,))
    result = engine.run(attacks.StickerPGD(steps=4), classifier, scene.base[None], mask=scene.mask, seed=0)
    untouched = (s.coverage(sticker, 8, 8) == 0).expand(3, -1, -1)
    assert torch.equal(result.adversarial[0][untouched], clean[untouched])
    filled = s.with_content((sticker,), result.adversarial[0])
    assert filled[0].shape == shape


@every_shape
def test_a_record_keeps_the_shape(shape: s.Shape) -> None:
    sticker = s.Sticker(4, 1, 2, 3, 4, s.Colour((0.1, 0.2, 0.3)), 0.5, "round", shape)
    entry = StickerEntry.of(sticker)
    assert StickerEntry.model_validate_json(entry.model_dump_json()).sticker() == sticker
    assert (entry.shape is None) == isinstance(shape, s.Rectangle)


def test_a_shape_of_another_version_is_named() -> None:
    entry = StickerEntry.of(s.Sticker(1, 0, 0, 2, 2, shape=s.Ellipse()))
    with pytest.raises(GibbonError, match=r"no sticker shape “star” here\. There is: rectangle, ellipse"):
        entry.model_copy(update={"shape": record.stickers.ShapeEntry(kind="star")}).sticker()
    with pytest.raises(GibbonError, match="does not take corners"):
        entry.model_copy(update={"shape": record.stickers.ShapeEntry(kind="ellipse", parameters={"corners": 5})}).sticker()
    with pytest.raises(GibbonError, match="no shape of a sticker"):
        s.Sticker(1, 0, 0, 2, 2, shape="round")  # type: ignore[arg-type]


def test_the_mouse_takes_a_round_sticker_by_its_shape() -> None:
    sticker = s.Sticker(1, 0, 0, 10, 10, shape=s.Ellipse())
    assert s.find_hit([sticker], 5, 5, 0) == s.Hit(sticker)
    assert s.find_hit([sticker], 0.4, 0.4, 0) is None
    assert s.find_hit([replace(sticker, shape=s.Rectangle())], 0.4, 0.4, 0) is not None


# ---------------------------------------------------------------------- exact areas


def dense_coverage(sticker: s.Sticker, height: int, width: int, points: int = 40) -> Tensor:
    """Return the share of ``points`` squared points of each pixel that are inside, by the shape's own inequality."""
    y, x = ((torch.arange(side * points, dtype=torch.float64) + 0.5) / points for side in (height, width))
    u, v = to_unit(sticker.frame, x[None, :], y[:, None])
    inside = (u >= 0) & (u < 1) & (v >= 0) & (v < 1) & sticker.shape.contains(u, v)
    return inside.double().reshape(height, points, width, points).mean((1, 3)).float()[None]


@pytest.mark.parametrize("shape", [s.Rectangle(), s.Ellipse(), s.Polygon(), STAR], ids=["rectangle", "ellipse", "polygon", "star"])
@given(place=st.tuples(st.floats(-3, 8), st.floats(-3, 8)), size=st.tuples(st.floats(1, 9), st.floats(1, 9)), angle=st.floats(-180, 180))
@settings(max_examples=12, deadline=None)
def test_rotated_and_between_pixels_the_area_is_exact(
    shape: s.Shape, place: tuple[float, float], size: tuple[float, float], angle: float
) -> None:
    """Against 1,600 points a pixel; only where the star crosses itself may a pixel deviate."""
    sticker = s.Sticker(1, *place, *size, shape=shape, angle=angle)
    off = (s.coverage(sticker, 9, 10) - dense_coverage(sticker, 9, 10)).abs()
    if shape is STAR:
        assert int((off > 0.04).sum()) <= 10
        assert float(off.mean()) < 0.02
    else:
        assert float(off.max()) < 0.04
        assert float(off.mean()) < 0.004


@pytest.mark.parametrize("shape", [s.Rectangle(), s.Ellipse(), s.Polygon(), RING], ids=["rectangle", "ellipse", "polygon", "ring"])
def test_gradients_of_place_size_and_angle_agree_with_finite_differences(shape: s.Shape) -> None:
    weights = torch.rand(12, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    frame = torch.tensor([2.37, 3.61, 5.2, 4.43, 17.0], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad((weights * shape.coverage_at(frame, 12, 12)).sum(), frame)
    step = 1e-5
    for number in range(5):
        shift = torch.zeros(5, dtype=torch.float64)
        shift[number] = step
        above, below = (shape.coverage_at(frame.detach() + sign * shift, 12, 12) for sign in (1, -1))
        slope = float(((above - below) * weights).sum()) / (2 * step)
        assert float(gradient[number]) == pytest.approx(slope, rel=2e-3, abs=1e-5)


def test_many_frames_at_once_equal_one_at_a_time() -> None:
    frames = torch.rand(7, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(3)) * 6 + 1
    for shape in ALL.values():
        together = shape.coverage_at(frames, 9, 8)
        assert together.shape == (7, 9, 8)
        torch.testing.assert_close(together, torch.stack([shape.coverage_at(frame, 9, 8) for frame in frames]))


@pytest.mark.parametrize("shape", ALL.values(), ids=list(ALL))
def test_a_quarter_turn_is_exact(shape: s.Shape) -> None:
    """A quarter turn of an upright box of 4 x 6 about its middle is the turned coverage; four of them are the sticker itself."""
    sticker = s.Sticker(1, 3, 2, 4, 6, shape=shape)
    turned = s.coverage(s.rotated(sticker, 90), 10, 10)
    tolerance = 0.13 if shape == s.Ellipse("sampled") else 1e-6  # its sampled edge is for upright boxes only
    torch.testing.assert_close(turned, s.coverage(sticker, 10, 10).rot90(-1, (1, 2)), atol=tolerance, rtol=0)
    back = s.rotated(s.rotated(sticker, 90), 0)
    assert back == sticker
    assert s.rotated(sticker, 360) == sticker


def test_an_upright_rectangle_covers_parts_of_pixels_exactly() -> None:
    covered = s.coverage(s.Sticker(1, 0.25, 0.5, 2.5, 1.25), 3, 4)[0]
    across, down = torch.tensor([0.75, 1, 0.75, 0]), torch.tensor([0.5, 0.75, 0])
    torch.testing.assert_close(covered, down[:, None] * across[None, :])


def test_half_outside_is_cut_at_the_edge() -> None:
    for shape in ALL.values():
        inside = s.coverage(s.Sticker(1, 10, 10, 6, 6, shape=shape, angle=30), 40, 40)
        cut = s.coverage(s.Sticker(1, -3, 10, 6, 6, shape=shape, angle=30), 40, 27)
        torch.testing.assert_close(cut, inside[:, :, 13:])


def test_a_self_crossing_polygon_covers_all_its_lobes() -> None:
    bow = s.Polygon(((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)))
    covered = s.coverage(s.Sticker(1, 0, 0, 20, 20, shape=bow), 20, 20)[0]
    assert float(covered[10, 2]) == 1
    assert float(covered[10, 17]) == 1
    assert float(covered[2, 10]) == 0


# ---------------------------------------------------------------------- content of rotated stickers


def test_content_of_a_rotated_sticker_is_kept_pixel_by_pixel() -> None:
    """What an attack has painted under a rotated sticker comes back bit for bit, also after a move by whole pixels."""
    image = torch.rand(3, 20, 24, generator=torch.Generator().manual_seed(5))
    for shape in ALL.values():
        sticker = s.Sticker(1, 6.5, 5.25, 7, 6, s.Optimised(), shape=shape, angle=25)
        (kept,) = s.with_content([sticker], image)
        whole = s.coverage(kept, 20, 24) == 1
        assert torch.equal(s.paint(image, [kept])[whole.expand(3, -1, -1)], image[whole.expand(3, -1, -1)])
        moved = s.coverage(s.moved(kept, 4, -3), 20, 24) == 1
        shifted = image.roll((-3, 4), (1, 2))
        there = s.paint(torch.zeros_like(image), [s.moved(kept, 4, -3)])
        torch.testing.assert_close(there[moved.expand(3, -1, -1)], shifted[moved.expand(3, -1, -1)], atol=0, rtol=0)


def test_rotated_content_turns_with_its_sticker() -> None:
    """A picture of two colours, turned by half a turn, is the other way round; by a quarter, it stands."""
    picture = torch.zeros(3, 1, 2)
    picture[:, 0, 1] = 1
    sticker = s.Sticker(1, 2, 4, 8, 4, s.Pixels(picture))
    across = s.paint(torch.full((3, 12, 12), 0.5), [sticker])
    assert float(across[0, 5, 2]) == 0
    assert float(across[0, 5, 9]) == 1
    half = s.paint(torch.full((3, 12, 12), 0.5), [s.rotated(sticker, 180)])
    torch.testing.assert_close(half[:, 4:8, 2:10], across[:, 4:8, 2:10].flip(2))
    quarter = s.paint(torch.full((3, 12, 12), 0.5), [s.rotated(sticker, 90)])
    torch.testing.assert_close(quarter[:, 2:10, 4:8], across[:, 4:8, 2:10].rot90(-1, (1, 2)))


# ---------------------------------------------------------------------- refusals, records, migration


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: s.Polygon(((0, 0), (1, 1))), "needs 3 to"),
        (lambda: s.Polygon(((0, 0), (0.5, 0.5), (1, 1))), "covers nothing"),
        (lambda: s.Polygon(((0, 0), (2, 0), (1, 1))), "no corner of a polygon"),
        (lambda: s.Polygon("abc"), "no corners"),
        (lambda: s.around(1, [(0, 0), (1, 1)]), "covers nothing"),
        (lambda: s.around(1, [(0, 0), (3, 3), (9, 9)]), "covers nothing"),
        (lambda: s.around(1, [(0, 0), (float("nan"), 3), (9, 9)]), "no place on an image"),
        (lambda: s.Brushed.of(torch.zeros(3, 3)), "Nothing is covered"),
        (lambda: s.Brushed.of(torch.full((3, 3), 2.0)), r"\[0, 1\] is needed"),
        (lambda: s.Brushed.of(torch.tensor([[float("nan")]])), r"\[0, 1\] is needed"),
        (lambda: s.Brushed(4, 4, "eNr7DwABAAEA"), "damaged"),
        (lambda: s.Brushed(1, 1, "no base64 at all"), "damaged"),
        (lambda: s.Brushed(10**6, 10**6, ""), "too large"),
        (lambda: s.Brushed(0, 1, ""), "at least 1"),
        (lambda: s.Ellipse("round"), "exact or sampled"),
        (lambda: s.Sticker(1, 0, 0, 0.5, 2), "covers nothing"),
        (lambda: s.Sticker(1, float("inf"), 0, 2, 2), "Give a number"),
        (lambda: s.Sticker(1, 0, 0, 2, 2, angle=float("nan")), "Give a number"),
    ],
)
def test_bad_shapes_are_refused_in_a_sentence(make: Callable[[], object], says: str) -> None:
    with pytest.raises(GibbonError, match=says) as raised:
        make()
    assert str(raised.value).endswith(".")


def test_a_polygon_of_points_covers_them() -> None:
    corners = [(3.5, 2.0), (11.0, 4.5), (6.0, 9.0)]
    sticker = s.around(7, corners)
    assert (sticker.x, sticker.y, sticker.right, sticker.bottom) == (3.5, 2, 11, 9)
    area = float(s.coverage(sticker, 12, 12).sum())
    assert area == pytest.approx(abs((7.5 * 7 - 2.5 * 2.5) / 2), abs=1e-4)


def test_earlier_ellipses_keep_their_sampled_edge() -> None:
    then = {"kind": "ellipse", "parameters": {}}
    content = {"stickers": [{"shape": then}, {"shape": None}], "elsewhere": {"kind": "ellipse", "parameters": {"edge": "exact"}}}
    now = with_sampled_edges(content)
    assert now["stickers"][0]["shape"]["parameters"] == {"edge": "sampled"}
    assert now["elsewhere"] == content["elsewhere"]
    assert then["parameters"] == {}


def test_a_rotated_sticker_and_its_content_come_back_from_a_record() -> None:
    image = torch.rand(3, 12, 12, generator=torch.Generator().manual_seed(5))
    for shape in ALL.values():
        (sticker,) = s.with_content([s.Sticker(1, 2.5, 3, 6, 5, s.Optimised(), 0.5, "tilted", shape, -40)], image)
        back = StickerEntry.model_validate_json(StickerEntry.of(sticker).model_dump_json()).sticker()
        assert replace(back, content=s.Colour()) == replace(sticker, content=s.Colour())
        assert torch.equal(s.paint(image * 0, [back]), s.paint(image * 0, [sticker]))


# ---------------------------------------------------------------------- handles of rotated stickers


@pytest.mark.parametrize("handle", s.HANDLES)
@pytest.mark.parametrize("angle", [30, -75, 90, 180])
def test_the_opposite_side_of_a_rotated_sticker_stays(handle: s.Handle, angle: float) -> None:
    sticker = s.Sticker(1, 10, 12, 8, 6, angle=angle)
    opposite: dict[str, s.Handle] = {"nw": "se", "n": "s", "ne": "sw", "e": "w", "se": "nw", "s": "n", "sw": "ne", "w": "e"}
    x, y = s.handle_position(sticker, handle)
    pulled = s.resized(sticker, handle, x + 3.3, y + 1.8)
    assert s.handle_position(pulled, opposite[handle]) == pytest.approx(s.handle_position(sticker, opposite[handle]), abs=1e-9)
    assert (pulled.width, pulled.height) == (round(pulled.width), round(pulled.height))
    same = s.resized(sticker, handle, x, y)
    assert (same.x, same.y, same.width, same.height) == pytest.approx((sticker.x, sticker.y, sticker.width, sticker.height))


def test_a_sticker_looks_where_it_is_pointed() -> None:
    sticker = s.Sticker(1, 10, 10, 4, 4)
    assert s.pointed(sticker, 12, -5).angle == 0
    assert s.pointed(sticker, 40, 12).angle == 90
    assert s.pointed(sticker, 12, 50).angle == 180
    assert s.pointed(sticker, 20, 3, snapped=True).angle % 15 == 0
    assert s.pointed(sticker, 12, 12) == sticker


def test_rotated_stickers_are_hit_by_their_shape() -> None:
    sticker = s.Sticker(1, 0, 8, 20, 4, angle=90)
    assert s.contains(sticker, 10, 1)
    assert not s.contains(sticker, 1, 10)
