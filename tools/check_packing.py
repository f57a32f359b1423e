"""How faithful a packed folder is to its source: PSNR in sRGB, and the distance from scikit-image's Lab.

    python tools/check_packing.py SOURCE PACKED [--root FOLDER]

Every packed picture is compared with the same square of its source, decoded and fitted again.
"""

import argparse

import cv2
import numpy as np
import skimage.color

from densecolor.color import dequantize_lightness
from densecolor.color import lab_to_srgb
from densecolor.packing import open_source
from densecolor.packing.transforms import fit_picture
from densecolor.shards import open_dataset
from densecolor.shards import read_manifest


def compare(source, packed, root=None):
    """Compare every packed picture with its source.

    Returns:
        dict: key -> (PSNR in dB, mean absolute differences of L, a and b).
    """
    manifest = read_manifest(packed)
    listing = open_source(source, manifest.options["layout"], root)
    entries = {entry.key: entry for entry in listing.entries}
    figures = {}
    for split in manifest.splits:
        dataset = open_dataset(packed, split)
        for shard in (dataset.shard(number) for number in range(len(dataset.paths))):
            for i, key in enumerate(shard.keys):
                picture = listing.read(entries[key]).picture
                rgb = fit_picture(picture, manifest.image_size, manifest.options["fit"])
                lab = np.dstack([dequantize_lightness(shard.L[i]), shard.ab[i].astype(np.float32)])
                distance = np.abs(lab - skimage.color.rgb2lab(rgb)).mean((0, 1))
                rgb = rgb if rgb.dtype == np.uint8 else np.rint(rgb / 257).astype(np.uint8)
                figures[key] = (cv2.PSNR(lab_to_srgb(lab, in_gamut=True), rgb), *distance)
    return figures


def main():
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("packed")
    parser.add_argument("--root", help="the folder that a list file's paths belong to")
    arguments = parser.parse_args()
    figures = compare(arguments.source, arguments.packed, arguments.root)
    psnr, *distances = np.array(list(figures.values())).T
    lowest = min(figures, key=lambda key: figures[key][0])
    print(f"{len(psnr)} pictures")
    print(f"PSNR in sRGB: mean {psnr.mean():.2f} dB, median {np.median(psnr):.2f}, lowest {psnr.min():.2f} ({lowest})")
    for name, distance in zip("Lab", distances, strict=True):
        print(f"mean difference from scikit-image's {name}: {distance.mean():.3f}, largest {distance.max():.3f}")


if __name__ == "__main__":
    main()
