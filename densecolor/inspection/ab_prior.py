"""How often each of the 313 bins of a and b is among the colours of a packed folder's training pictures."""

import json
from pathlib import Path

import numpy as np

from densecolor.atomic import write_atomically
from densecolor.color.ab_bins import AB_BINS
from densecolor.color.ab_bins import encode_ab
from densecolor.color.ab_bins import smooth_distribution
from densecolor.errors import ShardError
from densecolor.inspection.colors import ab_histogram
from densecolor.shards import read_manifest
from densecolor.shards.manifest import MANIFEST_NAME
from densecolor.shards.manifest import sha256_of

AB_PRIOR_NAME = "ab-prior.json"
FORMAT = "densecolor-ab-prior"
FORMAT_VERSION = 1
LIMIT = 10_000  # pictures


def compute_ab_prior(folder, limit=LIMIT):
    """The share of each bin in the softly encoded colours of the train split.

    Zhang R., Isola P., Efros A., "Colorful Image Colorization", ECCV 2016: all pixels are spread over their 5 nearest
    bins as the targets of the training are, and the shares are smoothed in the plane of a and b by a Gaussian of
    sigma 5. The paper takes all of ImageNet; here up to `limit` pictures, evenly spread over the shards, are read.

    Args:
        folder: a folder that densecolor-pack made.
        limit: pictures that are read, at most.

    Returns:
        float64 array (313,) of sum 1, in the order of `densecolor.color.ab_bins.AB_BINS`.

    Raises:
        FileNotFoundError: there is no such folder.
        ShardError: it is no packed folder, has no training pictures, or is damaged.

    Example:
        >>> prior = compute_ab_prior("packed")
        >>> AB_BINS[prior.argmax()].tolist()
        [0.0, 0.0]
    """
    counts = ab_histogram(folder, limit, split="train")
    colors = np.argwhere(counts)
    prior = counts[counts > 0] @ encode_ab(colors - 128)
    return smooth_distribution(prior / prior.sum())


def write_ab_prior(folder, limit=LIMIT):
    """Compute the prior and write `ab-prior.json` beside the shards, in place of an earlier one.

    Args:
        folder, limit: as in `compute_ab_prior`.

    Returns:
        Path of the file.

    Raises:
        FileNotFoundError, ShardError: as `compute_ab_prior`.
        OSError: the folder cannot be written to.
    """
    path = Path(folder) / AB_PRIOR_NAME
    prior = compute_ab_prior(folder, limit)
    document = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "manifest_sha256": sha256_of(path.with_name(MANIFEST_NAME)),
        "pictures": min(limit, read_manifest(folder).count("train")),
        "prior": prior.tolist(),
    }
    write_atomically(path, json.dumps(document, indent=1) + "\n")
    return path


def read_ab_prior(folder):
    """Read the prior that `write_ab_prior` has left in a packed folder.

    Returns:
        float64 array (313,) of sum 1; None where there is no such file.

    Raises:
        ShardError: it is damaged, of a newer version, or of other pictures than the folder's manifest lists.
    """
    path = Path(folder) / AB_PRIOR_NAME
    if not path.exists():
        return None
    again = f"Run densecolor-inspect {folder} --ab-prior again."
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        version = (document["format"], document["format_version"])
        manifest, prior = document["manifest_sha256"], np.array(document["prior"], np.float64)
    except (ValueError, KeyError, TypeError) as error:
        raise ShardError(f"{path} is damaged ({error!r}). {again}") from None
    if version != (FORMAT, FORMAT_VERSION):
        raise ShardError(f"{path} is of a format that this version does not read: {version}. {again}")
    if manifest != sha256_of(path.with_name(MANIFEST_NAME)):
        raise ShardError(f"{path} was made of other pictures than {folder} now holds. {again}")
    if prior.shape != (len(AB_BINS),) or not np.all(prior >= 0) or not np.isclose(prior.sum(), 1):
        raise ShardError(f"{path} is damaged (no distribution over {len(AB_BINS)} bins). {again}")
    return prior
