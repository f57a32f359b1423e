"""Compute what a frozen network says of every packed picture, once for many trainings."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from densecolor.color import dequantize_lightness
from densecolor.color import normalize_lightness
from densecolor.errors import DensecolorError
from densecolor.errors import ShardError
from densecolor.errors import require_choice
from densecolor.models import BRANCHES
from densecolor.models import create_embedder
from densecolor.models.class_branch import IMAGENET_CLASSES
from densecolor.shards import embedding as files
from densecolor.shards import open_shard
from densecolor.shards import read_manifest


class EmbedResult(NamedTuple):
    """What `embed` did."""

    info: files.EmbeddingInfo
    width: int  # values a picture
    written: list  # of Path
    skipped: list  # of Path that were there already, and whole


def embed(
    data,
    branch="inception_resnet_v2",
    weights="imagenet",
    branch_size=None,
    embedding="logits",
    logit_count=IMAGENET_CLASSES,
    batch_size=32,
    dtype="float16",
    overwrite=False,
    progress=None,
):
    """Store the embedding of every picture of a packed folder beside its shards (see `densecolor.shards.embedding`).

    A network that is frozen says the same of a picture in every epoch, so that training needs it once only, as
    Baldassarre et al., "Deep Koalarization" (2017) did. The network sees the whole stored picture: training that takes
    random crops then joins a crop with the embedding of the whole, and flips do not change it either.

    Files that are there, whole and made in the same way are kept, so that the same command goes on after an
    interruption; damaged ones, and those of a shard that has changed, are made anew.

    Args:
        data: a packed folder.
        branch: the network, a name of `densecolor.models.BRANCHES`.
        weights: "imagenet" (Keras downloads them) or a file of its weights, with its top for "logits".
        branch_size: side in pixels that the network sees; None for its own.
        embedding: "logits" or "pooled" (see `densecolor.models.KoalarizationColorizer`).
        logit_count: classes of the network's classifier.
        batch_size: pictures that the network sees at once.
        dtype: "float16" or "float32", as stored.
        overwrite: replace files that were made in another way.
        progress: function (done, total) in pictures.

    Returns:
        EmbedResult.

    Raises:
        FileNotFoundError, ShardError: there is no packed folder, a shard is damaged, or a file was made in another way.
        DensecolorError: an option is unknown, the weights do not load, or an embedding does not fit `dtype`.

    Example:
        >>> embed("packed", "inception_resnet_v2").width
        1000
        >>> batches = densecolor.dataset.load("packed", "train", embedding="inception_resnet_v2")
    """
    manifest = read_manifest(data)
    require_choice("dtype", dtype, files.DTYPES)
    if weights is None:
        raise DensecolorError("Random weights are others every time: name a file of weights, or 'imagenet'.")
    embedder = create_embedder(branch, branch_size, weights, embedding, logit_count)
    info = files.EmbeddingInfo(branch, branch_size or BRANCHES[branch].size, embedding, sha256_of_weights(embedder))
    done, written, skipped = 0, [], []
    for shard in filter(lambda shard: shard.count, manifest.shards):
        path = files.embedding_path(Path(data) / shard.name, branch)
        is_there = _is_made_already(path, shard, info, overwrite)
        (skipped if is_there else written).append(path)
        if not is_there:
            report = None if progress is None else lambda n, done=done: progress(done + n, manifest.count())
            values = _embed_shard(embedder, Path(data) / shard.name, batch_size, dtype, report)
            files.write_embedding(path, values, info, shard.sha256)
        done += shard.count
        if progress is not None:
            progress(done, manifest.count())
    return EmbedResult(info, embedder.output_shape[-1], written, skipped)


def _is_made_already(path, shard, info, overwrite):
    try:
        file = files.EmbeddingFile(path, shard)
        file.read()
    except (FileNotFoundError, ShardError):
        return False
    if file.info != info and not overwrite:
        raise ShardError(f"{path} holds {file.info}, not {info}. Replace it with --overwrite.")
    return file.info == info


def _embed_shard(embedder, path, batch_size, dtype, report):
    with open_shard(path) as shard:
        values = np.empty((shard.count, embedder.output_shape[-1]), dtype)
        for start in range(0, shard.count, batch_size):
            stop = min(start + batch_size, shard.count)
            stored = np.stack([shard.read("L", i) for i in range(start, stop)])
            lightness = normalize_lightness(dequantize_lightness(stored))[..., None]
            with np.errstate(over="ignore"):  # told below
                values[start:stop] = embedder.predict_on_batch(lightness)
            if report is not None:
                report(stop)
    if not np.isfinite(values).all():
        raise DensecolorError(f"Embeddings of {path} are not finite as {dtype}. Try float32, or other weights.")
    return values


def sha256_of_weights(model):
    """What tells two networks of the same kind apart: the SHA-256 of all weights as float32, in hexadecimal.

    Args:
        model: `keras.Model`.
    """
    digest = hashlib.sha256()
    for variable in model.weights:
        digest.update(np.asarray(keras.ops.convert_to_numpy(variable), "<f4", order="C"))
    return digest.hexdigest()
