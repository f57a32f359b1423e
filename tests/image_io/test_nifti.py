import gzip
import io

import nibabel
import numpy as np
import pytest
from made_medical import NIBABEL_FILES
from made_medical import make_nifti

from densecolor.errors import ImageError
from densecolor.image_io.nifti import PLANES
from densecolor.image_io.nifti import open_volume
from densecolor.image_io.nifti import read_nifti_header

# Where patients' right, front and head are in the pictures of each plane, and where the slices go.
SIDES = {
    "axial": {"top": "A", "bottom": "P", "left": "R", "right": "L", "first": "I", "last": "S"},
    "coronal": {"top": "S", "bottom": "I", "left": "R", "right": "L", "first": "P", "last": "A"},
    "sagittal": {"top": "S", "bottom": "I", "left": "A", "right": "P", "first": "L", "last": "R"},
}
AXES = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}
CODES = ["RAS", "LPS", "LAS", "PIR", "SLA", "IPL"]  # what the stored axes go towards


def affine_of(codes):
    """An affine matrix by the letters of its axes, with voxels of three lengths."""
    affine = np.diag([0.0, 0.0, 0.0, 1.0])
    for column, code in enumerate(codes):
        axis, sign = AXES[code]
        affine[axis, column] = sign * (1 + column / 2)
    affine[:3, 3] = (-20, 11, 5)
    return affine


def marked(side, codes, shape=(5, 6, 7)):
    """A volume that is 1000 at one side of the patient, 0 elsewhere, stored along `codes`."""
    axis, sign = AXES[side]
    values = np.zeros(shape, np.int16)
    stored = next(i for i, code in enumerate(codes) if AXES[code][0] == axis)
    at_end = AXES[codes[stored]][1] == sign
    values[(slice(None),) * stored + (-1 if at_end else 0,)] = 1000
    return make_nifti(values, affine_of(codes))


@pytest.mark.parametrize("codes", CODES)
@pytest.mark.parametrize("plane", PLANES)
def test_sides_of_the_patient_are_where_radiologists_expect_them(plane, codes):
    for place, side in SIDES[plane].items():
        volume = open_volume(marked(side, codes), "x")
        slices = [volume.picture(plane, i, window=(0, 1000)).pixels for i in range(volume.slices(plane))]
        shown = {
            "top": [pixels[0] for pixels in slices],
            "bottom": [pixels[-1] for pixels in slices],
            "left": [pixels[:, 0] for pixels in slices],
            "right": [pixels[:, -1] for pixels in slices],
            "first": slices[:1],
            "last": slices[-1:],
        }[place]
        assert np.min(shown) == 65535, (place, side)
        assert np.sum(slices) == np.sum(shown), (place, side)


def test_one_voxel_by_hand():
    # Stored towards left, posterior, superior: the voxel lies far right, far back, second from below.
    values = np.zeros((4, 5, 6), np.float32)
    values[0, 4, 1] = 1
    volume = open_volume(make_nifti(values, affine_of("LPS")), "x")
    pixels = {plane: volume.picture(plane, i, (0, 1)).pixels for plane, i in zip(PLANES, (1, 0, 3), strict=True)}
    assert {plane: tuple(np.argwhere(p)[0]) for plane, p in pixels.items()} == {
        "axial": (4, 0),  # back is below, right is left
        "coronal": (4, 0),  # the second from below of six
        "sagittal": (4, 4),  # back is right
    }


@pytest.mark.parametrize("name", ["anatomical.nii", "functional.nii", "example4d.nii.gz", "example_nifti2.nii.gz"])
def test_nibabel_gives_the_same_voxels(name):
    canonical = nibabel.as_closest_canonical(nibabel.load(NIBABEL_FILES / name)).get_fdata()
    canonical = canonical.reshape(*canonical.shape[:3], -1)
    volume = open_volume((NIBABEL_FILES / name).read_bytes(), name)
    low, high = np.percentile(canonical, [0.5, 99.5])
    depth = canonical.shape[2]
    assert volume.slices() == depth * canonical.shape[3]
    for index in range(volume.slices()):
        expected = np.flip(canonical[:, :, index % depth, index // depth]).T
        expected = np.rint(np.clip((expected - low) / (high - low), 0, 1) * 65535)
        np.testing.assert_allclose(volume.picture("axial", index).pixels, expected, atol=1)


def test_window_is_in_scaled_units():
    values = np.arange(8, dtype=np.int16).reshape(2, 2, 2)  # 10 less two for each
    data = make_nifti(values, np.eye(4), scl_slope=-2, scl_inter=10)
    pixels = open_volume(data, "x").picture("axial", 0, window=(-4, 10)).pixels
    # Values 0 2 4 6 are 10 6 2 -2: of 14 up from -4, 14 10 6 2. Axis 0 is from right to left, axis 1 from top to bottom
    # when both are turned.
    np.testing.assert_array_equal(pixels, np.rint(np.array([[2, 10], [6, 14]]) / 14 * 65535))


def test_percentiles_leave_out_what_is_no_number():
    values = np.linspace(0, 1000, 1001).astype(np.float32).reshape(7, 11, 13)
    values[0, 0, :2] = np.nan, np.inf  # 0 and 1
    pixels = open_volume(make_nifti(values, np.eye(4)), "x").picture("axial", 0).pixels
    low, high = np.percentile(np.arange(2, 1001), [0.5, 99.5])
    assert pixels[-1, -1] == 0  # the one that is NaN
    assert pixels[0, 0] == np.rint((values[-1, -1, 0] - low) / (high - low) * 65535)


def test_even_volume_is_black():
    assert (
        open_volume(make_nifti(np.full((2, 3, 4), 9, np.uint8), np.eye(4)), "x").picture("axial", 0).pixels.max() == 0
    )


@pytest.mark.parametrize("channels", ["RGB", "RGBA"])
def test_colours(channels):
    dtype = np.dtype([(name, "u1") for name in channels])
    values = np.zeros((2, 3, 4), dtype)
    for number, name in enumerate(channels):
        values[name] = np.arange(24).reshape(2, 3, 4) * (number + 1)
    picture = open_volume(make_nifti(values, np.eye(4)), "x").picture("axial", 1)
    assert picture.pixels.dtype == np.uint8
    expected = np.flip(np.arange(24).reshape(2, 3, 4)[..., 1]).T[..., None] * [1, 2, 3]
    np.testing.assert_array_equal(picture.pixels, expected)
    assert (picture.alpha is None) == (channels == "RGB")


def test_header_says_how_many_slices_there_are_without_the_values():
    path = NIBABEL_FILES / "example4d.nii.gz"
    start = io.BytesIO(path.read_bytes()[:2000] + bytes(path.stat().st_size - 2000))
    header = read_nifti_header(start, "x")
    assert [header.slices(plane) for plane in PLANES] == [48, 192, 256]  # 128 x 96 x 24, twice


VALUES = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
WHOLE = make_nifti(VALUES, np.eye(4))
PACKED = gzip.compress(WHOLE)
NOWHERE = {"sform_code": 1, "srow_x": [0, 0, 0, 0]}


def with_dims(*dims):
    return make_nifti(VALUES, np.eye(4), dim=[len(dims), *dims, *[1] * (7 - len(dims))])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a NIfTI file, or truncated"),
        (b"\x1f\x8b", "truncated or damaged"),
        (WHOLE[:-1], "holds fewer values than its header says"),
        (WHOLE[:300], "not a NIfTI file, or truncated"),
        (PACKED[:-9], "truncated or damaged"),
        (PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:], "truncated or damaged"),  # its checksum
        (gzip.compress(WHOLE + bytes(1 << 21)), "holds more values"),
        (with_dims(3000, 3000, 3000), "holds fewer values"),
        (gzip.compress(with_dims(30000, 30000, 30000)), "holds fewer values"),
        (with_dims(-3, 4, 5), "holds fewer values"),
        (make_nifti(VALUES, np.eye(4), **NOWHERE), "its orientation is missing"),
        (make_nifti(VALUES.astype(np.complex64), np.eye(4)), "its values are neither numbers nor colours"),
        (make_nifti(VALUES, np.eye(4), datatype=1234), "truncated or damaged"),
        ((NIBABEL_FILES / "nifti1.hdr").read_bytes(), "its header and values are in two files"),
        ((NIBABEL_FILES / "analyze.hdr").read_bytes(), "not a NIfTI file"),
    ],
)
def test_bad_files_are_refused_with_a_reason(data, reason, capfd):
    with pytest.raises(ImageError, match=rf"^some/file: .*{reason}"):
        open_volume(data, "some/file")
    assert capfd.readouterr() == ("", "")


def test_too_large_volume_is_refused_before_it_is_unpacked():
    packed = gzip.compress(make_nifti(np.zeros((100, 100, 100), np.uint8), np.eye(4)))
    with pytest.raises(ImageError, match="takes 1,000,000 bytes, more than max_bytes=999,999"):
        open_volume(packed, "x", max_bytes=999_999)
    assert open_volume(packed, "x", max_bytes=1_000_000).slices() == 100


def test_gzip_of_several_members():
    split = gzip.compress(WHOLE[:400]) + gzip.compress(WHOLE[400:])
    np.testing.assert_array_equal(
        open_volume(split, "x").picture("axial", 0).pixels, open_volume(WHOLE, "x").picture("axial", 0).pixels
    )


def test_no_such_plane_or_slice():
    volume = open_volume(WHOLE, "x")
    with pytest.raises(ImageError, match=r"Unknown plane='oblique'\. Choose from axial, coronal, sagittal"):
        volume.slices("oblique")
    with pytest.raises(IndexError):
        volume.picture("axial", 5)


def test_mutated_files_are_refused_or_read_and_nothing_else(capfd):
    random = np.random.default_rng(1)
    whole = (NIBABEL_FILES / "anatomical.nii").read_bytes()
    read = 0
    for round_number in range(300):
        data = bytearray(whole)
        for place in random.integers(0, 352 if round_number % 2 else len(data), 5):
            data[place] = random.integers(256)
        data = bytes(data[: random.integers(1, len(data))]) if round_number % 5 == 0 else bytes(data)
        try:
            volume = open_volume(data, "x")
        except ImageError as error:
            reason = str(error)
            assert reason.startswith("x: ")
            continue
        assert volume.picture("axial", 0).pixels.dtype == np.uint16 or volume.header.dtype.names
        read += 1
    assert 100 < read < 300
    assert capfd.readouterr() == ("", "")
