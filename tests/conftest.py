"""Pictures and packed folders that several tests use; all from scikit-image's wheel or generated."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage

from densecolor.color import quantize_ab
from densecolor.color import quantize_lightness
from densecolor.color import srgb_to_lab
from densecolor.shards import Manifest
from densecolor.shards import ShardInfo
from densecolor.shards import ShardWriter
from densecolor.shards import shard_name
from densecolor.shards import write_manifest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png")


@pytest.fixture(scope="session")
def photographs():
    """Five colour photographs, uint8 (H, W, 3), R, G, B, by name."""
    folder = Path(skimage.__file__).parent / "data"
    return {name: cv2.cvtColor(cv2.imread(str(folder / name)), cv2.COLOR_BGR2RGB) for name in PHOTOGRAPHS}


@pytest.fixture(scope="session")
def crops(photographs):
    """Thirty different crops of the photographs, uint8 (30, 32, 32, 3)."""
    random = np.random.default_rng(0)
    small = [cv2.resize(photo, (160, 120), interpolation=cv2.INTER_AREA) for photo in photographs.values()]
    places = zip(random.integers(0, 88, 30), random.integers(0, 128, 30), strict=True)
    return np.stack([small[i % 5][y : y + 32, x : x + 32] for i, (y, x) in enumerate(places)])


def write_packed(folder, splits, class_names=(), compression="lzf", with_mask=False, shard_size=8):
    """Write a packed folder by hand.

    Args:
        folder: Path, made.
        splits: dict of split name to (rgb uint8 (n, S, S, 3), labels (n,)).
        class_names, compression, with_mask: as `ShardWriter`; masks are the lightness of each picture.
        shard_size: images a shard.
    """
    folder.mkdir(parents=True, exist_ok=True)
    infos = []
    for split, (rgb, labels) in splits.items():
        lab = srgb_to_lab(rgb)
        lightness, ab = quantize_lightness(lab[..., 0]), quantize_ab(lab[..., 1:])
        starts = range(0, len(rgb), shard_size)
        for index, start in enumerate(starts):
            part = slice(start, start + shard_size)
            keys = [f"{split}/{i}.png" for i in range(len(rgb))[part]]
            with ShardWriter(
                folder / shard_name(split, index, len(starts)),
                capacity=len(keys),
                image_size=rgb.shape[1],
                split=split,
                class_names=class_names,
                compression=compression,
                with_mask=with_mask,
            ) as writer:
                mask = lightness[part] if with_mask else None
                sizes = [(100 + i, 200) for i in range(len(keys))]
                writer.append(keys, labels[part], sizes, lightness[part], ab[part], mask)
            infos.append(ShardInfo.of(writer.path, split, writer.count))
    write_manifest(folder, Manifest(rgb.shape[1], list(class_names), {}, infos, rejected=0))
    return folder


@pytest.fixture(scope="session")
def packed(tmp_path_factory, crops):
    """A packed folder: 21 training and 9 validation pictures of 32 x 32 in three classes, one picture unlabelled."""
    labels = np.arange(30) % 3
    labels[4] = -1
    splits = {"train": (crops[:21], labels[:21]), "validation": (crops[21:], labels[21:])}
    return write_packed(tmp_path_factory.mktemp("packed") / "labelled", splits, ["cat", "coffee", "rocket"])


@pytest.fixture(scope="session")
def unlabelled(tmp_path_factory, crops):
    """The pictures of `packed`, without classes."""
    nothing = np.full(30, -1)
    splits = {"train": (crops[:21], nothing[:21]), "validation": (crops[21:], nothing[21:])}
    return write_packed(tmp_path_factory.mktemp("packed") / "unlabelled", splits)


@pytest.fixture(scope="session")
def masked(tmp_path_factory, crops):
    """A packed folder with masks: 21 training and 9 validation pictures of 32 x 32 without classes."""
    nothing = np.full(30, -1)
    splits = {"train": (crops[:21], nothing[:21]), "validation": (crops[21:], nothing[21:])}
    return write_packed(tmp_path_factory.mktemp("packed") / "masked", splits, with_mask=True)


def write_mobilenet_weights(folder, crops, embedding):
    """Write weights of a MobileNet for 32 x 32: random ones, whose normalisations have seen the crops.

    Returns:
        (options, Path): what tells the network and its embedding, and the file.
    """
    import keras

    from densecolor.models.class_branch import create_backbone

    options = {"branch": "mobilenet", "branch_size": 32, "embedding": embedding, "logit_count": 6}
    keras.utils.set_random_seed(3)
    backbone = create_backbone("mobilenet", 32, logit_count=6 if embedding == "logits" else 0)
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    backbone(crops / 127.5 - 1, training=True)
    path = folder / f"{embedding}.weights.h5"
    backbone.save_weights(path)
    return options, path


@pytest.fixture(scope="session")
def mobilenet_weights(tmp_path_factory, crops):
    """Options and weights file of a network whose logits are embeddings."""
    return write_mobilenet_weights(tmp_path_factory.mktemp("mobilenet"), crops, "logits")


@pytest.fixture(scope="session")
def pooled_mobilenet_weights(tmp_path_factory, crops):
    """The same with pooled features as embeddings."""
    return write_mobilenet_weights(tmp_path_factory.mktemp("mobilenet"), crops, "pooled")


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory):
    """Path of a small U-Net's checkpoint, untrained."""
    import keras

    from densecolor.checkpoint import save_model
    from densecolor.models import create

    keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("models") / "tiny.keras"
    save_model(create("unet", filters=(4, 8), working_size=32), path)
    return path
