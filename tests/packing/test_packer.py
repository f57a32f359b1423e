import csv
import dataclasses
import hashlib
import io
import os

import cv2
import numpy as np
import pytest
import skimage.color
from PIL import Image
from test_resume import contents

from densecolor.color import dequantize_lightness
from densecolor.color import lab_to_srgb
from densecolor.errors import DensecolorError
from densecolor.errors import SourceError
from densecolor.packing import pack
from densecolor.shards import open_dataset
from densecolor.shards import open_shard
from densecolor.shards import read_manifest
from densecolor.shards import verify

SIZE = 24  # half of the pictures' height, so that fitting is an average of 2 x 2 pixels


@pytest.fixture(scope="session")
def colourful(photographs):
    """Forty different colour pictures, uint8 (48, 64, 3)."""
    small = [cv2.resize(photo, (128, 96), interpolation=cv2.INTER_AREA) for photo in photographs.values()]
    return [small[i % 5][i : i + 48, i : i + 64] for i in range(40)]


@pytest.fixture
def make_source(tmp_path):
    """A function that writes files below tmp_path/source: {path: array or bytes}; it returns the folder."""

    def make(files):
        folder = tmp_path / "source"
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode(content, path.suffix) if isinstance(content, np.ndarray) else content)
        return folder

    return make


def encode(pixels, suffix):
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    return cv2.imencode(suffix, pixels)[1].tobytes()


def packed_lab(out):
    """All packed pictures as Lab, by key."""
    pictures = {}
    for path in sorted(out.glob("*.h5")):
        with open_shard(path) as shard:
            for i, key in enumerate(shard.keys):
                lightness = dequantize_lightness(shard.L[i])
                pictures[key] = np.dstack([lightness, shard.ab[i].astype(np.float32)])
    return pictures


def reference_lab(rgb):
    """The packed square of a landscape picture by NumPy and scikit-image alone."""
    left = (rgb.shape[1] - rgb.shape[0]) // 2
    square = rgb[:, left : left + rgb.shape[0]].astype(np.float64)
    means = square.reshape(SIZE, 2, SIZE, 2, 3).mean((1, 3))
    full_scale = 65535 if rgb.dtype == np.uint16 else 255
    return skimage.color.rgb2lab(means / full_scale)


def rejected_rows(out):
    with open(out / "rejected.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def digests(out):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.iterdir())}


def with_pillow(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def sixteen_bit(rgb):
    deep = rgb.astype(np.uint16) * 257
    deep[..., 0] ^= 0x55  # no 8-bit picture
    return deep


def test_packed_pictures_equal_an_independent_conversion(make_source, tmp_path, colourful):
    source = make_source({f"{i % 2}/{i}.png": rgb for i, rgb in enumerate(colourful[:10])})
    result = pack(source, tmp_path / "out", image_size=SIZE, workers=1)
    pictures = packed_lab(result.out)
    assert len(pictures) == 10
    for i, rgb in enumerate(colourful[:10]):
        # 8-bit pixels before and rounding after: 0.2 in L, 0.5 in a and b, and half an 8-bit step of sRGB
        difference = np.abs(pictures[f"{i % 2}/{i}.png"] - reference_lab(rgb))
        assert difference.mean() < 0.4
        assert difference[..., 0].max() < 1


def test_what_a_shard_says_about_its_pictures(make_source, tmp_path, colourful):
    source = make_source({f"{name}/{i}.png": colourful[i] for i, name in enumerate(["fox", "elk", "fox"])})
    result = pack(source, tmp_path / "out", image_size=16, workers=1, validation_fraction=0, fit="pad")
    with open_shard(result.out / "train-00000-of-00001.h5") as shard:
        assert shard.class_names == ["elk", "fox"]
        assert dict(zip(shard.keys, shard.labels.tolist(), strict=True)) == {
            "fox/0.png": 1,
            "elk/1.png": 0,
            "fox/2.png": 1,
        }
        assert shard.original_sizes.tolist() == [[48, 64]] * 3
        assert shard.options == result.manifest.options
        assert (
            shard.options.items()
            >= {
                "layout": "folder",
                "image_size": 16,
                "fit": "pad",
                "shard_size": 1024,
                "validation_fraction": 0,
                "compression": "lzf",
                "keep_grayscale": False,
                "masks": "none",
                "images": 3,
            }.items()
        )
    assert read_manifest(result.out) == result.manifest
    assert verify(result.out) == []


def test_kinds_of_pictures(make_source, tmp_path, colourful):
    rgb = colourful[0]
    image = Image.fromarray(rgb)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise for display
    turned = Image.fromarray(np.ascontiguousarray(np.rot90(rgb)))
    alpha = np.full(rgb.shape[:2], 255, np.uint8)
    alpha[:, :32] = 0
    on_white = np.where(alpha[..., None] > 0, rgb, np.uint8(255))
    palette = image.quantize(64)
    deep = sixteen_bit(rgb)
    files = {
        "cmyk.jpg": (with_pillow(image.convert("CMYK"), "JPEG", quality=100, subsampling=0), rgb),
        "palette.png": (with_pillow(palette, "PNG"), np.asarray(palette.convert("RGB"))),
        "alpha.png": (with_pillow(Image.fromarray(np.dstack([rgb, alpha])), "PNG"), on_white),
        "deep.png": (encode(deep, ".png"), deep),
        "deep.tif": (encode(deep, ".tif"), deep),
        "turned.jpg": (with_pillow(turned, "JPEG", exif=exif, quality=100, subsampling=0), rgb),
        "wrong-suffix.jpg": (with_pillow(image, "PNG"), rgb),
        "plain.webp": (with_pillow(image, "WEBP", lossless=True), rgb),
    }
    source = make_source({name: data for name, (data, _) in files.items()})
    result = pack(source, tmp_path / "out", image_size=SIZE, workers=1, validation_fraction=0)
    pictures = packed_lab(result.out)
    assert rejected_rows(result.out) == []
    for name, (_, pixels) in files.items():
        difference = np.abs(pictures[name] - reference_lab(pixels)).mean()
        assert difference < (1 if name.endswith("jpg") else 0.4), name


def test_unusable_files_are_rejected_with_a_reason_and_the_rest_packed(make_source, tmp_path, colourful):
    whole = encode(colourful[0], ".jpg")
    source = make_source(
        {
            "broken.png": b"\x89PNG\r\n\x1a\n" + bytes(100),
            "cut.jpg": whole[: len(whole) // 2],
            "empty.jpg": b"",
            "gray.jpg": cv2.cvtColor(colourful[0], cv2.COLOR_RGB2GRAY),
            "gray as colour.png": np.repeat(colourful[0][..., :1], 3, axis=2),
            "notes.txt": b"not an image, and not called one",
            "text\n.jpg": b"not an image",
            "good.jpg": whole,
        }
    )
    (source / "link.jpg").symlink_to(source / "nowhere.jpg")
    result = pack(source, tmp_path / "out", image_size=SIZE, workers=1, validation_fraction=0)
    assert list(packed_lab(result.out)) == ["good.jpg"]
    rows = rejected_rows(result.out)
    assert {row["key"]: row["reason"].split(":")[0].split(" (")[0] for row in rows} == {
        "broken.png": "truncated PNG",
        "cut.jpg": "truncated JPEG",
        "empty.jpg": "the file is empty",
        "gray as colour.png": "grayscale",
        "gray.jpg": "grayscale",
        "link.jpg": "cannot be read",
        "text\n.jpg": "not a picture of a known format",
    }
    assert {row["split"] for row in rows} == {"train"}
    assert result.manifest.rejected == len(rows) == sum(result.rejected.values())
    assert next(iter(result.rejected.items())) == ("grayscale", 2)
    assert result.manifest.count() + result.manifest.rejected == 8


def test_keep_grayscale(make_source, tmp_path, colourful):
    gray = cv2.cvtColor(colourful[0], cv2.COLOR_RGB2GRAY)
    source = make_source({"gray.png": gray, "colour.png": colourful[1]})
    result = pack(source, tmp_path / "out", image_size=SIZE, workers=1, keep_grayscale=True)
    lab = packed_lab(result.out)["gray.png"]
    assert not lab[..., 1:].any()
    np.testing.assert_allclose(lab, reference_lab(np.dstack([gray] * 3)), atol=1)


@pytest.mark.parametrize("compression", ["lzf", "gzip", "none"])
def test_compressions_hold_the_same(make_source, tmp_path, colourful, compression):
    files = {f"{i}.png": rgb for i, rgb in enumerate(colourful[:6])} | {"empty.png": b""}
    source = make_source(files)
    result = pack(source, tmp_path / "out", image_size=SIZE, workers=1, compression=compression, shard_size=4)
    reference = pack(source, tmp_path / "reference", image_size=SIZE, workers=1)
    pictures, others = packed_lab(result.out), packed_lab(reference.out)
    assert pictures.keys() == others.keys() == files.keys() - {"empty.png"}
    assert all((pictures[key] == others[key]).all() for key in others)


def test_any_number_of_workers_gives_the_same_datasets(make_source, tmp_path, colourful):
    files = {f"{i % 3}/{i}.jpg": rgb for i, rgb in enumerate(colourful)} | {"0/broken.jpg": b"x", "1/empty.jpg": b""}
    source = make_source(files)
    options = {"image_size": 256, "shard_size": 30, "validation_fraction": 0.2}
    one, three = (pack(source, tmp_path / f"out{workers}", workers=workers, **options) for workers in (1, 3))
    assert one.manifest.count() == 40
    assert contents(one.out) == contents(three.out)


def test_adding_pictures_moves_none(make_source, tmp_path, colourful):
    def keys_by_split(name, pictures):
        source = make_source({f"{i}.png": rgb for i, rgb in enumerate(pictures)})
        out = pack(source, tmp_path / name, image_size=8, workers=1, validation_fraction=0.3).out
        return {
            split: {key for number in range(len(part.paths)) for key in part.shard(number).keys}
            for split in ("train", "validation")
            for part in [open_dataset(out, split)]
        }

    before = keys_by_split("before", colourful[:20])
    after = keys_by_split("after", colourful)
    assert all(before[split] <= after[split] for split in before)
    assert sum(map(len, after.values())) == 40


def test_shards_are_assigned_before_pictures_are_decoded(make_source, tmp_path, colourful):
    files = {f"{i}.png": colourful[i] if i % 3 else b"broken" for i in range(20)}
    result = pack(make_source(files), tmp_path / "out", image_size=8, workers=1, validation_fraction=0, shard_size=6)
    assert [shard.name for shard in result.manifest.shards] == [f"train-{i:05d}-of-00004.h5" for i in range(4)]
    assert sum(shard.count for shard in result.manifest.shards) == 13
    single = pack(make_source(files), tmp_path / "single", image_size=8, workers=1, shard_size=1)
    assert sorted(shard.count for shard in single.manifest.shards) == [0] * 7 + [1] * 13
    assert open_dataset(single.out, "train").count + open_dataset(single.out, "validation").count == 13


def test_list_file_with_missing_and_repeated_paths(make_source, tmp_path, colourful):
    make_source({"a.png": colourful[0], "b.png": colourful[1]})
    path = tmp_path / "list.txt"
    path.write_text("a.png 0\nmissing.png 1\n./a.png 1\nb.png 2\n")
    result = pack(path, tmp_path / "out", root=tmp_path / "source", image_size=8, workers=1, validation_fraction=0)
    rows = {row["key"]: row["reason"] for row in rejected_rows(result.out)}
    assert rows == {"a.png": "duplicate key", "missing.png": "cannot be read: No such file or directory"}
    with open_shard(result.out / "train-00000-of-00001.h5") as shard:
        assert dict(zip(shard.keys, shard.labels.tolist(), strict=True)) == {"a.png": 0, "b.png": 2}
        assert shard.class_names == ["0", "1", "2"]


def test_progress_counts_every_picture(make_source, tmp_path, colourful):
    source = make_source({f"{i}.png": rgb for i, rgb in enumerate(colourful)} | {"empty.png": b""})
    calls = []
    pack(source, tmp_path / "out", image_size=512, workers=1, progress=lambda *call: calls.append(call))
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    assert calls[-1] == (41, 41)


def test_out_must_not_hold_anything_else_nor_lie_inside_the_source(make_source, tmp_path, colourful):
    source = make_source({"a.png": colourful[0]})
    out = tmp_path / "out"
    pack(source, out, image_size=8, workers=1)
    before = digests(out)
    with pytest.raises(DensecolorError, match=r"out holds a packed dataset .*image_size was 8 and is 16\)\. Delete it"):
        pack(source, out, image_size=16, workers=1)
    assert digests(out) == before
    (out / "manifest.json").unlink()
    with pytest.raises(DensecolorError, match="out holds files that are no packing of ours"):
        pack(source, out, image_size=8, workers=1)
    with pytest.raises(DensecolorError, match=r"rejected\.csv is a file"):
        pack(source, out / "rejected.csv")
    with pytest.raises(DensecolorError, match="inside the source"):
        pack(source, source / "deep" / "out")
    (tmp_path / "alias").symlink_to(source)
    with pytest.raises(DensecolorError, match="inside the source"):
        pack(source, tmp_path / "alias" / "out")
    assert sorted(os.listdir(source)) == ["a.png"]


def test_a_source_without_usable_pictures_is_an_error_that_says_why(make_source, tmp_path, colourful):
    gray = cv2.cvtColor(colourful[0], cv2.COLOR_RGB2GRAY)
    source = make_source({"a.png": gray, "b.png": gray, "c.png": b""})
    with pytest.raises(SourceError, match=r"None of the images .*\(grayscale: 2, the file is empty: 1\)"):
        pack(source, tmp_path / "out", workers=1)
    assert len(rejected_rows(tmp_path / "out")) == 3
    assert not (tmp_path / "out/manifest.json").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fit": "zoom"}, "Unknown fit='zoom'. Choose from crop, pad, stretch"),
        ({"compression": "zip"}, "Unknown compression='zip'. Choose from lzf, gzip, none"),
        ({"image_size": 0}, "`image_size` must be from 1 to 8192. Received: image_size=0"),
        ({"shard_size": 0}, "`shard_size` must be at least 1"),
        ({"validation_fraction": 1.0}, "`validation_fraction` must be at least 0 and less than 1"),
        ({"workers": 0}, "`workers` must be at least 1"),
    ],
)
def test_wrong_options(make_source, tmp_path, colourful, options, message):
    source = make_source({"a.png": colourful[0]})
    with pytest.raises(DensecolorError, match=message):
        pack(source, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_result_is_a_record(make_source, tmp_path, colourful):
    result = pack(make_source({"a.png": colourful[0]}), tmp_path / "out", image_size=8, workers=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.seconds = 0


def test_photographs_at_full_size_stand_at_fifty_decibels(make_source, tmp_path, photographs):
    squares = {name: np.ascontiguousarray(rgb[-256:, -256:]) for name, rgb in photographs.items()}
    result = pack(make_source({f"{name}.png": squares[name] for name in squares}), tmp_path / "out", workers=1)
    assert result.manifest.count() == 5
    for key, lab in packed_lab(result.out).items():
        rgb = squares[key.removesuffix(".png")]
        assert cv2.PSNR(lab_to_srgb(lab, in_gamut=True), rgb) > 50
        assert np.abs(lab - skimage.color.rgb2lab(rgb)).mean() < 0.4
