"""The tour's second part: every attack of the catalogue is chosen by a click and run, and the Results dock shows its artifacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.gui.tour.tour import Tour

BRIEF: dict[str, dict[str, Any]] = {
    "one-pixel": {"population": 60, "steps": 20},
    "one-pixel-map": {"levels": 2},
    "universal": {"steps": 20, "count": 160, "held_out": 80},
    "square": {"n_queries": 400},
    "rp2": {"steps": 20, "search_steps": 10, "samples": 8, "fresh": 20},
    "proximity": {"curve": 6},
    "substitute": {"seeds": 60, "rounds": 4, "held_out": 100, "eps": 0.1},
}
"""Parameters that shorten slow attacks; those that an attack does not have are ignored."""
PATIENCE = 40.0
"""Seconds after which an attack is cancelled; the picture then shows its best iterate."""


def catalogue(tour: Tour) -> None:
    from tests.gui.driving import click, settle

    chooser = tour.window.spine.attack
    click(chooser)
    settle()
    tour.picture("catalogue", chooser.popup, at=tour.window.mapFromGlobal(chooser.popup.pos()))
    click(chooser.list.norms.buttons["l0"])
    settle()
    tour.picture("catalogue-l0", chooser.popup, at=tour.window.mapFromGlobal(chooser.popup.pos()))
    chooser.popup.hide()


def eps(tour: Tour) -> None:
    from PySide6.QtCore import QPoint
    from PySide6.QtWidgets import QStyle, QStyleOptionSlider

    from tests.gui.attack_dock import attack_dock
    from tests.gui.driving import choose_attack, drag, run_attack, settle, until

    _begin(tour)
    choose_attack(tour.bench, "FGSM")
    tour.window.bring_up("results")
    run_attack(tour.bench)
    slider = attack_dock(tour.bench).slider
    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    control, handle = QStyle.ComplexControl.CC_Slider, QStyle.SubControl.SC_SliderHandle
    start = slider.style().subControlRect(control, option, handle, slider).center()
    moved: list[float] = []
    tour.session.eps.moved.connect(moved.append)

    def between(place: int) -> None:
        if place == 12:
            until(lambda: moved, "another eps")
            settle()
            tour.picture("eps-under-the-mouse", moving=True)

    drag(slider, [QPoint(start.x() - 3 * i, start.y()) for i in range(15)], between)
    until(lambda: len(tour.session.history.entries) > 1 and tour.session.history.shown is tour.session.history.entries[-1], "the kept run")
    settle()
    tour.picture("eps-kept")


def _begin(tour: Tour) -> None:
    """Open the tour's first sample again, without stickers or perturbation."""
    from gui.session.open_image import open_path
    from gui.session.swap_model import samples_for
    from tests.gui.driving import settle, until

    session = tour.session
    assert session.classifier is not None
    sample = next(sample for sample in samples_for(session.classifier) if sample.label_name == "Stop" and sample.size == 32)
    before = session.clean
    session.set_bounds({})
    open_path(session, sample.path, sample.label)
    until(lambda: session.clean is not before and session.frame is not None and session.frame.scene.clean is session.clean, "the sample")
    session.set_target(None)
    tour.window.canvas.set_tool("select")
    settle()


def attacks(tour: Tour) -> None:
    from engine.attacks import CATALOGUE

    for slug, attack in CATALOGUE.items():
        if "mask" not in attack.needs:  # the story shows what is on a sticker
            _run(tour, slug, attack)


def _run(tour: Tour, slug: str, attack: Any) -> None:
    from gui.session.swap_model import samples_for
    from tests.gui.attack_dock import attack_dock
    from tests.gui.driving import choose_attack, settle

    session, panel = tour.session, attack_dock(tour.bench)
    session.clear_perturbation()
    assert session.classifier is not None
    labels = session.classifier.labels
    session.set_target(labels.index("Yield") if "targets" in attack.needs else None)
    choose_attack(tour.bench, attack.title)
    if "data" in attack.uses:
        panel.data.choose("generated:signs")
        panel.data.count.setValue(240)
    if "start" in attack.uses and panel.start_field.isVisibleTo(panel.panel):
        _start_at(tour, next(sample for sample in samples_for(session.classifier) if sample.label_name == "Yield"))
    form = panel.form
    known = {field.name for field in form.fields}
    form.set_values({name: value for name, value in BRIEF.get(slug, {}).items() if name in known})
    if slug == "saved-perturbation":
        _use_saved(tour, form)
    if slug == "ready-patch":
        _use_patch(tour, form)
    settle()
    assert panel.can_run, (slug, panel.message.text)
    _to_its_end(tour, slug)
    tour.window.bring_up("results")
    tour.picture(f"attack-{slug}")
    tabs = tour.window.panels["results"].tabs
    for index in range(1, tabs.count() - 1):  # the last tab is the loss, which other pictures show
        tabs.setCurrentIndex(index)
        tour.picture(f"attack-{slug}-{index}")


def _to_its_end(tour: Tour, slug: str) -> None:
    from tests.gui.driving import Late, press_keys, settle, until

    session = tour.session
    before = len(session.history.entries)
    press_keys(tour.window, "F5")
    try:
        until(lambda: len(session.history.entries) > before and not session.runs.running, slug, PATIENCE)
    except Late:
        press_keys(tour.window, "Esc")
        until(lambda: len(session.history.entries) > before and not session.runs.running, f"the end of {slug}")
    until(lambda: session.frame is not None and session.frame.step is None, "the last frame")
    settle()


def _start_at(tour: Tour, sample: Any) -> None:
    from tests.gui.attack_dock import attack_dock
    from tests.gui.driving import until
    from tests.gui.panel_scenes import drop

    panel = attack_dock(tour.bench)
    drop(panel.start_field, sample.path)
    until(lambda: panel.start is not None, "the start image")


def _use_saved(tour: Tour, form: Any) -> None:
    """Use the universal perturbation of the former run, saved by the dock's own button."""
    from tests.gui.driving import until

    views = tour.window.panels["results"]._pool["perturbation"]
    view = next(view for view in views if view._perturbation is not None and "niversal" in view._perturbation.title)
    path = tour.out / "universal.safetensors"
    view.save_to(path)
    until(path.exists, "the saved perturbation")
    form.set_values({"file": str(path)})


def _use_patch(tour: Tour, form: Any) -> None:
    """Use a picture of stripes as a patch from a file."""
    import torch

    from engine.images import write_png

    path = tour.out / "stripes.png"
    write_png(path, torch.stack([torch.ones(10, 10), (torch.arange(10) % 2).float().expand(10, 10), torch.zeros(10, 10)]))
    form.set_values({"file": str(path)})


STAGES = (catalogue, eps, attacks)
