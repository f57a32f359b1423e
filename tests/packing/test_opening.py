"""What `auto` makes of a source, which options a layout takes, and pairs and medical files from path to shard."""

import csv
import zipfile

import cv2
import numpy as np
import pytest
import skimage.color
from made_medical import NIBABEL_FILES
from made_medical import make_dicom
from made_medical import make_nifti
from made_sources import write_files

from densecolor.errors import DensecolorError
from densecolor.errors import SourceError
from densecolor.image_io import encode_image
from densecolor.packing import open_source
from densecolor.packing import pack
from densecolor.packing.sources import open_sources
from densecolor.shards import open_shard
from densecolor.shards import read_rejected

GRAY = (np.arange(48, dtype=np.uint16) * 80).reshape(6, 8)
SCAN = make_dicom(GRAY)
VOLUME = make_nifti(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.eye(4))
ONE = {"workers": 1, "image_size": 16, "validation_fraction": 0}


@pytest.mark.parametrize(
    ("contents", "layout"),
    [
        ({"a/IM1": SCAN, "README": b"text"}, "dicom"),
        ({"a/b.dcm": SCAN, "DICOMDIR": SCAN}, "dicom"),
        ({"sub-01/brain.nii.gz": VOLUME, "participants.tsv": b"text"}, "nifti"),
        ({"photo.png": b"", "README": b"text"}, "folder"),
    ],
)
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_medical_files_are_recognised(tmp_path, contents, layout, kind):
    path = write_files(tmp_path / "source", contents)
    if kind == "zip":
        path = tmp_path / "source.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in contents.items():
                archive.writestr(name, content)
    source = open_source(path)
    assert source.layout == layout
    assert source.is_private == (layout != "folder")


@pytest.mark.parametrize(
    ("contents", "layouts"),
    [
        ({"scan.dcm": SCAN, "photo.png": b""}, "dicom, folder"),
        ({"IM1": SCAN, "brain.nii": VOLUME}, "dicom, nifti"),
        ({"brain.nii": VOLUME, "a/photo.png": b""}, "nifti, folder"),
    ],
)
def test_files_for_several_layouts_want_a_choice(tmp_path, contents, layouts):
    path = write_files(tmp_path, contents)
    with pytest.raises(SourceError, match=f"holds files for several layouts. Choose one of them: {layouts}"):
        open_source(path)
    for layout in layouts.split(", "):
        assert open_source(path, layout).layout == layout


def test_one_window_is_not_for_two_kinds(tmp_path):
    write_files(tmp_path, {"a/scan.dcm": SCAN, "b/brain.nii": VOLUME})
    with pytest.raises(SourceError, match="one thing for DICOM and another for NIfTI"):
        open_sources([tmp_path / "a", tmp_path / "b"], window=(40, 400))


@pytest.mark.parametrize(
    ("name", "content", "layout", "keys"),
    [
        ("IM0001", SCAN, "dicom", ["IM0001"]),
        ("brain.nii", VOLUME, "nifti", [f"brain.nii#000{i}" for i in range(5)]),
        ("brain.nii.gz", (NIBABEL_FILES / "example4d.nii.gz").read_bytes(), "nifti", None),
        ("photo.png", b"", "glob", ["photo.png"]),
    ],
)
def test_one_file(tmp_path, name, content, layout, keys):
    write_files(tmp_path, {name: content, "another.dcm": SCAN, "another.nii": VOLUME, "another.png": b""})
    source = open_source(tmp_path / name)
    assert source.layout == layout
    assert len(source.entries) == 48 if keys is None else [entry.key for entry in source.entries] == keys


def test_patterns_of_medical_files(tmp_path):
    write_files(tmp_path, {"p1/a.dcm": SCAN, "p2/b.dcm": SCAN, "p2/c.nii": VOLUME, "p3/d.png": b""})
    assert [entry.key for entry in open_source(f"{tmp_path}/*/*.dcm").entries] == ["p1/a.dcm", "p2/b.dcm"]
    source = open_source(f"{tmp_path}/**/*.nii", plane="coronal")
    assert len(source.entries) == 4
    assert source.read(source.entries[3]).picture.pixels.shape == (5, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([""], "pairs"), r"Layout pairs wants two sources.*Received: 1\."),
        ((["", "", ""], "pairs"), r"Layout pairs wants two sources.*Received: 3\."),
        ((["", ""], "glob"), "Layout glob wants a pattern or a picture"),
        (([""], "auto", None, (1, 2)), r"window=\(1, 2\) is for layout dicom and nifti and pairs only.*layout folder"),
        (([""], "auto", None, None, "axial"), "plane='axial' is for layout nifti only"),
        ((["", ""], "pairs", None, None, "axial"), "plane='axial' is for layout nifti only.*layout pairs"),
        ((["", ""], "pairs", "/"), "root='/' is for list files only; .* and .* has layout pairs"),
        ((["missing", ""], "pairs"), "There is no source .*missing"),
    ],
)
def test_options_that_do_not_fit(tmp_path, arguments, message):
    write_files(tmp_path, {"a.png": b""})
    paths, *rest = arguments
    with pytest.raises(SourceError, match=message):
        open_sources([tmp_path / path for path in paths], *rest)
    with pytest.raises(SourceError, match=r"Layout pairs wants two sources.*alone"):
        open_source(tmp_path, "pairs")


def by_path(mapping):
    with open(mapping, newline="") as file:
        return {path: key for key, path in list(csv.reader(file))[2:]}


def test_pairs_from_path_to_shard(tmp_path, photographs):
    photo = cv2.resize(photographs["coffee.png"], (64, 64), interpolation=cv2.INTER_AREA)
    ramp = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    ct = write_files(tmp_path / "ct", {"thorax/1.dcm": make_dicom(ramp), "alone.dcm": SCAN})
    photos = write_files(
        tmp_path / "photos",
        {"thorax/1.png": encode_image(photo, ".png"), "2.png": encode_image(photo, ".png")},
    )
    mapping = tmp_path / "private.csv"
    result = pack([ct, photos], tmp_path / "out", layout="pairs", mapping=mapping, **ONE)
    keys = by_path(mapping)
    with open_shard(result.out / "train-00000-of-00001.h5") as shard:
        assert shard.keys == [keys["thorax/1.png"]]
        small = cv2.resize(photo, (16, 16), interpolation=cv2.INTER_AREA)
        assert np.abs(shard.ab[0] - skimage.color.rgb2lab(small)[..., 1:]).mean() < 0.6
        gray = ramp.reshape(16, 4, 16, 4).mean((1, 3)) / 4095
        lightness = skimage.color.rgb2lab(np.dstack([gray] * 3))[..., 0]
        assert np.abs(shard.L[0] / 2.55 - lightness).max() < 0.5
    reason = "there is no picture of the same name in the other folder"
    rejected = read_rejected(result.out, 2)
    assert {key for key, _, _ in rejected} == {keys["2.png"], keys["lightness/alone.dcm"]}
    assert {reason for _, _, reason in rejected} == {reason}


def test_a_window_and_a_limit_reach_the_medical_readers(tmp_path):
    write_files(tmp_path / "source", {"scan.dcm": SCAN})
    options = {"keep_grayscale": True, **ONE}
    result = pack(tmp_path / "source", tmp_path / "a", window=(10_000, 1), **options)
    with open_shard(result.out / "train-00000-of-00001.h5") as shard:
        assert not shard.L[0].any()
    with pytest.raises(SourceError, match=r"None of the images is usable \(8 x 6 is more than max_pixels=47"):
        pack(tmp_path / "source", tmp_path / "b", max_pixels=47, **options)
    assert pack(tmp_path / "source", tmp_path / "a", window=(10_000, 1), **options).resumed == 1
    with pytest.raises(DensecolorError, match=r"with other options \(window was \[10000, 1\] and is None\)"):
        pack(tmp_path / "source", tmp_path / "a", **options)


def test_a_mapping_hides_paths_of_any_layout_and_must_not_be_passed_on(tmp_path, photographs):
    photo = encode_image(photographs["coffee.png"][:64, :64], ".png")
    source = write_files(tmp_path / "source", {"Zweistein/1.png": photo})
    with pytest.raises(DensecolorError, match=r"mapping .*keys\.csv would lie inside"):
        pack(source, tmp_path / "out", mapping=tmp_path / "out/keys.csv", **ONE)
    assert not (tmp_path / "out").exists()
    result = pack(source, tmp_path / "out", mapping=tmp_path / "keys.csv", **ONE)
    with open_shard(result.out / "train-00000-of-00001.h5") as shard:
        assert [*shard.keys, *shard.class_names] == list(by_path(tmp_path / "keys.csv").values())
    assert not [path for path in result.out.iterdir() if b"Zweistein" in path.read_bytes()]
