import pickle

import numpy as np
import pytest
from made_medical import make_dicom
from made_sources import write_files

from densecolor.errors import DensecolorError
from densecolor.errors import ImageError
from densecolor.image_io import encode_image
from densecolor.packing.files import open_files
from densecolor.packing.sources.base import Location
from densecolor.packing.sources.pairs import list_pairs

NO_COUNTERPART = "there is no picture of the same name in the other folder"


@pytest.fixture
def photo(photographs):
    return photographs["coffee.png"][:60, :80]


def ct(shape=(60, 80), **attributes):
    values = np.arange(shape[0] * shape[1], dtype=np.uint16).reshape(shape)
    return make_dicom(values, **attributes)


def paired(tmp_path, lightness, color, **options):
    locations = []
    for name, contents in (("ct", lightness), ("photos", color)):
        path = write_files(tmp_path / name, contents)
        locations.append(Location(path, open_files(path), None))
    return list_pairs(*locations, **options)


def reasons(source):
    """What becomes of every entry: "" or why it is refused. The reader is as a worker has it."""
    reader = pickle.loads(pickle.dumps(source.reader))
    result = {}
    for entry in source.entries:
        try:
            reader.read(source.reader.locate(entry), entry.key)
            result[entry.key] = ""
        except ImageError as error:
            result[entry.key] = str(error).removeprefix(f"{entry.key}: ").removesuffix(".")
    return result


def test_lightness_comes_from_one_and_colour_from_the_other(tmp_path, photo):
    source = paired(tmp_path, {"a/1.dcm": ct()}, {"a/1.png": encode_image(photo, ".png")})
    (entry,) = source.entries
    sample = source.read(entry)
    np.testing.assert_array_equal(sample.picture.pixels, photo)
    ramp = np.arange(4800).reshape(60, 80)
    np.testing.assert_array_equal(sample.lightness.pixels, np.rint(ramp / 4799 * 65535))
    assert source.is_private
    assert entry.key == "a/1.png"


def test_window_is_for_the_lightness(tmp_path, photo):
    source = paired(tmp_path, {"1": ct()}, {"1.png": encode_image(photo, ".png")}, window=(1000.5, 1))
    lightness = source.read(source.entries[0]).lightness.pixels
    assert (lightness > 0).sum() == 4800 - 1001
    with pytest.raises(DensecolorError, match="`window` must be"):
        paired(tmp_path, {}, {}, window=(0, -1))


def test_matching_by_path_then_by_unique_name(tmp_path, photo):
    png, scan = encode_image(photo, ".png"), ct()
    source = paired(
        tmp_path,
        {"a/1.dcm": scan, "b/1.dcm": scan, "series/2.50": scan, "x/3.dcm": scan, "x/4.dcm": scan, "y/4.dcm": scan},
        {"a/1.png": png, "c/1.png": png, "2.50.png": png, "deep/er/3.png": png, "4.png": png, "5.png": png},
    )
    assert reasons(source) == {
        "2.50.png": "",
        "4.png": NO_COUNTERPART,  # it has two
        "5.png": NO_COUNTERPART,
        "a/1.png": "",
        "c/1.png": NO_COUNTERPART,  # there are other pictures called 1
        "deep/er/3.png": "",
        "lightness/b/1.dcm": NO_COUNTERPART,
        "lightness/x/4.dcm": NO_COUNTERPART,
        "lightness/y/4.dcm": NO_COUNTERPART,
    }


def test_two_pictures_with_one_stem_are_not_guessed_between(tmp_path, photo):
    png = encode_image(photo, ".png")
    source = paired(tmp_path, {"1.png": png}, {"1.png": png, "1.jpg": encode_image(photo, ".jpg")})
    assert reasons(source) == dict.fromkeys(["1.jpg", "1.png", "lightness/1.png"], NO_COUNTERPART)


def test_sizes_may_differ_but_not_aspect_ratios(tmp_path, photo):
    png = encode_image(photo, ".png")  # 80 x 60
    source = paired(
        tmp_path,
        {"same": ct((30, 40)), "nearly": ct((298, 400)), "wider": ct((29, 40)), "turned": ct((80, 60))},
        {f"{name}.png": png for name in ("same", "nearly", "wider", "turned")},
    )
    differ = "the aspect ratios of lightness and colour differ. Received: {} and 80 x 60"
    assert reasons(source) == {
        "nearly.png": "",
        "same.png": "",
        "turned.png": differ.format("60 x 80"),
        "wider.png": differ.format("40 x 29"),
    }


def test_what_cannot_be_read_is_refused(tmp_path, photo):
    png = encode_image(photo, ".png")
    frames = make_dicom(np.zeros((2, 60, 80), np.uint8), frames=2)
    source = paired(
        tmp_path,
        {"broken.dcm": b"text", "several": frames, "text": ct(BurnedInAnnotation="YES"), "torn.png": png},
        {"broken.png": png, "several.png": png, "text.png": png, "torn.png": png[:999]},
    )
    found = reasons(source)
    assert found["broken.png"].startswith("not a picture of a known format")
    assert found["several.png"].startswith("it has several frames")
    assert found["text.png"].startswith("text that may identify the patient")
    assert found["torn.png"].startswith("truncated PNG")


def test_pairs_of_one_patient_are_a_group(tmp_path, photo):
    png = encode_image(photo, ".png")
    source = paired(
        tmp_path,
        {"1": ct(PatientID="P"), "2": ct(PatientID="P"), "3": ct(), "4.png": png},
        {f"{i}.png": png for i in (1, 2, 3, 4)},
    )
    assert [entry.group for entry in source.entries] == ["P", "P", None, None]


def test_is_there_needs_both(tmp_path, photo):
    source = paired(tmp_path, {"1": ct()}, {"1.png": encode_image(photo, ".png")})
    place = source.reader.locate(source.entries[0])
    assert source.reader.is_there(place)
    (tmp_path / "ct" / "1").unlink()
    assert not source.reader.is_there(place)
