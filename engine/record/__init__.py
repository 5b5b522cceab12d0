"""Records: JSON files beside adversarial images, with everything that makes the image again, bit for bit."""

from engine.files import file_digest
from engine.images import digest
from engine.record.anonymity import LEFT_OUT, anonymous
from engine.record.batches import BatchRecord, compared, repeat_batch, write_batch, write_csv
from engine.record.carrying import CARRIERS, carried, carries, is_figure
from engine.record.distortions import distortion_record, write_distortions
from engine.record.finding import find, read_mask
from engine.record.making import image_entry, located, mask_entry, model_entry, record_of, relative
from engine.record.packing import Packed
from engine.record.replay_run import ReplayRun, replay
from engine.record.replaying import Replay, repeatable
from engine.record.restoring import load_mask
from engine.record.saving import ReadBack, SavedImage, save_adversarial, write_and_read
from engine.record.scenes import mask_of_scene, record_of_scene
from engine.record.schema import (
    ClassEntry,
    DataEntry,
    ImageEntry,
    MaskEntry,
    ModelEntry,
    ModelOptions,
    OperationEntry,
    Outcome,
    Prediction,
    Record,
)
from engine.record.sticker_files import ReadStickers, read_stickers, write_stickers
from engine.record.sticker_text import stickers_as_text, stickers_from_text
from engine.record.stickers import StickerEntry
from engine.record.tables import curve_record, table_record, write_curve, write_table
from engine.record.training_inputs import TrainingInputs, TrainingSource, loading_inputs
from engine.record.trainings import (
    TrainingOutcome,
    TrainingRecord,
    TrainingReplay,
    is_training,
    replay_training,
    training_record,
)

__all__ = [
    "CARRIERS",
    "LEFT_OUT",
    "BatchRecord",
    "ClassEntry",
    "DataEntry",
    "ImageEntry",
    "MaskEntry",
    "ModelEntry",
    "ModelOptions",
    "OperationEntry",
    "Outcome",
    "Packed",
    "Prediction",
    "ReadBack",
    "ReadStickers",
    "Record",
    "Replay",
    "ReplayRun",
    "SavedImage",
    "StickerEntry",
    "TrainingInputs",
    "TrainingOutcome",
    "TrainingRecord",
    "TrainingReplay",
    "TrainingSource",
    "anonymous",
    "carried",
    "carries",
    "compared",
    "curve_record",
    "digest",
    "distortion_record",
    "file_digest",
    "find",
    "image_entry",
    "is_figure",
    "is_training",
    "load_mask",
    "loading_inputs",
    "located",
    "mask_entry",
    "mask_of_scene",
    "model_entry",
    "read_mask",
    "read_stickers",
    "record_of",
    "record_of_scene",
    "relative",
    "repeat_batch",
    "repeatable",
    "replay",
    "replay_training",
    "save_adversarial",
    "stickers_as_text",
    "stickers_from_text",
    "table_record",
    "training_record",
    "write_and_read",
    "write_batch",
    "write_csv",
    "write_curve",
    "write_distortions",
    "write_stickers",
    "write_table",
]
