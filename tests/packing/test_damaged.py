"""Pictures that are broken in every way: each is packed or rejected with a reason, and none stops the others."""

import csv
import os
import unicodedata

import numpy as np
import pytest
from made_medical import PYDICOM_FILES
from made_pictures import encoded
from made_pictures import mutate
from made_pictures import png

from densecolor.packing import pack
from densecolor.shards import open_dataset
from densecolor.shards import read_rejected


def account(source, out, **options):
    """Pack, and require a reason for all that is not.

    Returns:
        (list of packed keys, list of the rejected rows).
    """
    result = pack(source, out, image_size=16, keep_grayscale=True, **options)
    packed = [
        key
        for split in result.manifest.splits
        for dataset in [open_dataset(result.out, split)]
        for number in range(len(dataset.paths))
        for key in dataset.shard(number).keys
    ]
    rejected = read_rejected(result.out, result.manifest.rejected)
    assert all(reason.strip() for _, _, reason in rejected)
    return packed, rejected


def check_account(source, out, **options):
    """Pack, and require that every file is accounted for once, with a reason where it is not packed."""
    packed, rejected = account(source, out, **options)
    names = sorted(path.name for path in source.iterdir())
    assert sorted(packed + [key for key, _, _ in rejected]) == names
    return packed, {key: reason for key, _, reason in rejected}


def test_thousands_of_mutated_pictures(tmp_path, crops):
    random = np.random.default_rng(0)
    source = tmp_path / "source"
    source.mkdir()
    for suffix, data in encoded(crops).items():
        for i in range(500):
            (source / f"{i}.{suffix}").write_bytes(mutate(data, random))
    packed, rejected = check_account(source, tmp_path / "out", workers=2, max_pixels=10**6)
    assert packed  # some changes do no harm
    assert rejected


# Plain, run-length, JPEG, JPEG 2000, deflated, palette, several frames, implicit and big endian.
DICOM_FILES = (
    "CT_small.dcm",
    "MR_small_RLE.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_implicit.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "SC_rgb_rle_2frame.dcm",
    "SC_rgb_small_odd.dcm",
    "693_J2KI.dcm",
    "image_dfl.dcm",
    "examples_palette.dcm",
)


def test_thousands_of_mutated_dicom_files(tmp_path):
    random = np.random.default_rng(0)
    source, mapping = tmp_path / "source", tmp_path / "mapping.csv"
    source.mkdir()
    for name in DICOM_FILES:
        data = (PYDICOM_FILES / name).read_bytes()
        for i in range(200):
            (source / f"{i}.{name}").write_bytes(mutate(data, random))
    packed, rejected = account(source, tmp_path / "out", layout="dicom", workers=2, max_pixels=10**6, mapping=mapping)
    assert packed
    assert rejected
    with open(mapping, newline="") as file:
        paths = dict(list(csv.reader(file))[2:])
    assert sorted(packed + [key for key, _, _ in rejected]) == sorted(paths)
    assert {path.partition("#")[0] for path in paths.values()} == {path.name for path in source.iterdir()}


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_cut_short_at_any_byte(tmp_path, crops, suffix):
    data = encoded(crops)[suffix]
    source = tmp_path / "source"
    source.mkdir()
    for length in range(0, len(data), 7):
        (source / f"{length}.{suffix}").write_bytes(data[:length])
    (source / f"{len(data)}.{suffix}").write_bytes(data)
    packed, _ = check_account(source, tmp_path / "out", workers=1)
    assert packed == [f"{len(data)}.{suffix}"]


def test_odd_names_and_sizes(tmp_path, crops):
    source = tmp_path / "source"
    source.mkdir()
    data = encoded(crops)["png"]
    names = ["new\nline.png", "tab\t.png", "ü.png", unicodedata.normalize("NFD", "ü.png"), "名前.png", 'a,b".png']
    for name in names:
        (source / name).write_bytes(data)
    (source / "text.jpg").write_text("not a picture")
    (source / "png called.jpg").write_bytes(data)
    (source / "dot.png").write_bytes(png(1, 1))
    (source / "bomb.png").write_bytes(png(30_000, 30_000))
    os.symlink(source / "nowhere", source / "link.png")
    packed, rejected = check_account(source, tmp_path / "out", workers=1)
    assert set(packed) == {*names, "png called.jpg", "dot.png"}
    assert rejected.keys() == {"text.jpg", "bomb.png", "link.png"}
    assert rejected["bomb.png"].startswith("30000 x 30000 is more than max_pixels=268,435,456 pixels")


def test_the_limit_on_pixels_can_be_moved(tmp_path, crops):
    source = tmp_path / "source"
    source.mkdir()
    (source / "large.png").write_bytes(png(300, 300))
    (source / "small.png").write_bytes(png(200, 200))
    packed, rejected = check_account(source, tmp_path / "out", workers=1, max_pixels=50_000)
    assert packed == ["small.png"]
    assert "more than max_pixels=50,000" in rejected["large.png"]


def test_what_is_no_regular_file_or_too_large_is_rejected(tmp_path, crops):
    source = tmp_path / "source"
    source.mkdir()
    (source / "good.png").write_bytes(encoded(crops)["png"])
    os.mkfifo(tmp_path / "pipe")
    os.symlink(tmp_path / "pipe", source / "pipe.jpg")
    os.symlink("/dev/zero", source / "device.jpg")
    with open(source / "sparse.png", "wb") as file:
        file.truncate(1 << 40)
    packed, rejected = check_account(source, tmp_path / "out", workers=1)
    assert packed == ["good.png"]
    assert rejected == {
        "pipe.jpg": "cannot be read: not a regular file",
        "device.jpg": "cannot be read: not a regular file",
        "sparse.png": "cannot be read: larger than 2 GiB",
    }
