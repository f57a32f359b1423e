import functools
import pickle

import cv2
import numpy as np
import pytest
from PIL import Image

from densecolor.errors import ImageError
from densecolor.errors import SourceError
from densecolor.image_io import decode_image
from densecolor.packing.files import FolderFiles
from densecolor.packing.masks import MaskedReader
from densecolor.packing.masks import MaskFiles
from densecolor.packing.masks import with_masks
from densecolor.packing.readers import PictureReader
from densecolor.packing.sources import open_sources
from densecolor.packing.sources.base import Entry

RED = (200, 90, 30)


def write(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path, **options)


def write_all(folder, *names):
    for name in names:
        write(folder / name, np.full((3, 4), 255))


@pytest.fixture
def half():
    """A mask of 30 x 40: its left half is foreground."""
    return np.repeat(np.uint8([[255] * 20 + [0] * 20]), 30, axis=0)


@pytest.fixture
def drive(tmp_path, half):
    """A folder as DRIVE is: TIFF photographs and GIF masks."""
    for folder, stem in (("training", "21_training"), ("training", "22_training"), ("test", "01_test")):
        write(tmp_path / f"drive/{folder}/images/{stem}.tif", np.full((30, 40, 3), RED))
        write(tmp_path / f"drive/{folder}/mask/{stem}_mask.gif", half)
    return tmp_path / "drive"


def masked(pictures, masks):
    return MaskedReader(PictureReader(FolderFiles(pictures)), MaskFiles(masks))


def read(reader, path, key=None):
    """What a worker reads that was sent the reader."""
    return pickle.loads(pickle.dumps(reader)).read(reader.locate(Entry(path, path)), key or path)


def test_drive_from_its_top_folder(drive, half):
    reader = masked(drive, drive)
    for path in ("training/images/21_training.tif", "training/images/22_training.tif", "test/images/01_test.tif"):
        sample = read(reader, path)
        assert sample.mask.dtype == np.uint8
        np.testing.assert_array_equal(sample.mask, half)
        assert (sample.picture.pixels == RED).all()
    assert reader.locate(Entry("hash", "test/images/01_test.tif"))[1] == "test/mask/01_test_mask.gif"


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("", "training/images/21_training.tif"),
        ("training", "images/21_training.tif"),
        ("training/images", "21_training.tif"),
    ],
)
@pytest.mark.parametrize("masks", ["", "training", "training/mask"])
def test_drive_from_any_of_its_folders(drive, half, source, path, masks):
    np.testing.assert_array_equal(read(masked(drive / source, drive / masks), path).mask, half)


def test_a_picture_without_a_mask(drive):
    with pytest.raises(ImageError, match=r"^test/images/01_test\.tif: there is no mask for it\.$"):
        read(masked(drive, drive / "training/mask"), "test/images/01_test.tif")
    (drive / "training/mask/21_training_mask.gif").unlink()
    with pytest.raises(ImageError, match=r"^training/images/21_training\.tif: there is no mask for it\.$"):
        read(masked(drive, drive), "training/images/21_training.tif")  # nor is it its own


@pytest.mark.parametrize(
    "name", ["a.png", "a_mask.BMP", "a-MASK.gif", "a_seg.tif", "a_segmentation.png", "deep/er/a_gt.png"]
)
def test_endings_and_suffixes(tmp_path, name):
    write_all(tmp_path, name, "aa.png", "a_masked.png", "_mask.png", ".a.png")
    (tmp_path / "a.txt").write_text("no mask")
    assert MaskFiles(tmp_path).locate("some/where/a.jpeg") == name
    assert MaskFiles(tmp_path).locate("A.jpeg") is None


def test_a_picture_that_is_called_mask(tmp_path):
    write_all(tmp_path, "party_mask.png", "street.png")
    masks = MaskFiles(tmp_path)
    assert masks.locate("party_mask.jpg") == "party_mask.png"
    assert masks.locate("street.jpg") == "street.png"


def test_folders_are_matched_as_far_as_they_are_alike(tmp_path):
    write_all(
        tmp_path, "masks/train/cat/1.png", "masks/train/dog/1.png", "masks/test/dog/1.png", "masks/test/dog/2.png"
    )
    masks = MaskFiles(tmp_path)
    assert masks.locate("images/train/cat/1.jpg") == "masks/train/cat/1.png"
    assert masks.locate("images/train/dog/1.jpg") == "masks/train/dog/1.png"
    assert masks.locate("images/test/dog/1.jpg") == "masks/test/dog/1.png"
    assert masks.locate("images/train/dog/2.jpg") is None  # not the other split's
    assert masks.locate("elsewhere/2.jpg") == "masks/test/dog/2.png"  # the only one of its stem


def test_the_same_folder_goes_before_others(tmp_path):
    write_all(tmp_path, "1.png", "cat/1.png", "cat/more/1.png")
    assert MaskFiles(tmp_path).locate("1.jpg") == "1.png"
    assert MaskFiles(tmp_path).locate("cat/1.jpg") == "cat/1.png"


@pytest.mark.parametrize("names", [("1.png", "1.tif"), ("1_mask.png", "1_seg.png"), ("left/1.png", "right/1.png")])
def test_two_masks_for_one_picture_are_named(tmp_path, names):
    write_all(tmp_path, *names)
    with pytest.raises(SourceError, match="Two masks fit one picture") as error:
        MaskFiles(tmp_path).locate("1.jpg")
    assert all(str(tmp_path / name) in str(error.value) for name in names)


@pytest.mark.parametrize("sources", [["a"], ["a", "b"], ["a/*.png"], ["a/1.png", "b"]])
def test_a_picture_is_never_its_own_mask(tmp_path, sources):
    write_all(tmp_path, "a/1.png", "a/2.png", "b/3.png", "masks/1.png", "masks/2.png", "masks/3.png")
    source = open_sources([tmp_path / path for path in sources])
    with pytest.raises(SourceError, match="All pictures would be masks"):
        with_masks(source, tmp_path)
    assert with_masks(source, tmp_path / "masks").entries == source.entries


def test_masks_inside_one_of_several_sources_are_no_pictures(drive, tmp_path):
    write_all(tmp_path, "more/1.png")
    source = with_masks(open_sources([drive, tmp_path / "more"]), drive)
    assert len(source.entries) == 4
    assert source.class_names == ["images"]


def test_folders_without_masks(tmp_path):
    with pytest.raises(SourceError, match=r"no folder of masks .*absent"):
        MaskFiles(tmp_path / "absent")
    (tmp_path / "readme.txt").write_text("nothing here")
    with pytest.raises(SourceError, match="holds no masks"):
        MaskFiles(tmp_path)


def stored(tmp_path, suffix, pixels):
    assert cv2.imwrite(str(tmp_path / f"a{suffix}"), pixels)
    return MaskFiles(tmp_path).read(f"a{suffix}")


@pytest.mark.parametrize("scale", [1, 255])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_masks_of_0_and_1_and_of_0_and_255(tmp_path, half, scale, dtype, suffix):
    np.testing.assert_array_equal(stored(tmp_path, suffix, (half // 255 * scale).astype(dtype)), half)


def test_soft_16_bit_and_empty_masks(tmp_path):
    np.testing.assert_array_equal(stored(tmp_path, ".png", np.uint16([[0, 257, 25700, 65535]])), [[0, 1, 100, 255]])
    np.testing.assert_array_equal(stored(tmp_path, ".png", np.zeros((2, 3), np.uint16)), np.zeros((2, 3)))


def test_colour_palette_one_bit_and_transparent_masks(tmp_path, half):
    np.testing.assert_array_equal(stored(tmp_path, ".bmp", np.dstack([half * 0, half * 0, half])), half)
    palette = Image.fromarray(half // 255, "P")
    palette.putpalette([0, 0, 0, 0, 128, 0])
    palette.save(tmp_path / "palette.png")
    np.testing.assert_array_equal(MaskFiles(tmp_path).read("palette.png"), half // 255 * 128)
    Image.fromarray(half).convert("1").save(tmp_path / "bits.png")
    np.testing.assert_array_equal(MaskFiles(tmp_path).read("bits.png"), half)
    Image.fromarray(np.dstack([half * 0 + 255, half])).save(tmp_path / "cut-out.png")
    np.testing.assert_array_equal(MaskFiles(tmp_path).read("cut-out.png"), half)


def test_a_mask_of_another_size(tmp_path):
    write(tmp_path / "pictures/a.png", np.zeros((30, 40, 3)))
    write(tmp_path / "Jane Doe/a.png", np.full((30, 20), 255))
    with pytest.raises(ImageError) as error:
        read(masked(tmp_path / "pictures", tmp_path / "Jane Doe"), "a.png", key="5f3a")
    assert str(error.value) == "5f3a: its mask is 20 x 30 pixels, the picture 40 x 30."


@pytest.mark.parametrize("turned", [{"picture"}, {"mask"}, {"picture", "mask"}, set()])
def test_sizes_are_compared_upright(tmp_path, turned):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise
    for name, channels in (("picture", (3,)), ("mask", ())):
        stored_size = (40, 30) if name in turned else (30, 40)
        options = {"exif": exif} if name in turned else {}
        write(tmp_path / name / "a.png", np.full((*stored_size, *channels), 99), **options)
    sample = read(masked(tmp_path / "picture", tmp_path / "mask"), "a.png")
    assert sample.mask.shape == sample.picture.pixels.shape[:2] == (30, 40)


def test_a_picture_may_be_decoded_smaller_its_mask_is_not(tmp_path):
    write(tmp_path / "pictures/a.jpg", np.full((32, 48, 3), RED))
    write(tmp_path / "masks/a.jpg", np.full((32, 48, 3), 255))
    reader = masked(tmp_path / "pictures", tmp_path / "masks")
    decode = functools.partial(decode_image, reduce=lambda width, height: 2)
    sample = reader.read(reader.locate(Entry("a.jpg", "a.jpg")), "a.jpg", decode)
    assert sample.picture.pixels.shape == (16, 24, 3)
    assert sample.mask.shape == (32, 48)


def test_a_folder_of_masks_that_vanishes(tmp_path):
    write_all(tmp_path, "pictures/a.png", "masks/a.png")
    reader = masked(tmp_path / "pictures", tmp_path / "masks")
    place = reader.locate(Entry("a.png", "a.png"))
    assert reader.is_there(place)
    (tmp_path / "masks").rename(tmp_path / "away")
    assert not reader.is_there(place)


@pytest.mark.parametrize(
    ("data", "reason"), [(b"", "the file is empty"), (b"text", "not a picture of a known format"), (None, "truncated")]
)
def test_damaged_masks_are_named_by_the_picture(tmp_path, data, reason):
    write(tmp_path / "pictures/a.png", np.zeros((30, 40, 3)))
    mask = tmp_path / "Jane Doe/a.png"
    write(mask, np.random.default_rng(0).integers(0, 256, (30, 40)))
    mask.write_bytes(mask.read_bytes()[:500] if data is None else data)
    with pytest.raises(ImageError, match=f"^5f3a: its mask: {reason}") as error:
        read(masked(tmp_path / "pictures", tmp_path / "Jane Doe"), "a.png", key="5f3a")
    assert "Jane" not in str(error.value)


def test_a_mask_that_vanishes_or_is_a_broken_link(tmp_path):
    write(tmp_path / "pictures/a.png", np.zeros((30, 40, 3)))
    (tmp_path / "Jane Doe").mkdir()
    (tmp_path / "Jane Doe/a.png").symlink_to(tmp_path / "nowhere.png")
    reader = masked(tmp_path / "pictures", tmp_path / "Jane Doe")
    with pytest.raises(FileNotFoundError, match="its mask: No such file") as error:
        read(reader, "a.png")
    assert "Jane" not in str(error.value)


def test_workers_get_no_lists(tmp_path):
    write_all(tmp_path, *(f"{i:05d}_mask.png" for i in range(200)))
    masks = MaskFiles(tmp_path)
    assert masks.locate("00007.jpg") == "00007_mask.png"
    assert len(pickle.dumps(masks)) < 1000
