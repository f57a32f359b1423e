import io
import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
import rich.console
import skimage.color
from conftest import write_packed

from densecolor import shards
from densecolor.dataset import iterate
from densecolor.errors import ShardError
from densecolor.inspection import ab_histogram
from densecolor.inspection import inspect
from densecolor.inspection.colors import write_histogram


def shown(inspection, width=100):
    console = rich.console.Console(width=width, file=io.StringIO())
    console.print(inspection.table())
    return console.file.getvalue()


def sign(folder, **changes):
    manifest = shards.read_manifest(folder)
    facts = {"options": {"fit": "crop", "masks": None}, "rejected": 0} | changes
    shards.write_manifest(
        folder, shards.Manifest(manifest.image_size, manifest.class_names, shards=manifest.shards, **facts)
    )
    return folder


def test_figures_of_a_folder(packed):
    calls = []
    inspection = inspect(packed, progress=lambda *call: calls.append(call))
    assert inspection.splits == ["train", "validation"]
    assert [inspection.count(split) for split in ("train", "validation", None)] == [21, 9, 30]
    assert [(shard.name, shard.count, shard.labelled) for shard in inspection.shards] == [
        ("train-00000-of-00003.h5", 8, 7),
        ("train-00001-of-00003.h5", 8, 8),
        ("train-00002-of-00003.h5", 5, 5),
        ("validation-00000-of-00002.h5", 8, 8),
        ("validation-00001-of-00002.h5", 1, 1),
    ]
    assert inspection.labelled == 29
    assert inspection.bytes == sum(path.stat().st_size for path in packed.glob("*.h5"))
    assert inspection.class_rows() == [
        {"label": 0, "name": "cat", "train": 7, "validation": 3},
        {"label": 1, "name": "coffee", "train": 6, "validation": 3},
        {"label": 2, "name": "rocket", "train": 7, "validation": 3},
    ]
    # Heights are 100 to 107 in a full shard, 100 to 104 and 100 in the two shorter ones: 15 of 30 are below 103.
    heights = sorted([*range(100, 108)] * 3 + [*range(100, 105)] + [100])
    assert (inspection.heights.min, inspection.heights.max) == (100, 107)
    assert inspection.heights.median == (heights[14] + heights[15]) / 2
    assert (inspection.widths.min, inspection.widths.median, inspection.widths.max) == (200, 200, 200)
    assert calls == [(i, 5) for i in range(1, 6)]
    assert inspection.written == []


def test_table_shows_what_matters(tmp_path, crops):
    folder = write_packed(tmp_path / "p", {"train": (crops, np.arange(30) % 2)}, ["[red]", "b"], with_mask=True)
    rows = [("a", "train", "grayscale"), ("b", "train", "not decodable: x"), ("c", "train", "grayscale")]
    shards.write_rejected_rows(folder, rows)
    text = shown(inspect(sign(folder, rejected=3)))
    for part in (
        "30 of 32 x 32 pixels",
        "3 (grayscale: 2, not decodable: 1)",
        "from 100 to 107 pixels",
        "fit crop, masks null",
        "train-00003-of-00004.h5",
        "[red]",
        "yes",
        "From 15 pictures of '[red]' to 15 of 'b'.",
    ):
        assert part in text
    assert "more" not in text


def test_long_lists_are_cut_on_screen_and_whole_in_json(tmp_path, crops):
    names = [f"class {label}" for label in range(25)]
    folder = write_packed(tmp_path / "p", {"train": (crops, np.arange(30) % 25)}, names, shard_size=1)
    inspection = inspect(folder)
    text = shown(inspection)
    assert "... and 10 more shards; --json lists them all." in text
    assert "... and 5 more classes; --json lists them all." in text
    assert "class 19" in text
    assert "class 20" not in text
    document = json.loads(inspection.to_json())
    assert [each["name"] for each in document["classes"]] == names
    assert [each["train"] for each in document["classes"]] == [2] * 5 + [1] * 20
    assert len(document["shards"]) == 30
    assert document["original_height"] == {"min": 100, "median": 100.0, "max": 100}


def test_options_of_a_merged_folder(tmp_path, crops):
    folder = write_packed(tmp_path / "p", {"train": (crops, np.full(30, -1))})
    text = shown(inspect(sign(folder, options={"merged": [{"fit": "crop"}, {"fit": "pad"}]})))
    assert "merged from 2 folders:" in text
    assert [line.split() for line in text.splitlines() if "fit" in line] == [["fit", "crop"], ["fit", "pad"]]
    assert "0, 0 classes" in text


def test_a_single_shard(packed):
    path = packed / "train-00002-of-00003.h5"
    inspection = inspect(path)
    assert (inspection.count(), inspection.splits, inspection.rejected) == (5, ["train"], None)
    assert "only the manifest of the folder knows" in shown(inspection)
    with pytest.raises(ShardError, match=r"is one shard; .* Name .*labelled"):
        inspect(path, output="looks")


def test_an_empty_shard(tmp_path):
    path = tmp_path / "test-00000-of-00001.h5"
    with shards.ShardWriter(path, capacity=3, image_size=8, split="test"):
        pass
    inspection = inspect(path)
    assert (inspection.count(), inspection.heights) == (0, None)
    assert json.loads(inspection.to_json())["original_width"] is None
    assert "0 of 8 x 8 pixels" in shown(inspection)


def test_histogram_counts_every_pixel(packed):
    colors = [record.ab for split in ("train", "validation") for record in iterate(packed, split)]
    ab = np.stack(colors).reshape(-1, 2).astype(float)
    edges = np.arange(-128.5, 128)
    expected, _, _ = np.histogram2d(ab[:, 0], ab[:, 1], [edges, edges])
    np.testing.assert_array_equal(ab_histogram(packed), expected)


def test_histogram_of_a_sample_is_spread_over_all_shards(packed):
    colors = [record.ab for split in ("train", "validation") for record in iterate(packed, split)]
    edges = np.arange(-128.5, 128)
    ab = np.stack(colors[::3]).reshape(-1, 2).astype(float)  # 10 of 30
    expected, _, _ = np.histogram2d(ab[:, 0], ab[:, 1], [edges, edges])
    np.testing.assert_array_equal(ab_histogram(packed, limit=10), expected)


def find_frame(picture):
    """Top, bottom, left and right of the axes' frame: its lines are longest, and end where the colour bar's go on."""
    dark = (picture < 60).all(axis=-1)
    rows = np.flatnonzero(dark.sum(axis=1) > picture.shape[1] * 0.6)
    top, bottom = rows[0], rows[-1]
    columns = np.flatnonzero(dark[top : bottom + 1].all(axis=0) & ~dark[top - 5])
    return top, bottom, columns[0], columns[-1]


def test_colours_lie_where_the_axes_say(tmp_path):
    """A histogram of one colour is one spot; its surroundings have the colours of their place."""
    histogram = np.zeros((256, 256), int)
    a, b = 40, 20
    histogram[118 + a : 139 + a, 118 + b : 139 + b] = 7  # 10 to either side
    write_histogram(histogram, tmp_path / "h.png")
    picture = cv2.imread(str(tmp_path / "h.png"))[..., ::-1]
    top, bottom, left, right = find_frame(picture)

    def pixel(a, b):
        x = left + (a + 128.5) / 256 * (right - left)
        y = bottom - (b + 128.5) / 256 * (bottom - top)
        return picture[round(y), round(x)].astype(float)

    inside, beside = pixel(a, b), pixel(a + 15, b)
    assert np.abs(inside - beside).max() > 60
    assert (pixel(a + 8, b + 8) == inside).all()
    assert (pixel(a - 8, b - 8) == inside).all()
    assert (pixel(-100, -100) == 255).all()  # sRGB has no such colour
    for place in [(60, 30), (-50, 50), (20, -60), (10, 70), (-30, 0)]:
        lab = skimage.color.rgb2lab(pixel(*place) / 255)
        assert np.dot(lab[1:], place) > 0.9 * np.linalg.norm(lab[1:]) * np.linalg.norm(place)  # hue of the place


def test_pictures_are_written_and_replaced(packed, tmp_path):
    for _ in range(2):
        inspection = inspect(packed, tmp_path / "new/looks")
        assert [path.name for path in inspection.written] == ["ab-histogram.png", "contact-sheet.png"]
    assert len(list((tmp_path / "new/looks").iterdir())) == 2
    for path in inspection.written:
        assert min(cv2.imread(str(path)).shape[:2]) > 300


def test_damaged_and_missing_data(tmp_path, crops):
    with pytest.raises(FileNotFoundError, match="no packed folder"):
        inspect(tmp_path / "nowhere")
    folder = write_packed(tmp_path / "p", {"train": (crops, np.zeros(30, int))})
    with pytest.raises(ShardError, match=r"rejected\.csv is missing; the manifest says that 4"):
        inspect(sign(folder, rejected=4))
    sign(folder)
    (folder / "train-00001-of-00004.h5").write_bytes(b"no shard")
    with pytest.raises(ShardError, match=r"train-00001-of-00004\.h5 is not a whole HDF5 file"):
        inspect(folder)
    (folder / "train-00001-of-00004.h5").unlink()
    with pytest.raises(FileNotFoundError, match=r"no shard .*train-00001-of-00004\.h5"):
        inspect(folder)


def test_importing_it_does_not_import_matplotlib():
    code = "import sys, densecolor.inspection; print({'matplotlib', 'keras', 'tensorflow'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "set()\n"
