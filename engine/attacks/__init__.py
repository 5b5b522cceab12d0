"""Attacks, one file each. ``CATALOGUE`` maps a slug to its class; a new attack is listed here by hand."""

from engine.attacks.adversarial_patch.attack import AdversarialPatch
from engine.attacks.adversarial_patch.ready import ReadyPatchOnImage
from engine.attacks.adversarial_patch.universal import UniversalPatch
from engine.attacks.apgd.attack import APGD
from engine.attacks.carlini_wagner.l0 import CarliniWagnerL0
from engine.attacks.carlini_wagner.l2 import CarliniWagnerL2
from engine.attacks.carlini_wagner.linf import CarliniWagnerLinf
from engine.attacks.ddn import DDN
from engine.attacks.deepfool import DeepFool
from engine.attacks.fgsm.at_eps import fgsm_at_eps
from engine.attacks.fgsm.attack import FGSM
from engine.attacks.fmn import FMN
from engine.attacks.fooling import FoolingImage
from engine.attacks.hop_skip_jump.attack import HopSkipJump
from engine.attacks.jsma.attack import JSMA
from engine.attacks.laser_beam.attack import LaserBeam
from engine.attacks.mi_fgsm import MIFGSM
from engine.attacks.noise import Noise
from engine.attacks.one_pixel.attack import OnePixel
from engine.attacks.one_pixel.map import OnePixelMap
from engine.attacks.pgd import PGD
from engine.attacks.proximity import Proximity
from engine.attacks.rand_fgsm import RandFGSM
from engine.attacks.rp2 import RP2
from engine.attacks.square.attack import Square
from engine.attacks.sticker_pgd import StickerPGD
from engine.attacks.sticker_search.attack import StickerSearch
from engine.attacks.sticker_search.landscape import StickerLandscape
from engine.attacks.sticker_search.place_and_content import PlaceAndContent
from engine.attacks.sticker_search.shadow import ShadowSearch
from engine.attacks.substitute.attack import Substitute
from engine.attacks.transformation.gradient import TransformationGradient
from engine.attacks.transformation.search import Transformation
from engine.attacks.universal.attack import Universal
from engine.attacks.universal.saved import SavedPerturbation, load_perturbation, save_perturbation
from engine.catalogue import catalogue
from engine.operation import Attack

CATALOGUE: dict[str, type[Attack]] = catalogue(
    # white box: one step, many steps, the nearest image, few values, many images, no image, transformations
    FGSM,
    RandFGSM,
    PGD,
    MIFGSM,
    APGD,
    Proximity,
    DeepFool,
    CarliniWagnerL2,
    CarliniWagnerLinf,
    CarliniWagnerL0,
    DDN,
    FMN,
    JSMA,
    StickerPGD,
    PlaceAndContent,
    AdversarialPatch,
    RP2,
    Universal,
    UniversalPatch,
    FoolingImage,
    TransformationGradient,
    # scores only
    Square,
    OnePixel,
    OnePixelMap,
    StickerSearch,
    StickerLandscape,
    ShadowSearch,
    Transformation,
    LaserBeam,
    Noise,
    # labels only
    HopSkipJump,
    SavedPerturbation,
    ReadyPatchOnImage,
    # through another model
    Substitute,
)

__all__ = [
    "APGD",
    "CATALOGUE",
    "DDN",
    "FGSM",
    "FMN",
    "JSMA",
    "MIFGSM",
    "PGD",
    "RP2",
    "AdversarialPatch",
    "CarliniWagnerL0",
    "CarliniWagnerL2",
    "CarliniWagnerLinf",
    "DeepFool",
    "FoolingImage",
    "HopSkipJump",
    "LaserBeam",
    "Noise",
    "OnePixel",
    "OnePixelMap",
    "PlaceAndContent",
    "Proximity",
    "RandFGSM",
    "ReadyPatchOnImage",
    "SavedPerturbation",
    "ShadowSearch",
    "Square",
    "StickerLandscape",
    "StickerPGD",
    "StickerSearch",
    "Substitute",
    "Transformation",
    "TransformationGradient",
    "Universal",
    "UniversalPatch",
    "fgsm_at_eps",
    "load_perturbation",
    "save_perturbation",
]
