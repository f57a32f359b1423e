"""Read batches from shards in a reproducible order: NumPy only, shared by `load` and `ShardDataset`.

Every batch is a function of (seed, epoch, step) alone, so that a stopped training goes on with the batch it would
have seen next, and any worker can make any batch.
"""

import functools
from typing import NamedTuple

import cv2
import numpy as np

from densecolor.color import AB_SCALE
from densecolor.color import dequantize_lightness
from densecolor.color import lab_to_srgb
from densecolor.color import normalize_lightness
from densecolor.color.hue_chroma import lab_to_hue_chroma
from densecolor.dataset.sharding import SHARDINGS
from densecolor.errors import ShardError
from densecolor.errors import require_choice
from densecolor.shards import Embeddings
from densecolor.shards import open_dataset

TARGETS = (
    "ab",
    "ab_distribution",
    "hue_chroma_distribution",
    "lab",
    "label",
    "mask",
    "masked_ab",
    "masked_rgb",
    "rgb",
)
_COLORED = set(TARGETS) - {"label", "mask"}  # targets made of ab
_MASKED = {"mask", "masked_ab", "masked_rgb"}  # targets made of masks
_ORDER, _AUGMENT = 0, 1  # independent random streams of one seed
_LIGHTNESS = normalize_lightness(dequantize_lightness(np.arange(256, dtype=np.uint8)))  # of every stored value


class RawBatch(NamedTuple):
    """One batch as the shards store it; `weight` is 0 for the rows that only fill up the last batch.

    Keras divides the loss of an epoch by all rows, padding included. The weight of a picture is therefore not 1 but
    rows / pictures of the epoch, over all workers (1 where no padding is needed), which makes it the mean over the
    pictures again.
    """

    L: np.ndarray  # uint8 (batch, S, S)
    ab: np.ndarray  # int8 (batch, S, S, 2)
    mask: np.ndarray  # uint8 (batch, S, S), zeros where the shards have none
    label: np.ndarray  # int32 (batch,), -1 where unlabelled
    mask_weight: np.ndarray  # float32 (batch,), 0 where the shards have no mask
    weight: np.ndarray  # float32 (batch,), 0 for padding, about 1 for a picture
    embedding: np.ndarray | None  # float32 (batch, D) where asked for


class BatchReader:
    """The batches of one split, in an order that only `seed` decides.

    Args:
        path: a packed folder, or one .h5 shard.
        split: "train", "validation" or "test".
        batch_size: pictures a batch (of this worker); the last batch of an epoch is filled up with
            pictures that weigh 0.
        image_size: side of the square crop in pixels; None for the whole stored picture.
        augment: random instead of central crops, and random horizontal flips.
        shuffle: a new random order every epoch, across all shards; None shuffles the train split only.
        seed: of order and augmentation.
        targets: which of `TARGETS` to give, as the model's `output_names` say.
        worker_index, worker_count: read only this worker's share. All workers have the same number of steps.
        classes: names of the classes whose pictures to read, and whose order gives the labels; None for all.
        on_damage: function of one line of text. Shards that cannot be opened are then left out, and pictures that turn
            out damaged while they are read weigh 0; it is told of each once, from any thread. None raises.
        sharding: how the workers share: "element" (every `worker_count`-th picture of the epoch's order, so that
            the batches of all workers together are those of one worker with their sum as its batch size) or "file"
            (each opens only its own shards, every `worker_count`-th).
        embedding: give also what this network says of the whole stored picture, of which crops are parts; computed
            beforehand by densecolor-embed.

    Attributes:
        packed: `densecolor.shards.PackedSplit`.
        steps: batches an epoch.
        embeddings: `densecolor.shards.Embeddings`, or None.

    Raises:
        FileNotFoundError, ShardError: as `densecolor.shards.open_dataset`, and for an option that does not
            fit the data.
    """

    def __init__(
        self,
        path,
        split="train",
        batch_size=32,
        image_size=None,
        augment=False,
        shuffle=None,
        seed=0,
        targets=("ab",),
        worker_index=0,
        worker_count=1,
        classes=None,
        on_damage=None,
        sharding="element",
        embedding=None,
    ):
        self.packed = open_dataset(path, split, classes, on_damage)
        self.batch_size = batch_size
        self.image_size = self.packed.image_size if image_size is None else image_size
        self.augment = augment
        self.shuffle = self.packed.split == "train" if shuffle is None else shuffle
        self.seed = seed
        self.targets = tuple(targets)
        self.worker_index = worker_index
        self.worker_count = worker_count
        require_choice("sharding", sharding, SHARDINGS, ShardError)
        self._on_damage = on_damage
        self._told = set()  # damage that `on_damage` knows of
        self._check()
        self._share = SHARDINGS[sharding](self.packed, batch_size, worker_index, worker_count)
        self.steps = self._share.steps
        self.embeddings = None if embedding is None else Embeddings(self.packed, embedding)

    def _check(self):
        for name, lowest in (("batch_size", 1), ("seed", 0), ("worker_count", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < lowest:
                raise ShardError(f"`{name}` must be an integer of at least {lowest}. Received: {value!r}.")
        if not 1 <= self.image_size <= self.packed.image_size:
            raise ShardError(
                f"`image_size` must be from 1 to the {self.packed.image_size} pixels that "
                f"{self.packed.paths[0].parent} was packed at. Received: {self.image_size}."
            )
        unknown = set(self.targets) - set(TARGETS)
        if unknown:
            raise ShardError(f"Unknown targets {sorted(unknown)}. Choose from {', '.join(TARGETS)}.")
        if not 0 <= self.worker_index < self.worker_count:
            raise ShardError(f"`worker_index` must be in [0, {self.worker_count}). Received: {self.worker_index}.")

    def read(self, epoch, step):
        """The batch `step` of epoch `epoch`.

        Returns:
            RawBatch of `batch_size` rows.
        """
        epoch, step = int(epoch), int(step)
        # Of all pictures that this worker chooses from; a function, since only those have an order.
        order = functools.partial(_shuffled, seed=self.seed, epoch=epoch) if self.shuffle else np.arange
        filled, is_picture = self._share.rows(order, step)
        batch = self._empty_batch()
        batch.weight[is_picture] = self.steps * self.batch_size * self.worker_count / self.packed.count
        random = np.random.default_rng([self.seed, _AUGMENT, epoch, step])
        # Drawn for all workers, so that a picture's crop does not depend on who reads it.
        draws = random.random((self.batch_size * self.worker_count, 3))[self.worker_index :: self.worker_count]
        damaged = []
        for row in np.argsort(filled, kind="stable"):  # in the order of the files
            try:
                self._read_row(batch, row, int(filled[row]), draws[row])
            except (ShardError, OSError) as error:
                self._tell(error)
                damaged.append(row)
        if damaged:
            _leave_out(batch, damaged)
        return batch

    def _tell(self, error):
        if self._on_damage is None:
            raise error
        if str(error) not in self._told:
            self._told.add(str(error))
            self._on_damage(f"{error} Training goes on without it.")

    def _empty_batch(self):
        n, side = self.batch_size, self.image_size
        return RawBatch(
            L=np.empty((n, side, side), np.uint8),
            ab=np.empty((n, side, side, 2), np.int8),
            mask=np.zeros((n, side, side), np.uint8),
            label=np.empty(n, np.int32),
            mask_weight=np.zeros(n, np.float32),
            weight=np.zeros(n, np.float32),
            embedding=None if self.embeddings is None else np.empty((n, self.embeddings.width), np.float32),
        )

    def _read_row(self, batch, row, index, draw):
        number, place = self.packed.locate(index)
        spare = self.packed.image_size - self.image_size
        top, left = (draw[:2] * (spare + 1)).astype(int) if self.augment else (spare // 2, spare // 2)
        flip = -1 if self.augment and draw[2] < 0.5 else 1
        window = slice(top, top + self.image_size), slice(left, left + self.image_size)
        names = ["L"]
        if _COLORED.intersection(self.targets):
            names.append("ab")
        if _MASKED.intersection(self.targets) and self.packed.has_masks(number):
            names.append("mask")
            batch.mask_weight[row] = batch.weight[row]
        for name in names:
            out = getattr(batch, name)[row]
            if spare or flip < 0:
                out[:] = self.packed.read(name, number, place)[window][:, ::flip]
            else:
                self.packed.read(name, number, place, out)
        batch.label[row] = self.packed.label(number, place)
        if self.embeddings is not None:
            batch.embedding[row] = self.embeddings.read(number, place)


def _leave_out(batch, rows):
    """Make rows of a batch weigh nothing; like padding, they repeat a picture that is whole, or else are black."""
    whole = np.setdiff1d(np.arange(len(batch.weight)), rows)
    for values in (batch.L, batch.ab, batch.mask, batch.label, batch.embedding):
        if values is None:
            continue
        values[rows] = values[whole[0]] if len(whole) else 0
    batch.weight[rows] = batch.mask_weight[rows] = 0


def model_values(batch, targets):
    """A `RawBatch` as a model takes it.

    Returns:
        (inputs, targets, sample_weights), three dicts: `lightness` (batch, S, S, 1) in [-1, 1] and, where the batch
        has it, `embedding` (batch, D); of the targets asked for `ab` (batch, S, S, 2) = ab / 128, `lab` (batch, S, S,
        3), which is L / 50 - 1 and ab / 128, `rgb` (batch, S, S, 3), sRGB in [0, 1], `label` (batch,), `mask` (batch,
        S, S, 1) in [0, 1], `masked_ab` and `masked_rgb`, which are colours times the mask, or whole where the shards
        have none, and for outputs that are distributions, whose losses do the encoding, `ab_distribution`, which is
        ab / 128 once more, and `hue_chroma_distribution` (batch, S, S, 2), hue and chroma in [0, 1]; and a weight for
        each target that broadcasts over its pixels.
    """
    inputs = {"lightness": cv2.LUT(batch.L.reshape(len(batch.L), -1), _LIGHTNESS).reshape(*batch.L.shape, 1)}
    if batch.embedding is not None:
        inputs["embedding"] = batch.embedding
    chosen = {name: _TARGET_VALUES[name](batch) for name in targets}
    values = {name: value for name, (value, _) in chosen.items()}
    weights = {name: weight for name, (_, weight) in chosen.items()}
    return inputs, values, weights


def _ab(batch):
    return np.multiply(batch.ab, np.float32(1 / AB_SCALE), dtype=np.float32), batch.weight[:, None, None]


def _lab(batch):
    ab, weights = _ab(batch)
    return np.concatenate([normalize_lightness(dequantize_lightness(batch.L))[..., None], ab], axis=-1), weights


def _hue_chroma(batch):
    lab = np.concatenate([dequantize_lightness(batch.L)[..., None], batch.ab], axis=-1, dtype=np.float32)
    return lab_to_hue_chroma(lab), batch.weight[:, None, None]


def _rgb(batch):
    lab = np.concatenate([dequantize_lightness(batch.L)[..., None], batch.ab], axis=-1, dtype=np.float32)
    return lab_to_srgb(lab, np.float32), batch.weight[:, None, None]


def _masked(batch, colors):
    """Colours and their weights, the colours under the mask; without one the whole picture is foreground."""
    values, weights = colors(batch)
    has_mask = (batch.mask_weight > 0)[:, None, None, None]
    return values * np.where(has_mask, _mask(batch)[0], np.float32(1)), weights


def _label(batch):
    # -1 would crash a sparse cross-entropy even where it weighs nothing.
    return np.maximum(batch.label, 0), batch.weight * (batch.label >= 0)


def _mask(batch):
    value = np.multiply(batch.mask, np.float32(1 / 255), dtype=np.float32)[..., None]
    return value, batch.mask_weight[:, None, None]


_TARGET_VALUES = {
    "ab": _ab,
    "ab_distribution": _ab,
    "hue_chroma_distribution": _hue_chroma,
    "lab": _lab,
    "label": _label,
    "mask": _mask,
    "masked_ab": functools.partial(_masked, colors=_ab),
    "masked_rgb": functools.partial(_masked, colors=_rgb),
    "rgb": _rgb,
}


@functools.lru_cache(maxsize=2)
def _shuffled(count, seed, epoch):
    order = np.arange(count, dtype=np.uint32)
    np.random.default_rng([seed, _ORDER, epoch]).shuffle(order)
    order.flags.writeable = False
    return order
