"""Trust lights that the outcomes of several attacks on the same images decide together, without another pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from engine.evaluate.trust.light import Light, compared, frequent, unlimited
from engine.evaluate.trust.measuring import by_course
from engine.evaluate.trust.signs import SIGNS
from engine.evaluate.trust.yardsticks import has_no_limit, is_one_step
from engine.operation import Attack

_EFFORT = ("steps", "restarts", "step_size", "draws")
"""Fields that may differ between an attack and the same one with more work."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """One attack on a model, with the images that it fooled."""

    name: str
    """The attack with its budget, as it is named in the figures of a light."""
    attack: Attack
    won: Tensor
    """The images ``(N,)`` bool that were right before and are fooled."""
    counted: Tensor
    """The images ``(N,)`` bool that were right before, and for which no model gave NaN."""
    white_box: bool = True
    """Whether the images were made on the model itself; otherwise they are a transfer."""
    aim: str = "away"
    """Where the attack goes: outcomes of different aims are not compared."""
    noise: Tensor | None = None
    """The images ``(N,)`` bool that random noise as large as the perturbation fools; None: not measured."""
    part_only: bool = False
    """Whether the attack may change a part of the images only, so that no limit on the change does not promise it success."""
    silent: Tensor | None = field(default=None, repr=False)
    unfinished: Tensor | None = field(default=None, repr=False)
    """The course of the attack in each image ``(N,)``: see `silent_rows` and `unfinished_rows`. None: not known."""

    @property
    def follows_gradients(self) -> bool:
        """Whether its number is one that masked gradients would make too good: it is a white box, and follows gradients."""
        return self.white_box and self.attack.knows == "gradients"


def lights_among(outcomes: Sequence[Outcome], values: int | None = None) -> list[tuple[Light, ...]]:
    """Return for each outcome the lights that concern its number, as far as the outcomes decide them, in the order of `SIGNS`.

    Attacks are compared where the weaker one's ball lies within the other's: the same norm, and at most its eps. A light that several
    outcomes could turn on has the figures of the first that does, or else of the first.

    Parameters
    ----------
    outcomes
        Attacks on one model with the same images.
    values
        Number of values of an image, which says whether an L2 or L1 ball is a limit at all; None: not known.
    """
    found: list[tuple[Light, ...]] = []
    for outcome in outcomes:
        if not bool(outcome.counted.any()):
            found.append(())
            continue
        others = [other for other in outcomes if other is not outcome and other.aim == outcome.aim and _share_images(other, outcome)]
        lights = [light for rule in _RULES if (light := _told(rule(outcome, others))) is not None]
        lights += [*_limits(outcome, values), *_course(outcome)]
        found.append(tuple(sorted(lights, key=lambda light: list(SIGNS).index(light.sign.slug))))
    return found


def _told(lights: Sequence[Light]) -> Light | None:
    return next((light for light in lights if light.on), lights[0] if lights else None)


# ---------------------------------------------------------------------- rules


def _one_step(strong: Outcome, others: Sequence[Outcome]) -> list[Light]:
    if not strong.follows_gradients or is_one_step(strong.attack):
        return []
    weaker = (other for other in others if other.follows_gradients and is_one_step(other.attack) and _within(other.attack, strong.attack))
    return [_pair("one-step-beats-many", other, strong) for other in weaker]


def _transfer(strong: Outcome, others: Sequence[Outcome]) -> list[Light]:
    if not strong.follows_gradients:
        return []
    return [
        _pair("transfer-beats-white-box", other, strong) for other in others if not other.white_box and _within(other.attack, strong.attack)
    ]


def _search(strong: Outcome, others: Sequence[Outcome]) -> list[Light]:
    if not strong.follows_gradients:
        return []
    # A search of hundreds of queries beats a single step on networks without any masking, too.
    rivals = () if is_one_step(strong.attack) else others
    blind = (other for other in rivals if other.white_box and other.attack.knows != "gradients" and _within(other.attack, strong.attack))
    found = [_pair("search-beats-gradients", other, strong) for other in blind]
    if strong.noise is not None:
        rows = strong.counted
        pair = ("random noise as large", strong.noise[rows]), (strong.name, strong.won[rows])
        found.append(compared("search-beats-gradients", *pair))
    return found


def _eps(large: Outcome, others: Sequence[Outcome]) -> list[Light]:
    small = [other for other in others if other.white_box and _is_same(other, large, "eps") and _eps_of(other) < _eps_of(large)]
    if not large.white_box or not small:
        return []
    return [_pair("more-eps-less-success", max(small, key=_eps_of), large)]


def _steps(less: Outcome, others: Sequence[Outcome]) -> list[Light]:
    if not less.follows_gradients:
        return []
    more = [other for other in others if other.white_box and _is_same(other, less, *_EFFORT) and _works_more(other.attack, less.attack)]
    found = []
    for other in more:
        gained = (other.won & ~less.won)[less.counted & other.counted]
        found.append(frequent("steps-matter", f"images gained by {other.name}", gained, most=0.02))
    return found


def _losses(one: Outcome, others: Sequence[Outcome]) -> list[Light]:
    if not one.follows_gradients:
        return []
    same = [other for other in others if other.white_box and _is_same(other, one, "loss") and _loss(other) != _loss(one)]
    return [_pair("loss-matters", other, one, margin=0.05, both_ways=True) for other in same]


_RULES: tuple[Callable[[Outcome, Sequence[Outcome]], list[Light]], ...] = (_one_step, _transfer, _search, _eps, _steps, _losses)


def _limits(outcome: Outcome, values: int | None) -> list[Light]:
    knows_limit = values is not None or getattr(outcome.attack, "norm", "linf") == "linf" or outcome.attack.keeps == "norm"
    if not outcome.white_box or outcome.part_only or not knows_limit:
        return []
    return unlimited(outcome.won[outcome.counted]) if has_no_limit(outcome.attack, values or 1) else []


def _course(outcome: Outcome) -> list[Light]:
    if not outcome.white_box or outcome.silent is None or outcome.unfinished is None:
        return []
    lights = by_course(outcome.silent[outcome.counted], outcome.unfinished[outcome.counted])
    return [light for light in lights if light.state != "not measured"]


# ---------------------------------------------------------------------- comparisons


def _pair(slug: str, weak: Outcome, strong: Outcome, *, margin: float = 0.0, both_ways: bool = False) -> Light:
    rows = weak.counted & strong.counted
    return compared(slug, (weak.name, weak.won[rows]), (strong.name, strong.won[rows]), margin=margin, both_ways=both_ways)


def _share_images(one: Outcome, other: Outcome) -> bool:
    return bool((one.counted & other.counted).any())


def _within(weak: Attack, strong: Attack) -> bool:
    """Return whether the ball of one attack lies within that of the other."""
    norms, radii = zip(*((getattr(each, "norm", None), getattr(each, "eps", None)) for each in (weak, strong)), strict=True)
    return norms[0] is not None and norms[0] == norms[1] and None not in radii and radii[0] <= radii[1] * (1 + 1e-9)


def _eps_of(outcome: Outcome) -> float:
    return float(outcome.attack.eps)  # type: ignore[attr-defined]


def _loss(outcome: Outcome) -> str:
    return str(getattr(outcome.attack, "loss", ""))


def _is_same(one: Outcome, other: Outcome, *but: str) -> bool:
    """Return whether two attacks are the same but for some fields; with another eps the size of a step may be another, too."""
    if type(one.attack) is not type(other.attack):
        return False
    first, second = one.attack.model_dump(), other.attack.model_dump()
    if "eps" in but and (first.get("eps") is None or second.get("eps") is None):
        return False
    left_out = {*but, "step_size"} if "eps" in but else set(but)
    return all(first[name] == second[name] for name in first if name not in left_out)


def _works_more(one: Attack, other: Attack) -> bool:
    """Return whether an attack makes at least as many steps, restarts and draws as another, and more of one of them."""
    pairs = [(_count(one, name), _count(other, name)) for name in ("steps", "restarts", "draws")]
    return all(first >= second for first, second in pairs) and any(first > second for first, second in pairs)


def _count(attack: Attack, name: str) -> int:
    value = getattr(attack, "count", None) if name == "steps" and getattr(attack, "steps", None) is None else getattr(attack, name, None)
    return 1 if value is None else int(value)
