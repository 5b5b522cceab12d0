"""Workspaces: layouts that are exchanged, kept, restored and reset one at a time; the drawer, the tabs, news, and the canvas alone."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QTabBar, QToolBar, QToolButton, QWidget

from gui import theme
from gui.lanes.runner import OperationRunner
from gui.session.session import Session
from gui.shell.dock_title import MINIMUM_WIDTH
from gui.shell.docks import DOCKS
from gui.shell.main_window import MainWindow
from gui.shell.workspaces.placing import AREAS, LEAST, fitted, widths
from gui.shell.workspaces.spec import Column, WorkspaceSpec, layout_version
from gui.shell.workspaces.table import WORKSPACES
from tests.gui.driving import action, click, destroy, press_keys, run_attack, settle, until
from tests.gui.test_runner import counting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gui.app import Workbench
    from gui.settings import Settings


def slow(*values: object) -> object:
    """A case beside another one that is tested at every run."""
    return pytest.param(*values, marks=pytest.mark.slow)


NAMES = [spec.name for spec in WORKSPACES]
WITH_CANVAS = [spec.name for spec in WORKSPACES if spec.canvas]


@pytest.fixture
def windows(qapp: QApplication, settings: Settings) -> Iterator[Callable[..., MainWindow]]:
    """Makes windows one after another, as from one start to the next; their engine never loads."""
    made: list[MainWindow] = []

    def window(width: int = 1280, height: int = 800) -> MainWindow:
        if made:
            made[-1].close()
        made.append(MainWindow(Session(), settings, theme.Theme(qapp, settings.store)))
        made[-1].resize(width, height)
        made[-1].import_panels()
        made[-1].show()
        made[-1].fill()
        settle()
        if made[-1].height() > height:  # the first layout was made for the screen, which is higher: on a low one it has fewer places
            made[-1].resize(width, height)
            made[-1].workspaces.show_again()
            settle()
            made[-1].resize(width, height)
            settle()
        return made[-1]

    yield window
    for each in made:
        destroy(each)


def seen(window: MainWindow) -> set[str]:
    """The docks in sight."""
    return {name for name in window.docks if window.workspaces.tabs.in_sight(name)}


def tab_of(window: MainWindow, title: str) -> tuple[QTabBar, QPoint]:
    """The tab bar of docks that holds a title, and the middle of its tab."""
    for bar in window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
        for index in range(bar.count()):
            if bar.tabText(index) == title and bar.isVisible():
                return bar, bar.tabRect(index).center()
    raise AssertionError(f"no tab {title}")


# ---------------------------------------------------------------------- the table


@pytest.mark.parametrize("spec", WORKSPACES, ids=NAMES)
def test_a_workspace_names_docks_that_there_are_each_once(spec: WorkspaceSpec) -> None:
    assert len(set(spec.docks)) == len(spec.docks)
    assert set(spec.docks) <= {dock.name for dock in DOCKS}
    assert sum(bool(column.places) and len(column.places) for column in (spec.left, spec.right)) <= 4
    for column in spec.columns.values():
        assert not column.shares or len(column.shares) == len(column.places)


def test_every_dock_has_a_place_and_keys_of_its_own() -> None:
    assert {name for spec in WORKSPACES for name in spec.docks} == {dock.name for dock in DOCKS}
    keys = [dock.keys for dock in DOCKS]
    assert all(keys)
    assert len(set(keys)) == len(keys)


def test_the_version_of_a_layout_is_that_of_docks_and_places() -> None:
    spec = WorkspaceSpec("one", "One", "", "", left=Column((("attack",),)))
    moved = WorkspaceSpec("one", "One", "", "", right=Column((("attack",),)))
    renamed = WorkspaceSpec("one", "Another title", "mdi6.brain", "tip", left=Column((("attack",),)))
    assert len({layout_version(DOCKS, spec), layout_version(DOCKS[1:], spec), layout_version(DOCKS, moved)}) == 3
    three = WorkspaceSpec("one", "One", "", "", left=Column((("attack",), ("image",))), right=Column((("model",),)))
    assert len({layout_version(DOCKS, fitted(three, *size)) for size in [(1280, 800), (910, 800), (1280, 500)]}) == 3
    assert layout_version(DOCKS, renamed) == layout_version(DOCKS, spec)  # titles say nothing of where a dock is
    assert 0 <= layout_version(DOCKS, spec) < 2**31


# ---------------------------------------------------------------------- switching


def test_alt_and_a_number_exchange_the_workspace(bench: Workbench) -> None:
    window = bench.window
    frame, plan = bench.session.frame, bench.session.plan
    for number, spec in enumerate(WORKSPACES, 1):
        press_keys(window, f"Alt+{number}")
        settle()
        assert window.workspaces.current is spec
        assert action(bench, f"workspace_{spec.name}").isChecked()
        assert window.centre.isVisible() == spec.canvas
        fronts = {place[0] for column in (spec.left, spec.right) for place in column.places}
        assert fronts <= seen(window)
        assert {name for name in window.docks if not window.docks[name].isHidden()} <= set(spec.docks)
    press_keys(window, "Alt+1")
    assert bench.session.frame is frame  # one session under all of them
    assert bench.session.plan is plan


def test_the_rail_never_moves_and_its_buttons_have_names(bench: Workbench) -> None:
    rail = bench.window.findChild(QToolBar, "toolbar.rail")
    assert not rail.isMovable()
    assert rail.toggleViewAction().isEnabled() is False
    buttons = [button for button in rail.findChildren(QToolButton) if button.text()]
    assert [button.text() for button in buttons] == [*(spec.title for spec in WORKSPACES), "Drawer"]
    places = {}
    for name in NAMES:
        button = next(b for b in buttons if b.text().lower() == name)
        click(button)
        settle()
        assert bench.window.workspaces.current.name == name
        assert button.isChecked()
        assert button.accessibleName() == button.text()
        places[name] = rail.geometry().getRect()
    assert len(set(places.values())) == 1
    click(buttons[0])


SMALL = [(1000, 650), (910, 496), (720, 434)]
"""The last two are a laptop's 1366 x 768 at a scale of 1.5 and 1440 x 900 at 2, without the window's frame."""
LARGE = [(1279, 767), (1280, 800), (1366, 768), (1440, 900), (1920, 1080)]
MIDDLING = [(1280, 800), (1366, 768), (1440, 900), (1000, 650)]
"""Sizes between others that are tested at every run."""


@pytest.mark.parametrize("size", [slow(size) if size in MIDDLING else size for size in [*LARGE, *SMALL]], ids=str)
def test_every_workspace_fits_a_window_of_any_size(windows: Callable[..., MainWindow], size: tuple[int, int]) -> None:
    """No panel is under 260 px, no tab is cut to a few letters, and in a large window the canvas has two fifths of it."""
    window = windows(*size)
    for spec in WORKSPACES:
        window.workspaces.switch(spec.name)
        settle()
        assert_all_docks_fit(window, size, spec.name)
        assert_no_tab_is_cut(window, spec.name)
        if spec.canvas and size in LARGE:
            assert window.centre.width() * window.centre.height() >= 0.4 * size[0] * size[1], spec.name


def assert_all_docks_fit(window: MainWindow, size: tuple[int, int], name: str) -> None:
    assert window.size().toTuple() == size, name  # what does not fit makes a window grow
    least = window.minimumSizeHint()
    assert least.width() <= size[0], name
    assert least.height() <= size[1], name
    for shown in seen(window):
        dock = window.docks[shown]
        assert dock.width() >= MINIMUM_WIDTH, (name, shown)
        assert window.rect().contains(dock.geometry()), (name, shown)


def assert_no_tab_is_cut(window: MainWindow, name: str) -> None:
    for bar in window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
        for index in range(bar.count() if window.rect().intersects(bar.geometry()) else 0):
            text = bar.tabText(index)
            room = bar.tabRect(index).width() - 20  # the style sheet's padding
            assert room >= min(bar.fontMetrics().horizontalAdvance(text), 50), (name, text)


def test_columns_are_narrowed_no_more_than_the_canvas_needs() -> None:
    compare = next(spec for spec in WORKSPACES if spec.name == "compare")
    for width, height in [(1279, 767), (1280, 800), (1366, 768), (1600, 1000), (1920, 1080), (2560, 1440)]:
        for spec in WORKSPACES:
            found = widths(spec, width, height)
            for side, wide in found.items():
                assert wide >= (spec.columns[side].least or LEAST[side]), (spec.name, width)
            wanted = {side: widths(replace(spec, canvas=False), width, height)[side] for side in found}
            assert not spec.canvas or all(found[side] <= wanted[side] for side in found), (spec.name, width)
    assert widths(compare, 1279, 767)["right"] < round(0.265 * 1279)
    assert widths(compare, 1600, 1000)["right"] == round(0.265 * 1600), "there is room"


def test_switching_never_changes_the_size_of_the_window(windows: Callable[..., MainWindow]) -> None:
    """A window manager may round each size that it is asked for, so the window must not even grow and shrink back."""
    window = windows(1280, 800)
    handle = window.windowHandle()
    sizes: list[QSize] = []
    leasts: list[QSize] = []
    for signal in (handle.widthChanged, handle.heightChanged):
        signal.connect(lambda _: sizes.append(handle.size()))
    for signal in (handle.minimumWidthChanged, handle.minimumHeightChanged):
        signal.connect(lambda _: leasts.append(handle.minimumSize()))
    for step in (*(partial(window.workspaces.switch, name) for name in (*NAMES, *NAMES)), window.workspaces.reset):
        leasts.clear()
        step()
        settle()
        assert sizes == []
        assert len({size.width() for size in leasts}) <= 1, "the least size is told once, when the docks are in their places"
        assert window.minimumSize() == window.minimumSizeHint(), "and it is the true one"
    assert handle.baseSize() == window.baseSize() != QSize(0, 0), "steps of sizes are counted from a size that stays"


def test_no_panel_widens_its_column(windows: Callable[..., MainWindow]) -> None:
    window = windows(1280, 800)
    for spec in WORKSPACES:
        for side, least in LEAST.items():
            for name in spec.columns[side].docks:
                assert window.docks[name].minimumSizeHint().width() <= (spec.columns[side].least or least), name
    panel = window.panels["runs"]
    dock = window.docks["runs"]
    dock.setFloating(True)  # as wide and low as in a drawer, where its parts lie side by side
    dock.resize(800, 220)
    dock.show()
    settle()
    assert panel.width() > 700
    assert panel.minimumSizeHint().width() <= LEAST["left"] - 40


def test_the_drawer_stays_low_where_there_is_no_canvas(windows: Callable[..., MainWindow]) -> None:
    window = windows(1920, 1080)
    without = [spec for spec in WORKSPACES if not spec.canvas]
    assert without
    for spec in without:
        window.workspaces.switch(spec.name)
        settle()
        drawer = window.docks[window.workspaces.current.bottom.docks[0]]
        assert drawer.isVisible(), spec.name
        assert 150 <= drawer.height() <= 280, spec.name


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)], ids=str)
def test_nothing_jumps_from_the_first_paint_to_the_panels(qapp: QApplication, settings: Settings, size: tuple[int, int]) -> None:
    window = MainWindow(Session(), settings, theme.Theme(qapp, settings.store))
    window.resize(*size)
    window.workspaces.show_again()
    window.show()
    places, titles = [], []

    def note() -> None:
        parts = {name: window.docks[name] for name in sorted(seen(window))} | {"centre": window.centre, "spine": window.spine}
        places.append({name: part.geometry().getRect() for name, part in parts.items()})
        titles.append({name: window.docks[name].titleBarWidget().height() for name in sorted(seen(window))})

    note()
    window.import_panels()
    settle()
    note()
    window.fill()
    settle()
    note()
    window.session.change(ready=True)
    settle()
    note()
    assert places[1:] == places[:-1]
    assert titles[1:] == titles[:-1]
    destroy(window)


def test_switching_leaves_no_widgets_behind(windows: Callable[..., MainWindow]) -> None:
    window = windows()

    def once_around() -> tuple[int, int]:
        for name in NAMES:
            window.workspaces.switch(name)
            settle()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        return len(window.findChildren(QTabBar)), len(window.findChildren(QWidget))

    once_around()
    assert once_around() == once_around()


# ---------------------------------------------------------------------- keeping and resetting


def test_a_workspace_is_kept_as_it_is_left_and_reset_alone(windows: Callable[..., MainWindow]) -> None:
    window = windows()
    window.docks["prediction"].close()
    window.workspaces.switch("explain")
    window.docks["activations"].close()
    window.workspaces.switch("attack")
    settle()
    assert window.docks["prediction"].isHidden()
    window.workspaces.switch("explain")
    settle()
    assert window.docks["activations"].isHidden()
    assert not window.docks["prediction"].isHidden()
    window.workspaces.reset()
    settle()
    assert not window.docks["activations"].isHidden()
    window.workspaces.switch("attack")
    assert window.docks["prediction"].isHidden()


def test_the_next_start_has_the_last_workspace_as_it_was_left(windows: Callable[..., MainWindow]) -> None:
    first = windows()
    first.workspaces.switch("stickers")
    first.docks["perturbation"].close()
    settle()
    second = windows()
    assert second.workspaces.current.name == "stickers"
    assert second.actions_table["workspace_stickers"].isChecked()
    assert second.docks["perturbation"].isHidden()
    second.workspaces.switch("attack")
    assert not second.docks["perturbation"].isHidden()


@pytest.mark.parametrize("small", [slow((910, 700)), slow((1280, 600)), (910, 496)], ids=str)
def test_a_layout_made_for_a_small_window_is_not_that_of_a_larger_one(windows: Callable[..., MainWindow], small: tuple[int, int]) -> None:
    first = windows(*small)
    first.workspaces.switch("explain")
    first.docks["activations"].close()
    first.workspaces.switch("attack")
    settle()
    second = windows()
    second.workspaces.switch("explain")
    settle()
    explain = second.workspaces.current
    for side in LEAST:
        for name in explain.columns[side].docks:
            assert second.dockWidgetArea(second.docks[name]) == AREAS[side], name
            assert not second.docks[name].isHidden()
    assert len({second.docks[place[0]].pos().toTuple() for place in explain.right.places}) == 2, "one above the other"
    second.workspaces.switch("attack")
    third = windows(*small)  # and both are kept
    third.workspaces.switch("explain")
    settle()
    assert third.docks["activations"].isHidden()


def test_a_layout_is_kept_for_the_window_that_it_was_made_for(windows: Callable[..., MainWindow]) -> None:
    window = windows()
    window.workspaces.switch("explain")
    window.resize(910, 700)  # the docks stay where they are
    settle()
    window.workspaces.switch("attack")
    window.resize(1280, 800)
    window.workspaces.switch("explain")
    settle()
    assert window.dockWidgetArea(window.docks["prediction"]) == AREAS["right"]


def test_an_unknown_workspace_in_the_settings_is_the_first(windows: Callable[..., MainWindow], settings: Settings) -> None:
    settings.keep_text("window/workspace", "no such")
    assert windows().workspaces.current.name == "attack"


def test_a_floated_dock_comes_back_floating_on_screen_and_alive(windows: Callable[..., MainWindow]) -> None:
    first = windows(780, 690)
    first.docks["prediction"].switch_floating()
    settle()
    place = first.docks["prediction"].geometry()
    second = windows(780, 690)
    dock = second.docks["prediction"]
    assert dock.isFloating()
    assert dock.isVisible()
    assert dock.geometry() == place
    assert second.screen().availableGeometry().contains(dock.geometry())
    assert dock.widget() is second.panels["prediction"]
    label = QLabel("alive", second.panels["prediction"])
    label.show()
    settle()
    assert label.isVisible()
    assert not dock.widget().visibleRegion().isEmpty()
    assert dock.updatesEnabled(), "it is painted"
    assert dock.widget().updatesEnabled()
    second.workspaces.switch("explain")  # each workspace has its own floating docks
    settle()
    assert not dock.isFloating()
    second.workspaces.switch("attack")
    settle()
    assert dock.isFloating()
    assert dock.isVisible()
    dock.switch_floating()
    assert not dock.isFloating()


def tab_bars(window: MainWindow) -> list[QTabBar]:
    bars = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
    return [bar for bar in bars if bar.isVisible() and bar.geometry().intersects(window.rect())]


def assert_tab_bars_in_place(window: MainWindow, where: str) -> None:
    """Every tab bar that can be seen is the title of two or more docks that are there, and covers nothing else."""
    for bar in tab_bars(window):
        assert bar.count() > 1, where
        assert window.rect().contains(bar.geometry()), where
        if window.centre.isVisible():
            assert not bar.geometry().intersects(window.centre.geometry()), where
        titles = {bar.tabText(index) for index in range(bar.count())}
        there = {dock.windowTitle() for dock in window.docks.values() if not dock.isHidden() and not dock.isFloating()}
        assert titles <= there, where


@pytest.mark.parametrize(
    ("name", "closed"),
    [("attack", ("prediction",)), slow("attack", ("results",)), slow("defend", ("training", "curves"))],
    ids=str,
)
def test_no_tab_bar_strays_after_a_floating_dock_was_closed(windows: Callable[..., MainWindow], name: str, closed: tuple[str, ...]) -> None:
    first = windows()
    first.workspaces.switch(name)
    for each in closed:
        if first.docks[each].isHidden():
            first.workspaces.drawer.toggle()
        first.docks[each].raise_()
        first.docks[each].switch_floating()
        settle()
        first.docks[each].close()
        settle()
    assert_tab_bars_in_place(first, name)
    for bar in first.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
        if bar.count() < 2:
            bar.setGeometry(400, 65, 200, 25)  # where a layout of another workspace has its tabs
    first.workspaces.tabs.sync()
    assert_tab_bars_in_place(first, "strayed")
    second = windows()
    assert_tab_bars_in_place(second, name)
    for spec in WORKSPACES:
        second.workspaces.switch(spec.name)
        settle()
        assert_tab_bars_in_place(second, spec.name)
    second.workspaces.switch(name)
    for each in closed:
        second.docks[each].show()
        settle()
        assert_tab_bars_in_place(second, each)
        second.docks[each].switch_floating()
        settle()
        assert_tab_bars_in_place(second, each)
        assert not second.docks[each].isFloating()


@pytest.mark.parametrize("spec", [spec for spec in WORKSPACES if spec.canvas], ids=WITH_CANVAS)
def test_a_column_of_closed_docks_gives_its_room_and_gets_it_back(windows: Callable[..., MainWindow], spec: WorkspaceSpec) -> None:
    window = windows()
    window.workspaces.switch(spec.name)
    settle()
    for side in LEAST:
        names = spec.columns[side].docks
        if not names:
            continue
        before, wide = window.centre.width(), window.docks[names[0]].width()
        for name in names:
            window.docks[name].close()
        settle()
        assert window.centre.width() >= before + wide
        for _ in range(2):
            window.workspaces.switch("test")
            window.workspaces.switch(spec.name)
            settle()
            assert window.centre.width() >= before + wide
        window.docks[names[0]].show()
        settle()
        assert window.centre.width() == before
        assert window.docks[names[0]].width() == wide
        window.docks[names[0]].close()
        settle()
        window.workspaces.reset()
        settle()
        assert window.centre.width() == before


def test_a_dock_that_floats_lies_beside_its_old_place_with_a_frame(windows: Callable[..., MainWindow]) -> None:
    window = windows(700, 600)
    dock = window.docks["attack"]
    before = dock.mapToGlobal(QPoint(0, 0))
    dock.switch_floating()
    settle()
    assert dock.pos() != before
    picture = dock.grab().toImage()
    frame = dock.palette().highlight().color()
    assert picture.pixelColor(0, picture.height() // 2) == frame
    assert picture.pixelColor(picture.width() // 2, picture.height() - 1) == frame


# ---------------------------------------------------------------------- tabs and news


def test_the_tab_is_the_title(windows: Callable[..., MainWindow]) -> None:
    window = windows()

    def titles() -> dict[str, bool]:
        return {name: not window.docks[name].titleBarWidget().findChild(QLabel).isHidden() for name in seen(window)}

    assert titles() == {"attack": False, "prediction": True, "perturbation": False}
    assert window.docks["attack"].titleBarWidget().height() == 0
    for name in ("image", "model", "stickers"):
        window.docks[name].close()
    settle()
    assert titles()["attack"]  # it has its place to itself now


def test_a_tab_has_a_menu_floats_by_a_double_click_and_closes_by_the_middle_button(windows: Callable[..., MainWindow]) -> None:
    window = windows()
    dock = window.docks["model"]
    bar, at = tab_of(window, "Model")
    entries = {entry.text(): entry for entry in window.workspaces.tabs.menu(dock).actions() if entry.text()}
    assert list(entries) == ["Float", "Move to the left", "Move to the right", "Move to the bottom", "Close"]
    assert not entries["Move to the left"].isEnabled()
    entries["Move to the right"].trigger()
    settle()
    assert window.dockWidgetArea(dock) == Qt.DockWidgetArea.RightDockWidgetArea
    assert window.workspaces.tabs.in_sight("model")
    bar, at = tab_of(window, "Image")
    QTest.mouseDClick(bar, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    settle()
    assert window.docks["image"].isFloating()
    bar, at = tab_of(window, "Stickers")
    QTest.mouseClick(bar, Qt.MouseButton.MiddleButton, Qt.KeyboardModifier.NoModifier, at)
    settle()
    assert window.docks["stickers"].isHidden()


def test_news_is_a_dot_until_the_dock_is_looked_at(windows: Callable[..., MainWindow]) -> None:
    window = windows()
    tabs = window.workspaces.tabs
    before = seen(window)
    window.news("model")
    window.news("prediction")  # it is in sight: there is nothing to look for
    assert seen(window) == before  # nothing is pushed to the front
    assert tabs.news == {"model"}
    bar, at = tab_of(window, "Model")
    assert not bar.tabIcon(bar.tabAt(at)).isNull()
    assert not window.panel_actions["model"].icon().isNull()
    window.workspaces.switch("test")
    window.workspaces.switch("attack")
    settle()
    bar, at = tab_of(window, "Model")
    assert not bar.tabIcon(bar.tabAt(at)).isNull()  # Qt has made the tab anew
    click(bar, at)
    settle()
    assert tabs.news == frozenset()
    assert bar.tabIcon(bar.tabAt(at)).isNull()
    assert window.panel_actions["model"].icon().isNull()


def test_a_run_a_warning_and_the_end_of_long_work_are_news(bench: Workbench) -> None:
    action(bench, "reset_workspace").trigger()
    settle()
    tabs, session = bench.window.workspaces.tabs, bench.session
    for name in tabs.news:
        bench.window.bring_up(name)
    action(bench, "reset_workspace").trigger()
    settle()
    assert tabs.news == frozenset()
    front = seen(bench.window)
    run_attack(bench)
    assert tabs.news == {"results"}
    session.log("info", "Nothing to look at.")
    assert tabs.news == {"results"}
    session.log("warning", "Something to look at.")
    assert tabs.news == {"results", "messages"}
    runner = OperationRunner(session.background, "count", session)
    session.jobs.watch(runner, "batch", lambda: "Count")
    runner.start(lambda: counting(steps=3))
    until(lambda: not runner.running, "the end")
    assert tabs.news == {"results", "messages", "batch"}
    assert seen(bench.window) == front
    for name in ("results", "messages", "batch"):
        bench.window.bring_up(name)
        settle()
    assert tabs.news == frozenset()
    action(bench, "reset_workspace").trigger()


def test_the_keys_of_a_dock_show_it_and_close_it(bench: Workbench) -> None:
    action(bench, "reset_workspace").trigger()
    settle()
    assert "model" not in seen(bench.window)
    press_keys(bench.window, "Ctrl+K, M")
    settle()
    assert "model" in seen(bench.window)
    assert bench.window.panel_actions["model"].isChecked()
    press_keys(bench.window, "Ctrl+K, M")
    settle()
    assert bench.window.docks["model"].isHidden()
    action(bench, "reset_workspace").trigger()


# ---------------------------------------------------------------------- the drawer


def test_the_drawer_opens_and_closes_by_key_and_by_its_strip(bench: Workbench) -> None:
    window, drawer = bench.window, bench.window.workspaces.drawer
    action(bench, "reset_workspace").trigger()
    settle()
    assert drawer.folded == ("results", "activations", "runs", "messages")  # 1280 x 800 has no room for it beside the canvas
    assert drawer.isVisible()
    assert not action(bench, "toggle_drawer").isChecked()
    press_keys(window, "Ctrl+J")
    settle()
    assert "results" in seen(window)
    assert not drawer.isVisible()
    assert action(bench, "toggle_drawer").isChecked()
    click(*tab_of(window, "Runs"))
    press_keys(window, "Ctrl+J")
    settle()
    assert drawer.folded == ("runs", "activations", "results", "messages")  # the one in front comes back in front
    press_keys(window, "Ctrl+J")
    settle()
    assert "runs" in seen(window)
    press_keys(window, "Ctrl+J")
    settle()
    click(next(button for button in drawer.findChildren(QToolButton) if button.text() == "Activations"))
    settle()
    assert "activations" in seen(window)
    press_keys(window, "Ctrl+J")


def test_the_drawer_has_its_height_again_and_is_kept_folded(windows: Callable[..., MainWindow]) -> None:
    window = windows()
    drawer = window.workspaces.drawer
    drawer.unfold()
    settle()
    window.resizeDocks([window.docks["results"]], [300], Qt.Orientation.Vertical)
    settle()
    height = window.docks["results"].height()
    drawer.toggle()
    settle()
    drawer.toggle()
    settle()
    assert window.docks["results"].height() == height
    drawer.toggle()
    settle()
    again = windows()
    assert again.workspaces.drawer.folded == ("results", "activations", "runs", "messages")
    assert again.workspaces.drawer.isVisible()
    again.workspaces.drawer.toggle()
    settle()
    assert again.docks["results"].height() == height


def test_a_folded_dock_is_brought_up(bench: Workbench) -> None:
    action(bench, "reset_workspace").trigger()
    settle()
    bench.window.bring_up("runs")
    settle()
    assert "runs" in seen(bench.window)
    assert bench.window.workspaces.drawer.folded == ()
    action(bench, "reset_workspace").trigger()


def test_news_of_a_folded_dock_is_seen_in_the_strip(bench: Workbench) -> None:
    action(bench, "reset_workspace").trigger()
    settle()
    drawer = bench.window.workspaces.drawer
    before = {button.text(): button.icon().pixmap(14).toImage() for button in drawer.findChildren(QToolButton) if button.text()}
    bench.window.news("runs")
    after = {button.text(): button.icon().pixmap(14).toImage() for button in drawer.findChildren(QToolButton) if button.text()}
    assert {title for title in after if after[title] != before[title]} == {"Runs"}
    drawer.unfold("runs")
    settle()
    assert bench.window.workspaces.tabs.news == frozenset()
    action(bench, "reset_workspace").trigger()


# ---------------------------------------------------------------------- the canvas alone


def test_f11_shows_the_canvas_alone_and_everything_again(bench: Workbench) -> None:
    window = bench.window
    action(bench, "reset_workspace").trigger()
    window.docks["perturbation"].close()
    settle()
    before, room = seen(window), window.centre.size()
    press_keys(window, "F11")
    settle()
    assert seen(window) == set()
    assert not any(bar.isVisible() for bar in window.findChildren(QToolBar))
    assert not window.statusBar().isVisible()
    assert window.centre.width() == window.width()
    press_keys(window, "F11")
    settle()
    assert seen(window) == before
    assert window.centre.size() == room
    assert window.statusBar().isVisible()
    press_keys(window, "Alt+6")
    press_keys(window, "F11")
    settle()
    assert window.centre.isVisible()
    press_keys(window, "Alt+1")
    settle()
    assert not window.workspaces.canvas_is_alone
    assert seen(window) == before
    action(bench, "reset_workspace").trigger()


def test_a_double_click_on_the_canvas_header_does_what_f11_does(bench: Workbench) -> None:
    header = bench.window.centre.header
    assert header is not None
    stretch = next(x for x in range(header.width() // 3, header.width()) if header.childAt(x, header.height() // 2) is None)
    for alone in (True, False):
        QTest.mouseDClick(header, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(stretch, header.height() // 2))
        settle()
        assert bench.window.workspaces.canvas_is_alone is alone
        assert action(bench, "canvas_alone").isChecked() is alone


def test_closing_with_the_canvas_alone_keeps_the_workspace(windows: Callable[..., MainWindow]) -> None:
    first = windows()
    before = seen(first)
    first.workspaces.show_canvas_alone(True)
    settle()
    second = windows()
    assert seen(second) == before
    assert second.findChild(QToolBar, "toolbar.rail").isVisible()


def test_an_attack_runs_in_every_workspace(bench: Workbench) -> None:
    for number in range(1, len(WORKSPACES) + 1):
        press_keys(bench.window, f"Alt+{number}")
        run_attack(bench)
        assert bench.session.history.shown is not None
    press_keys(bench.window, "Alt+1")


@pytest.mark.parametrize("opened", [False, True])
def test_without_a_canvas_the_columns_keep_their_shares_when_the_window_grows_and_shrinks(bench: Workbench, opened: bool) -> None:
    window, docks = bench.window, bench.window.docks
    before = window.size()
    window.workspaces.switch("defend")
    window.resize(1280, 800)
    settle()
    window.workspaces.reset()
    if opened != any(not docks[name].visibleRegion().isEmpty() for name in ("runs", "messages")):
        press_keys(window, "Ctrl+J")
    settle()

    def share() -> float:
        training, curves = docks["training"], docks["curves"]
        return training.width() / (training.width() + curves.width())

    first = share()
    assert first < 0.3
    for size in ((1900, 1040), (1500, 900), (1280, 800)):
        window.resize(*size)
        settle()
        assert share() == pytest.approx(first, abs=0.005), size
    window.resize(before)
    window.workspaces.reset()
    window.workspaces.switch("attack")
