"""One torch thread per worker, a home of its own per run, and a word on what was left out."""

from __future__ import annotations

import atexit
import gc
import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")
if "--headed" not in sys.argv:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from typing import TYPE_CHECKING

import pytest

if "tests.block_qt" not in sys.modules:  # the engine's tests also run without Qt
    import gui  # noqa: F401  # before torch: otherwise PySide, which pytest-qt loads, reads the source of each module imported after it

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--headed`` shows the windows."""
    parser.addoption("--headed", action="store_true", help="show the windows on the display instead of drawing them off screen")


@pytest.fixture(autouse=True, scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings, caches and recent files of the person who runs the tests stay theirs."""
    folder = tmp_path_factory.mktemp("home")
    for name, place in {"HOME": "", "XDG_CONFIG_HOME": ".config", "XDG_CACHE_HOME": ".cache", "XDG_DATA_HOME": ".local/share"}.items():
        os.environ[name] = str(folder / place)
    return folder


def _shared_state() -> dict[str, object]:
    """Return what all tests of a worker share and none may leave changed: the order of each catalogue, and torch's settings."""
    loaded = {name: vars(module).get("CATALOGUE") for name, module in sys.modules.items() if name.startswith("engine.")}
    state: dict[str, object] = {f"{name}.CATALOGUE": list(found.items()) for name, found in loaded.items() if isinstance(found, dict)}
    if (torch := sys.modules.get("torch")) is not None:
        state["torch.get_default_dtype"] = torch.get_default_dtype()
        state["torch.is_grad_enabled"] = torch.is_grad_enabled()
        state["torch.are_deterministic_algorithms_enabled"] = torch.are_deterministic_algorithms_enabled()
    return state


@pytest.fixture(autouse=True, scope="module")
def nothing_left_behind() -> Iterator[None]:
    """A file of tests that changes what another file reads fails itself, not the other, which may run on another worker."""
    before = _shared_state()
    yield
    after = _shared_state()
    changed = [name for name, value in before.items() if name in after and after[name] != value]
    assert not changed, f"The tests of this file leave these changed, in content or in order: {', '.join(changed)}"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect no garbage while modules are imported and tests are listed: nearly all that is made then stays, so it is set aside."""
    gc.disable()
    yield
    gc.freeze()
    atexit.register(gc.unfreeze)  # at its end the interpreter destroys these, too
    gc.enable()


LONG = ("test_app", "test_workspaces", "test_invariants", "test_train_command", "test_canvas_window", "test_tables_panel")
LONG += ("test_torchvision_all", "test_cli", "test_opening", "test_trust", "test_training_panel", "test_figure_dialog", "test_tables")
LONG += ("test_batch_panel", "test_defense_panel", "test_living_objects", "test_robustness_panel", "test_training_processes")
LONG += ("test_studies", "test_reproduce_defenses", "test_animation", "test_bad_input", "test_animation_dialog")
LONG += ("test_experiments_panel", "test_windows", "test_devices", "test_preprocessing", "test_races", "test_script")
LONG += ("test_attack_panel", "test_figures", "test_knowing", "test_window_files", "test_reopening", "test_guides")
LONG += ("test_timeline_foot", "test_cli_told", "test_transfer_panel", "test_spine", "test_study_damage", "test_cli_given")
LONG += ("test_timeline", "test_model_contract", "test_published_crop")
"""The files that take longest. They come first: a worker that began one of them last would leave the others idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long files first, and refuse names that hold an address: every worker would collect other tests, and none would run."""
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))
    for item in items:
        if " object at 0x" in item.nodeid:
            raise pytest.UsageError(f"The test {item.nodeid} has an address in its name. Give its parameters ids.")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how many tests the markers left out."""
    expression = config.option.markexpr
    if expression:
        count = _deselected(config)
        if count is not None:
            terminalreporter.write_line(f"{count} tests deselected by -m “{expression}”")


_DESELECTED = pytest.StashKey[int]()


def _deselected(config: pytest.Config) -> int | None:
    counts = getattr(config, "_gibbon_deselected", None)
    return max(counts) if counts else config.stash.get(_DESELECTED, None)


def pytest_deselected(items: list[pytest.Item]) -> None:
    if items:
        config = items[0].config
        config.stash[_DESELECTED] = config.stash.get(_DESELECTED, 0) + len(items)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object, error: object) -> None:
    """A worker tells the controller how many tests it left out; every worker collects all of them, so each tells the same."""
    config, output = node.config, getattr(node, "workeroutput", {})  # type: ignore[attr-defined]
    if "deselected" in output:
        config._gibbon_deselected = [*getattr(config, "_gibbon_deselected", []), output["deselected"]]


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["deselected"] = session.config.stash.get(_DESELECTED, 0)
