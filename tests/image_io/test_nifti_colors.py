import gzip

import nibabel
import numpy as np
import pytest
from made_medical import NIBABEL_FILES
from made_medical import make_nifti

from densecolor.errors import ImageError
from densecolor.image_io.nifti import PLANES
from densecolor.image_io.nifti import open_volume
from densecolor.image_io.nifti_colors import write_color_volume

RGB = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
LPS = np.array([[-2.0, 0, 0, 7], [0, -3, 0, 8], [0, 0, 4, 9], [0, 0, 0, 1]])


def colored(path, data, plane="axial"):
    """A volume coloured by its own gray values: as red, a half as green, none as blue; and how nibabel reads it."""
    volume = open_volume(data, "source")
    pictures = (volume.picture(plane, index, (0, 255)) for index in range(volume.slices(plane)))
    frames = ((np.stack([p.pixels, p.pixels // 2, p.pixels * 0], axis=-1), p.alpha) for p in pictures)
    write_color_volume(path, data, "source", volume, frames, plane)
    return nibabel.load(path)


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_colours_are_where_their_values_were(tmp_path, plane, suffix):
    values = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 2), np.uint8)
    image = colored(tmp_path / f"x{suffix}", make_nifti(values, LPS), plane)
    stored = np.asanyarray(image.dataobj)
    assert stored.dtype == RGB
    np.testing.assert_array_equal(stored["R"], values)
    np.testing.assert_array_equal(stored["B"], 0 * values)
    assert np.abs(stored["G"] - values / 2).max() <= 1
    np.testing.assert_array_equal(image.affine, LPS)


@pytest.mark.parametrize("name", ["anatomical.nii", "example4d.nii.gz", "example_nifti2.nii.gz", "standard.nii.gz"])
def test_geometry_of_nibabels_own_files_is_kept(tmp_path, name):
    source = nibabel.load(NIBABEL_FILES / name)
    image = colored(tmp_path / "x.nii.gz", (NIBABEL_FILES / name).read_bytes())
    assert type(image) is type(source)
    assert image.shape == source.shape
    assert image.header["datatype"] == 128
    np.testing.assert_array_equal(image.affine, source.affine)
    for field in ("pixdim", "qform_code", "sform_code", "xyzt_units"):
        np.testing.assert_array_equal(image.header[field], source.header[field])
    description = image.header["descrip"].item().decode()
    assert description.startswith("densecolor ")
    assert description.endswith("not for diagnosis")


def test_words_of_the_source_are_left_out(tmp_path):
    fields = {"descrip": "Zweistein", "aux_file": "Albertine", "intent_name": "Nirgends", "db_name": "PAT-77"}
    data = make_nifti(np.ones((2, 3, 4), np.uint8), LPS, **fields)
    colored(tmp_path / "x.nii.gz", data)
    written = gzip.decompress((tmp_path / "x.nii.gz").read_bytes())
    assert not [word for word in fields.values() if word.encode() in written]
    assert b"Zweistein" in data


def test_alpha_is_kept(tmp_path):
    values = np.zeros((2, 3, 4), [(channel, "u1") for channel in "RGBA"])
    values["A"] = np.arange(24).reshape(2, 3, 4)
    data = make_nifti(values, LPS)
    volume = open_volume(data, "source")
    pictures = [volume.picture("axial", index) for index in range(4)]
    write_color_volume(tmp_path / "x.nii", data, "source", volume, [(p.pixels, p.alpha) for p in pictures])
    np.testing.assert_array_equal(np.asanyarray(nibabel.load(tmp_path / "x.nii").dataobj), values)


def test_more_axes_than_space_and_time_are_refused(tmp_path):
    data = make_nifti(np.ones((2, 3, 4, 2, 3), np.uint8), LPS)
    with pytest.raises(ImageError, match="source: its values have more than the four axes"):
        colored(tmp_path / "x.nii", data)
    assert list(tmp_path.iterdir()) == []
