"""Figures: every panel at every width, no text cut or overprinted, provenance inside the file, arrays as they were."""

from __future__ import annotations

import itertools
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

import engine
from engine import attacks, figures
from engine.errors import GibbonError
from engine.figures.style import number, text_width, wrap
from engine.text.formatting import format_probability, format_share
from tests.engine.conftest import small_network

NAMES = ["Stop", "End of no overtaking by lorries", "Donaudampfschifffahrtsgesellschaftskapitän", "100 % $x_1$ <b>&", "Yield"]
ALL = list(figures.panel_titles())


@pytest.fixture(scope="module")
def classifier() -> engine.Classifier:
    return engine.Classifier(small_network(), NAMES, (3, 8, 8), name="small", device="cpu")


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(3))


@pytest.fixture(scope="module")
def result(classifier: engine.Classifier, images: torch.Tensor) -> engine.AttackResult:
    labels = classifier.predict(images)
    return engine.run(attacks.PGD(eps=8 / 255, steps=6), classifier, images, labels=labels)


@pytest.fixture(scope="module")
def targeted(classifier: engine.Classifier, images: torch.Tensor) -> engine.AttackResult:
    return engine.run(attacks.PGD(eps=0.2, steps=5), classifier, images, targets=(classifier.predict(images) + 1) % 5)


@pytest.mark.parametrize(
    ("attack", "aimed", "name"),
    [
        (attacks.PGD(steps=1), False, "cross-entropy"),
        (attacks.PGD(steps=1), True, "−cross-entropy"),
        (attacks.PGD(steps=1, loss="stable-ce"), True, "−cross-entropy"),
        (attacks.PGD(steps=1, loss="margin"), True, "margin"),
        (attacks.FGSM(towards="least likely"), False, "−cross-entropy"),
        (attacks.DeepFool(), False, "margin"),
        (attacks.Square(loss="margin", n_queries=10), False, "margin"),
    ],
)
def test_the_loss_axis_names_what_was_raised(
    classifier: engine.Classifier, images: torch.Tensor, attack: engine.Attack, aimed: bool, name: str
) -> None:
    labels = classifier.predict(images)
    made = engine.run(attack, classifier, images, labels, (labels + 1) % 5 if aimed else None)
    subject = figures.subject_of(made)
    assert subject.loss_name == name
    assert subject.loss is not None
    assert (subject.loss <= 0).all() or not name.startswith("−")  # a cross-entropy is never below 0


def test_the_flip_is_marked_at_its_step_where_numbers_are_left_out(classifier: engine.Classifier, images: torch.Tensor) -> None:
    """Carlini and Wagner's attack goes on with the number of the next round where a round ends early."""
    result = engine.run(attacks.CarliniWagnerL2(rounds=3, steps=40, boundary_steps=0), classifier, images[:1])
    subject = figures.subject_of(result)
    assert subject.loss is not None
    assert subject.loss_steps is not None
    assert len(subject.loss) == len(subject.loss_steps) < subject.loss_steps[-1]
    (panel,) = figures.panels_of(subject, ["loss"])
    made = figures.compose([panel])
    axes = next(axes for axes in made.axes if axes.get_xlabel() == "step")
    curve, mark = axes.lines[:2]
    assert list(curve.get_xdata()) == subject.loss_steps.tolist()
    assert int(mark.get_xdata()[0]) == int(result.steps_to_flip[0])
    assert axes.get_xlim()[1] >= subject.loss_steps[-1]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


def spilled(figure: Figure) -> list[str]:
    """What reaches over the page's edge or over other text."""
    figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent()) for text in figure.texts]
    page = figure.bbox
    out = [name for name, box in boxes if box.x0 < page.x0 or box.x1 > page.x1 or box.y0 < page.y0 or box.y1 > page.y1]
    for axes in figure.axes:
        tight = axes.get_tightbbox()
        assert tight is not None
        if tight.x0 < page.x0 - 0.5 or tight.x1 > page.x1 + 0.5 or tight.y0 < page.y0 - 0.5 or tight.y1 > page.y1 + 0.5:
            out.append(f"axes {axes.get_ylabel()}")
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        across, down = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        if across > 1 and down > 0.25 * min(a.height, b.height):  # descenders may touch the next line's ascenders
            out.append(f"{one} over {other}")
    return out


@pytest.mark.parametrize(("width", "columns", "dark"), [(85.0, None, False), (174.0, None, True), (60.0, 2, False), (120.0, 4, False)])
def test_all_panels_fit_their_page(targeted: engine.AttackResult, width: float, columns: int | None, dark: bool) -> None:
    note = figures.note_for(targeted, reference="generated:signs")
    figure = figures.compose(figures.panels_for(targeted, 0, ALL), width_mm=width, columns=columns, dark=dark, note=note)
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(width)
    assert spilled(figure) == []
    assert all(7 <= text.get_fontsize() <= 8 for text in figure.texts)


def test_spilled_sees_what_is_cut(result: engine.AttackResult) -> None:
    figure = figures.compose(figures.panels_for(result), width_mm=60)
    figure.text(0.95, 0.5, "this cannot fit")
    assert spilled(figure)


@pytest.mark.parametrize("name", ALL)
def test_each_panel_stands_alone(targeted: engine.AttackResult, name: str) -> None:
    panels = figures.panels_for(targeted, 1, [name])
    assert len(panels) == (2 if name in engine.explain.CATALOGUE else 1)
    assert spilled(figures.compose(panels, width_mm=85)) == []


def test_captions_own_up(result: engine.AttackResult, targeted: engine.AttackResult) -> None:
    known, assumed = figures.panels_for(result, 0, ["clean"]), figures.panels_for(targeted, 0, ["clean"])
    assert "assumed" not in known[0].caption
    assert "assumed" in assumed[0].caption
    note = figures.note_for(targeted, reference="generated:signs")
    assert f"seed {targeted.provenance['seed']}" in note
    assert "assumed" in note
    assert "drawn signs" in note
    assert "drawn by a program" in note
    probability = float(result.clean_logits[0].softmax(0).max())
    assert format_probability(probability).replace(" ", "\N{NO-BREAK SPACE}") in known[0].caption


def test_what_is_grown_from_noise_shows_no_perturbation(classifier: engine.Classifier, images: torch.Tensor) -> None:
    grown = engine.run(attacks.CATALOGUE["fooling"](steps=1), classifier, images, targets=torch.tensor([1, 2]))
    titles = [panel.title for panel in figures.panels_for(grown, 0, ["clean", "adversarial", "perturbation"])]
    assert titles == ["Clean", "Adversarial"]
    assert "grown from noise" in figures.note_for(grown)
    with pytest.raises(engine.GibbonError, match="grown from noise"):
        figures.panels_for(grown, 0, ["perturbation"])


def test_perturbation_has_symmetric_printed_limits_and_norms_in_the_same_unit(result: engine.AttackResult) -> None:
    (panel,) = figures.panels_for(result, 0, ["perturbation"])
    assert isinstance(panel, figures.SignedMapPanel)
    strongest = result.perturbation[0].abs().amax(0)
    assert np.allclose(np.abs(panel.values), strongest.numpy())
    assert panel.low == -panel.high == -float(strongest.max())
    assert "gain" not in panel.caption
    assert f"L∞\N{NO-BREAK SPACE}8/255, L2\N{NO-BREAK SPACE}{float(result.norms['l2'][0]):.3g}" in panel.caption
    shown = texts(figures.compose([panel]))
    assert "+8/255" in shown
    assert "−8/255" in shown


def test_an_unchanged_image_can_be_shown(classifier: engine.Classifier, images: torch.Tensor) -> None:
    observation = engine.explain.observe(classifier, images[0], images[0], explanations=figures.explanations_in(ALL))
    subject = figures.Subject(observation, classifier.labels)
    names = [name for name in ALL if name != "loss"]
    assert spilled(figures.compose(figures.panels_of(subject, names))) == []
    with pytest.raises(engine.GibbonError, match="without an attack"):
        figures.panels_of(subject, ["loss"])


def test_saliency_maps_share_one_scale(result: engine.AttackResult) -> None:
    one, other = figures.panels_for(result, 0, ["saliency"])
    assert isinstance(one, figures.SaliencyPanel)
    assert isinstance(other, figures.SaliencyPanel)
    assert (one.low, one.high) == (other.low, other.high)
    assert one.high == max(np.quantile(one.values, 0.995), np.quantile(other.values, 0.995))
    assert {one.limits(), other.limits()} <= {("0", number(one.high)), ("0", f"≥ {number(one.high)}")}
    assert any("≥" in panel.limits()[1] for panel in (one, other))


def test_label_and_target_are_always_among_the_bars() -> None:
    clean, adversarial = np.array([0.5, 0.3, 0.15, 0.04, 0.01], np.float32), np.array([0.1, 0.6, 0.2, 0.06, 0.04], np.float32)
    panel = figures.BarsPanel(title="", names=NAMES, clean=clean, adversarial=adversarial, label=4, target=3, top=3)
    assert panel.classes() == [1, 3, 4]
    assert figures.BarsPanel(title="", names=NAMES, clean=clean, adversarial=adversarial, top=2).classes() == [1, 0]
    assert figures.BarsPanel(title="", names=NAMES, clean=clean, adversarial=adversarial, top=99).classes() == [1, 0, 2, 3, 4]


def test_histogram_counts_every_unit_of_the_named_layer(result: engine.AttackResult) -> None:
    site = result.classifier.sites[1]
    (panel,) = figures.panels_for(result, 0, [f"histogram:{site.name}"])
    assert isinstance(panel, figures.HistogramPanel)
    assert panel.clean.sum() == panel.adversarial.sum() == np.prod(site.shape)
    with pytest.raises(engine.GibbonError, match="no layer “nope”"):
        figures.panels_for(result, 0, ["histogram:nope"])


@pytest.mark.parametrize("names", [["nope"], [], ["clean:first"]])
def test_unknown_panels_are_refused(result: engine.AttackResult, names: list[str]) -> None:
    with pytest.raises(engine.GibbonError, match="Choose among clean"):
        figures.panels_for(result, 0, names)


def test_impossible_pages_are_refused(result: engine.AttackResult) -> None:
    panels = figures.panels_for(result)
    for width in (5.0, 2000.0):
        with pytest.raises(engine.GibbonError, match="mm wide"):
            figures.compose(panels, width_mm=width)
    for columns in (0, 40):
        with pytest.raises(engine.GibbonError, match="columns do not fit"):
            figures.compose(panels, columns=columns)
    with pytest.raises(engine.GibbonError, match="at least one panel"):
        figures.compose([])
    with pytest.raises(engine.GibbonError, match="no row 2"):
        figures.panels_for(result, 2)


PROVENANCE = {
    "model": {"name": "small", "fingerprint": "ab"},
    "operation": {"slug": "pgd"},
    "seed": 3,
    "label": "(“é”\\)",
    "pixels": "x" * 600_000,
}


def _embedded(path: Path) -> str:
    if path.suffix == ".png":
        return str(Image.open(path).text["gibbon"])  # type: ignore[attr-defined]
    if path.suffix == ".svg":
        found = ET.parse(path).getroot().find(".//{http://purl.org/dc/elements/1.1/}description")
        assert found is not None
        return str(found.text)
    match = re.search(rb"/Keywords \((.*?)(?<!\\)\)\s*(?:/|>>)", path.read_bytes(), re.DOTALL)
    assert match is not None
    return re.sub(r"\\(.)", r"\1", match[1].decode("ascii"))


@pytest.mark.parametrize("suffix", [".pdf", ".svg", ".png"])
def test_provenance_is_in_the_file_and_beside_it(result: engine.AttackResult, tmp_path: Path, suffix: str) -> None:
    figure = figures.compose(figures.panels_for(result, 0, ["clean", "bars"]))
    path, sidecar = figures.export(figure, tmp_path / f"figure{suffix}", PROVENANCE)
    assert json.loads(sidecar.read_text("utf-8")) == PROVENANCE
    slim = PROVENANCE | {"pixels": f"see figure{suffix}.json"}
    assert json.loads(_embedded(path)) == slim
    assert sorted(p.name for p in tmp_path.iterdir()) == [path.name, sidecar.name]


@pytest.mark.parametrize("suffix", [".pdf", ".svg", ".png"])
def test_an_anonymous_figure_does_not_carry_its_own_name(result: engine.AttackResult, tmp_path: Path, suffix: str) -> None:
    from engine.record import carried

    figure = figures.compose(figures.panels_for(result, 0, ["clean"]))
    whole = PROVENANCE | {"figure": {"left_out": ["names"]}}
    path, sidecar = figures.export(figure, tmp_path / f"smith{suffix}", whole)
    assert b"smith" not in path.read_bytes()
    assert carried(path) == whole  # which is found beside the file, also under another name
    renamed = path.rename(tmp_path / f"paper{suffix}")
    with pytest.raises(engine.GibbonError, match=rf"are in “paper{suffix}\.json”"):
        carried(renamed)
    sidecar.rename(tmp_path / f"paper{suffix}.json")
    assert carried(renamed) == whole


def test_text_stays_text(result: engine.AttackResult, tmp_path: Path) -> None:
    figure = figures.compose(figures.panels_for(result, 0, ["clean", "perturbation"]))
    pdf, _ = figures.export(figure, tmp_path / "a.pdf", {})
    assert b"/Type3" not in pdf.read_bytes()
    assert b"/FontFile2" in pdf.read_bytes()
    svg, _ = figures.export(figure, tmp_path / "a.svg", {})
    words = ["".join(node.itertext()) for node in ET.parse(svg).getroot().iter("{http://www.w3.org/2000/svg}text")]
    assert "−8/255" in words


def test_png_has_300_dots_per_inch(result: engine.AttackResult, tmp_path: Path) -> None:
    path, _ = figures.export(figures.compose(figures.panels_for(result), width_mm=85), tmp_path / "a.png", {})
    assert Image.open(path).size[0] == int(85 / 25.4 * 300)


def test_a_bound_is_looked_at_and_marked_in_its_layer(result: engine.AttackResult) -> None:
    first, *others = [site.name for site in result.classifier.sites]
    subject = figures.subject_of(result, 0, bounds={first: 0.125})
    assert subject.observation.bounded is not None
    pair = torch.stack([result.clean[0], result.adversarial[0]])
    assert torch.allclose(subject.observation.bounded.adversarial, result.classifier.derive(bounds={first: 0.125})(pair).softmax(1)[1])
    panels = figures.panels_for(result, 0, [f"histogram:{name}" for name in (first, *others)], bounds={first: 0.125})
    assert [panel.bound for panel in panels] == [0.125, *[None] * len(others)]  # type: ignore[attr-defined]


def test_pixels_are_shown_as_they_are(result: engine.AttackResult, tmp_path: Path) -> None:
    path, _ = figures.export(figures.compose(figures.panels_for(result, 0, ["clean"]), width_mm=85), tmp_path / "a.png", {})
    colours = {tuple(c) for c in np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3)}
    pixels = {tuple(c) for c in (result.clean[0] * 255).to(torch.uint8).permute(1, 2, 0).reshape(-1, 3).tolist()}
    near = [min(max(abs(int(a) - int(b)) for a, b in zip(pixel, colour, strict=True)) for colour in colours) for pixel in pixels]
    assert max(near) <= 1  # every pixel's own colour is there: nothing was smoothed away


def test_a_failed_export_leaves_the_old_file(result: engine.AttackResult, tmp_path: Path) -> None:
    figure = figures.compose(figures.panels_for(result))
    with pytest.raises(engine.GibbonError, match="does not end in"):
        figures.export(figure, tmp_path / "a.gif", {})
    with pytest.raises(engine.GibbonError, match="cannot be written"):
        figures.export(figure, tmp_path / "missing" / "a.pdf", {})
    old = tmp_path / "a.png"
    old.write_text("old")
    with pytest.raises(TypeError):
        figures.export(figure, old, {"odd": {1, 2}})
    assert old.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_arrays_come_back(result: engine.AttackResult, tmp_path: Path) -> None:
    mask = np.zeros((8, 8), np.float32)
    mask[2:4] = 1
    path = figures.export_arrays(tmp_path / "a.npz", result, 1, mask)
    with np.load(path, allow_pickle=False) as arrays:
        assert set(arrays) == {"clean", "adversarial", "perturbation", "clean_logits", "adversarial_logits", "mask"}
        assert np.array_equal(arrays["adversarial"], result.adversarial[1].numpy())
        assert np.array_equal(arrays["perturbation"], arrays["adversarial"] - arrays["clean"])
        assert np.array_equal(arrays["adversarial_logits"], result.logits[1].numpy())
        assert np.array_equal(arrays["mask"], mask)
    with pytest.raises(engine.GibbonError, match="npz"):
        figures.export_arrays(tmp_path / "a.zip", result)


@settings(max_examples=40, deadline=None)
@given(st.text(st.sampled_from("abcWM .,%(é"), max_size=60), st.floats(8, 60))
def test_wrapped_text_fits_and_loses_nothing(text: str, width: float) -> None:
    lines = wrap(text, width)
    assert all(text_width(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_limits_are_written_as_people_write_them() -> None:
    assert number(float(np.float32(8 / 255))) == "8/255"
    assert number(-8 / 255) == "−8/255"
    assert number(0.902) == "0.902"
    assert number(0.0) == "0"
    assert number(1234.0) == "1230"


def test_a_percent_sign_stays_with_its_number() -> None:
    from engine.figures.style import text_width, wrap

    width = text_width("panda 99.8") + 0.5
    assert wrap("panda 99.8 %", width) == ["panda", "99.8 %"]


@pytest.mark.parametrize(("view", "count"), [("", 1), ("strongest", 1), ("mean", 1), ("channels", 3), ("colour", 1)])
def test_the_perturbation_is_shown_in_the_view_that_is_chosen(result: engine.AttackResult, view: str, count: int) -> None:
    panels = figures.panels_for(result, 0, [f"perturbation:{view}" if view else "perturbation"])
    delta = (result.adversarial - result.clean)[0].numpy()
    assert len(panels) == count
    if view == "channels":
        for panel, values in zip(panels, delta, strict=True):
            assert np.array_equal(panel.values, values)
            assert panel.high == pytest.approx(np.abs(delta).max())
    elif view == "mean":
        assert np.allclose(panels[0].values, delta.mean(0))
    elif view == "colour":
        assert np.allclose(panels[0].image, 0.5 + delta / (4 * np.abs(delta).max()), atol=1e-6)  # room, so that no colour is at its end
    else:
        assert np.allclose(np.abs(panels[0].values), np.abs(delta).max(0))


def test_a_view_of_the_perturbation_that_there_is_not_is_refused(result: engine.AttackResult) -> None:
    with pytest.raises(GibbonError, match="There is no view “sideways”"):
        figures.panels_for(result, 0, ["perturbation:sideways"])
    with pytest.raises(GibbonError, match="There is no panel “clean:mean”"):
        figures.panels_for(result, 0, ["clean:mean"])


# ---------------------------------------------------------------------- what a reviewer of a paper asked for


def test_a_gain_that_cuts_values_says_how_many(result: engine.AttackResult) -> None:
    (panel,) = figures.panels_for(result, 0, ["perturbation"], gain=100)
    assert isinstance(panel, figures.SignedMapPanel)
    assert panel.high == 1 / 100
    cut = float((result.perturbation[0].abs().amax(0) > 0.01).float().mean())
    assert f"{format_share(cut)} beyond the scale".replace(" %", "\N{NO-BREAK SPACE}%") in panel.caption
    assert panel.limits() == ("≤ −2.55/255" if number(0.01) == "2.55/255" else "≤ −0.01", f"≥ +{number(0.01)}")
    (auto,) = figures.panels_for(result, 0, ["perturbation"])
    assert "≥" not in "".join(auto.limits())  # type: ignore[attr-defined]


def test_a_picture_of_few_colours_says_so(classifier: engine.Classifier, images: torch.Tensor) -> None:
    made = engine.run(attacks.FGSM(eps=8 / 255), classifier, images * 0.5 + 0.25, classifier.predict(images * 0.5 + 0.25))
    (panel,) = figures.panels_for(made, 0, ["perturbation"])
    assert "100.0\N{NO-BREAK SPACE}% at ±8/255" in panel.caption
    (colour,) = figures.panels_for(made, 0, ["perturbation:colour"])
    assert "at ±" not in colour.caption
    assert 0.2 < colour.image.min() < colour.image.max() < 0.8  # type: ignore[attr-defined]


def test_both_maps_of_an_explanation_mark_their_ends_alike(result: engine.AttackResult) -> None:
    for slug in engine.explain.CATALOGUE:
        one, other = figures.panels_for(result, 0, [slug])
        assert one.limits() == other.limits(), slug  # type: ignore[attr-defined]
        assert one.title != other.title
        assert ", clean" in one.title
        assert ", adversarial" in other.title


def test_small_print_names_everything_a_reader_needs() -> None:
    signs = engine.models.load("signs")
    image = engine.images.samples()[0].open().crop_to(signs)[None]
    labels, targets = signs.predict(image), (signs.predict(image) + 1) % 43
    note = figures.note_for(engine.run(attacks.PGD(eps=8 / 255, steps=3), signs, image, targets=targets)).replace("\N{NO-BREAK SPACE}", " ")
    assert "accuracy 98.21 % on GTSRB's test set" in note
    assert f"PGD (projected gradient descent) towards “{signs.labels[int(targets[0])]}”" in note
    assert "L∞ norm, eps 8/255, 3 steps" in note
    assert "measured from the clean image: L∞ 8/255, L2 " in note
    assert "linf" not in note
    wrong = engine.run(attacks.PGD(steps=1), signs, image, labels=targets)
    assert "misread the clean image already before the attack" in figures.note_for(wrong)
    assert "no success of the attack" in figures.note_for(wrong)
    assert "misread" not in figures.note_for(engine.run(attacks.PGD(steps=1), signs, image, labels=labels))
    bounded = signs.derive(bounds={signs.sites[0].name: 0.5})
    assert "before it was changed" in figures.note_for(engine.run(attacks.PGD(steps=1), bounded, image))
    told = figures.note_for(wrong, measured_from="the image with 2 stickers")
    assert "measured from the image with 2 stickers" in told


@pytest.mark.parametrize("font", list(figures.FONTS))
@pytest.mark.parametrize("size", [5.0, 10.0])
def test_every_font_and_size_fits(targeted: engine.AttackResult, font: figures.Font, size: float) -> None:
    figure = figures.compose(figures.panels_for(targeted, 0, ALL), width_mm=120, note=figures.note_for(targeted), font=font, size=size)
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(120)
    assert spilled(figure) == []
    assert {round(text.get_fontsize(), 3) for text in figure.texts} == {size, round(size * 7.5 / 7, 3)}
    from engine.figures.fonts import families

    assert all(tuple(text.get_fontfamily())[: len(families(font))] == families(font) for text in figure.texts)
    assert families("sans") != families("serif")


def test_fonts_sizes_and_gains_that_there_are_not_are_refused(result: engine.AttackResult) -> None:
    panels = figures.panels_for(result)
    with pytest.raises(GibbonError, match="no font “comic”"):
        figures.compose(panels, font="comic")  # type: ignore[arg-type]
    with pytest.raises(GibbonError, match="Text of 40 points"):
        figures.compose(panels, size=40)
    with pytest.raises(GibbonError, match="does not fit into 30 mm"):
        figures.compose(panels, size=14, width_mm=30)


def test_a_key_has_no_orphan() -> None:
    from engine.figures.page import Key, _key_lines

    for count in range(1, 9):
        keys = [Key(name, "#000000") for name in ("clean", "adversarial", "label (assumed)", "target", "a", "bb", "ccc", "dddd")[:count]]
        for width in range(10, 120, 4):
            lines = _key_lines(keys, width)
            assert [key for line in lines for key in line] == keys
            assert len(lines) == 1 or len({len(line) for line in lines}) == 1 or len(lines[-1]) > 1


def test_plots_fill_their_row_and_pictures_leave_few_holes(targeted: engine.AttackResult) -> None:
    from engine.figures.layout import arrange

    for width in (85.0, 120.0, 174.0):
        sheet = arrange(figures.panels_for(targeted, 0, ALL), width_mm=width)
        rows: dict[float, list[float]] = {}
        for place in sheet.placed:
            end = (
                place.caption_top + 3.0 * len(place.caption)
                if place.caption
                else place.box.top + place.box.height + place.panel.foot(place.box.width)
            )
            rows.setdefault(place.title_top, []).append(end if place.panel.stretches else 0)
        for ends in rows.values():
            plots = [end for end in ends if end]
            assert max(plots, default=0) - min(plots, default=0) < 1, width  # all plots of a row end at one height
    four = arrange(figures.panels_for(targeted, 0, ["clean", "adversarial", "saliency"]), width_mm=85)
    assert len({place.box.left for place in four.placed}) == 2  # two rows of two, not three and one


def test_the_caption_for_latex_is_escaped(targeted: engine.AttackResult) -> None:
    panels = figures.panels_for(targeted, 0, ALL)
    caption = figures.latex_caption(panels, figures.note_for(targeted))
    assert caption.startswith(r"\caption{\textbf{(a)} Clean")
    assert caption.count("{") == caption.count("}")
    assert r"100~\% \$x\_1\$ \textless{}b\textgreater{}\&" in caption
    assert r"$L_\infty$" in caption
    bare = re.sub(r"\\(?:[a-z]+|[&%$#_{}])", "", caption)
    assert not set("&#%∞−±×≥≤“”") & set(bare)
    assert bare.count("$") % 2 == 0
    assert r"\textbf{(a)}" not in figures.latex_caption(panels, letters=False)


def test_special_characters_are_escaped_for_latex() -> None:
    from engine.figures.latex import escaped

    assert escaped("a_b & 5 % {x} ~ ^ \\ # $") == (r"a\_b \& 5 \% \{x\} \textasciitilde{} \textasciicircum{} \textbackslash{} \# \$")
    assert escaped("“−8/255” ± ∞ × → …") == r"``$-$8/255'' $\pm$ $\infty$ $\times$ $\to$ \ldots{}"
    assert escaped("停 ü") == "停 ü"


def test_a_plan_holds_every_choice_and_comes_back_from_a_sidecar(result: engine.AttackResult) -> None:
    plan = figures.FigurePlan(panels=("clean", "perturbation"), view="channels", gain=20, font="serif", size=8, anonymous=True)
    kept = json.loads(json.dumps({**plan.model_dump(mode="json"), "caption": "x", "same_bits": True}))
    assert figures.FigurePlan.of(kept) == plan
    panels = plan.panels_of(figures.subject_of(result))
    assert [panel.title for panel in panels] == ["Clean", "Perturbation, red", "Perturbation, green", "Perturbation, blue"]
    assert {panel.high for panel in panels[1:]} == {1 / 20}  # type: ignore[attr-defined]
    assert not any("L2" in panel.caption for panel in panels)  # they stand in the small print
    assert any("L2" in panel.caption for panel in plan.model_copy(update={"note": False}).panels_of(figures.subject_of(result)))
