"""Medical files and stacks, from file to file."""

import json
import re
from pathlib import Path

import keras
import nibabel
import numpy as np
import pydicom
import pytest
import tifffile
from made_medical import NIBABEL_FILES
from made_medical import PYDICOM_FILES
from made_medical import make_dicom
from made_medical import make_nifti
from pydicom.pixels import apply_modality_lut
from pydicom.pixels import apply_voi_lut

from densecolor.errors import DensecolorError
from densecolor.errors import ImageError
from densecolor.image_io import read_image
from densecolor.image_io import write_image
from densecolor.inference import colorize_files
from densecolor.inference.in_color import is_in_color

GRAY = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30)


def model_of(ab):
    """A model that predicts the same colour everywhere."""
    lightness = keras.Input((None, None, 1), name="lightness")
    bias = keras.initializers.Constant(ab)
    outputs = keras.layers.Conv2D(2, 1, kernel_initializer="zeros", bias_initializer=bias, name="ab")(lightness)
    return keras.Model({"lightness": lightness}, {"ab": outputs})


@pytest.fixture(scope="module")
def neutral():
    return model_of(0.0)


@pytest.fixture(scope="module")
def orange():
    return model_of(0.3)


@pytest.fixture(autouse=True)
def current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def done(*arguments, **options):
    results = colorize_files(*arguments, **options)
    assert not [result.error for result in results if result.error]
    return results


@pytest.mark.parametrize("name", ["CT_small", "MR_small", "MR_small_bigendian", "MR_small_RLE", "JPEG2000"])
def test_gray_values_of_pydicoms_own_files_are_kept(neutral, name):
    source = pydicom.dcmread(PYDICOM_FILES / f"{name}.dcm")
    shown = apply_modality_lut(source.pixel_array, source).astype(float)
    if "WindowCenter" in source:
        shown = apply_voi_lut(shown, source, prefer_lut=False)
        centre, width = (np.atleast_1d(source[key].value)[0] for key in ("WindowCenter", "WindowWidth"))
        low, high = centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2
        shown = np.clip(apply_modality_lut(source.pixel_array, source), low, high)
    else:
        low, high = shown.min(), shown.max()
    expected = np.rint((shown - low) / (high - low) * 255)
    done(PYDICOM_FILES / f"{name}.dcm", "colour.dcm", neutral)
    capture = pydicom.dcmread("colour.dcm")
    np.testing.assert_allclose(capture.pixel_array, np.dstack([expected] * 3), atol=1)
    assert capture.StudyInstanceUID == source.StudyInstanceUID
    statement = capture.DerivationDescription
    assert re.fullmatch(r"Colours are predicted, .* the model Functional \(SHA-256 \w{64}\)\.", statement)


def test_every_file_of_pydicom_becomes_colour_or_an_error_that_says_why(orange):
    small = [path for path in PYDICOM_FILES.glob("*.dcm") if path.stat().st_size < 50_000]
    results = colorize_files(small, "colour", orange)
    assert len(results) > 60
    reasons = {result.source.stem: result.error for result in results if result.error}
    assert "DICOM without a picture" in reasons["rtplan"]
    assert "DICOM without a picture" in reasons["test-SR"]
    assert "pip install pylibjpeg" in reasons["JPEG-lossy"]  # of twelve bits
    assert "not a DICOM file" in reasons["no_meta"]
    for result in results:
        assert result.output.exists() == (result.error is None)
        if result.error is None:
            source, capture = pydicom.dcmread(result.source), pydicom.dcmread(result.output)
            frames = int(source.get("NumberOfFrames", 1))
            assert capture.pixel_array.shape == (frames,) * (frames > 1) + (source.Rows, source.Columns, 3)
            assert capture.SourceImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert len(results) - len(reasons) > 40
    assert not list(Path("colour").glob("*.part"))


def test_all_frames_have_one_window(neutral):
    frames = np.stack([GRAY, GRAY * 2, GRAY * 0])
    Path("x.dcm").write_bytes(make_dicom(frames, frames=3))
    steps = []
    done("x.dcm", "colour.dcm", neutral, progress=lambda *step: steps.append(step))
    expected = np.rint(frames / frames.max() * 255)
    np.testing.assert_allclose(pydicom.dcmread("colour.dcm").pixel_array, np.stack([expected] * 3, -1), atol=1)
    assert steps[:3] == [(1, 3), (2, 3), (3, 3)]
    done("x.dcm", "narrow.dcm", neutral, window=(300.5, 1))
    assert np.unique(pydicom.dcmread("narrow.dcm").pixel_array).tolist() == [0, 255]


@pytest.mark.parametrize("plane", ["axial", "sagittal"])
def test_volumes_keep_their_values_and_their_geometry(neutral, plane):
    source = nibabel.load(NIBABEL_FILES / "anatomical.nii")
    done(NIBABEL_FILES / "anatomical.nii", "colour.nii.gz", neutral, plane=plane)
    image = nibabel.load("colour.nii.gz")
    values = source.get_fdata()
    low, high = np.percentile(values, [0.5, 99.5])
    stored = np.asanyarray(image.dataobj)
    for channel in "RGB":
        expected = np.rint(np.clip((values - low) / (high - low), 0, 1) * 255)
        np.testing.assert_allclose(stored[channel], expected, atol=1)
    np.testing.assert_array_equal(image.affine, source.affine)


def test_times_have_one_window_and_what_is_no_number_is_named(neutral):
    values = np.zeros((4, 5, 3, 2), np.float32)
    values[..., 1] = np.arange(60).reshape(4, 5, 3)
    values[0, 0, 0] = np.nan, np.inf
    Path("x.nii").write_bytes(make_nifti(values, np.eye(4)))
    (result,) = done("x.nii", "colour.nii", neutral)
    assert result.note == "2 of its values are infinite or no number, and shown as white or black"
    red = np.asanyarray(nibabel.load("colour.nii").dataobj)["R"]
    assert red[0, 0, 0].tolist() == [0, 255]
    assert (red[..., 0] == 0).all()
    assert red[2, 2, 1, 1] > 100


def test_stacks_stay_stacks_of_sixteen_bits(neutral, orange):
    pages = np.stack([GRAY, GRAY * 9, 65535 - GRAY])
    tifffile.imwrite("x.tif", pages, photometric="minisblack", metadata=None, resolution=(120, 120))
    done("x.tif", "colour.tif", neutral)
    with tifffile.TiffFile("colour.tif") as tiff:
        np.testing.assert_array_equal([page.asarray() for page in tiff.pages], np.stack([pages] * 3, -1))
        assert "not for diagnosis" in tiff.pages[2].description
        assert tiff.pages[0].resolution == (120, 120)
    done("x.tif", "wide.tiff", neutral, window=(0, 32767.5))
    assert read_image("wide.tiff").pixels.max() == 2 * GRAY.max()
    tifffile.imwrite("one.tif", GRAY * 50)
    done("one.tif", "single.tif", orange)
    assert is_in_color(read_image("single.tif").pixels)
    assert "predicted" not in tifffile.TiffFile("single.tif").pages[0].description


def test_a_folder_of_slices_is_one_series(orange):
    for number, name in enumerate(["a.dcm", "1.2.840.7", "deep/IM3", "b.ima"]):
        data = make_dicom(GRAY, SeriesInstanceUID="1.2.3", StudyInstanceUID="1.2", SOPInstanceUID=f"1.2.3.{number}")
        Path("ct", name).parent.mkdir(parents=True, exist_ok=True)
        Path("ct", name).write_bytes(data)
    Path("ct/DICOMDIR").write_bytes(data)
    Path("ct/notes.txt").write_text("no picture")
    Path("ct/brain.nii.gz").write_bytes((NIBABEL_FILES / "example4d.nii.gz").read_bytes()[:1000])
    write_image("ct/photo.png", GRAY)
    results = colorize_files("ct", "colour", orange)
    names = ["1.2.840.7.dcm", "a.dcm", "b.ima", "brain.nii.gz", "deep/IM3.dcm", "photo.png"]
    assert [str(result.output.relative_to("colour")) for result in results] == names
    assert [bool(result.error) for result in results] == [name == "brain.nii.gz" for name in names]
    captures = [pydicom.dcmread(Path("colour", name)) for name in names if name[-1] in "ma"]
    assert len({capture.SeriesInstanceUID for capture in captures}) == 1
    assert len({capture.SOPInstanceUID for capture in captures}) == 4
    again = colorize_files("ct", "colour", orange, resume=True)
    assert [result.skipped for result in again] == [name != "brain.nii.gz" for name in names]


def test_samples_and_sidecars(orange):
    Path("x.dcm").write_bytes(make_dicom(np.stack([GRAY, GRAY]), frames=2, BurnedInAnnotation="YES"))
    (result,) = done("x.dcm", "colour.dcm", orange, sidecar=True)
    assert "burned into its pixels" in result.note
    sidecar = json.loads(Path("colour.dcm.json").read_text())
    assert sidecar["output"] == "colour.dcm"
    assert sidecar["colourings"][0]["share_brought_into_gamut"] > 0
    assert is_in_color(pydicom.dcmread("colour.dcm").pixel_array[1])


def test_identity_is_left_out_where_that_is_asked_for(orange):
    Path("x.dcm").write_bytes(make_dicom(GRAY, PatientName="Zweistein^A", StudyInstanceUID="1.2.3.4.5"))
    done("x.dcm", "colour.dcm", orange, identity=False)
    written = Path("colour.dcm").read_bytes()
    assert b"Zweistein" not in written
    assert b"1.2.3.4.5" not in written
    Path("x.dcm").write_bytes(make_dicom(GRAY, BurnedInAnnotation="YES"))
    (result,) = colorize_files("x.dcm", "other.dcm", orange, identity=False)
    assert "its identity cannot be left out" in result.error
    assert not Path("other.dcm").exists()


def test_colours_are_replaced_or_kept(orange, photographs):
    photo = photographs["rocket.jpg"][::8, ::8].copy()
    Path("x.dcm").write_bytes(make_dicom(np.stack([photo, photo]), "RGB", frames=2, BurnedInAnnotation="NO"))
    (result,) = done("x.dcm", "colour.dcm", orange)
    assert result.note.startswith("in colour already; its own colours were ignored")
    assert not np.array_equal(pydicom.dcmread("colour.dcm").pixel_array[0], photo)
    (result,) = done("x.dcm", "kept.dcm", orange, skip_color=True)
    assert result.note == "in colour already, and kept as it was"
    assert Path("kept.dcm").read_bytes() == Path("x.dcm").read_bytes()
    (result,) = colorize_files("x.dcm", "nameless.dcm", orange, skip_color=True, identity=False)
    assert "would keep its identity" in result.error


def test_a_dicom_file_to_a_picture_says_that_there_are_more_frames(neutral):
    Path("x.dcm").write_bytes(make_dicom(np.stack([GRAY, GRAY]), frames=2))
    (result,) = done("x.dcm", "x.png", neutral, window=(300.5, 1))
    assert result.note == "the first of its 2 frames; a .dcm output has all"
    assert np.unique(read_image("x.png").pixels).tolist() == [0, 65535]


def test_hints_are_for_one_frame(neutral):
    Path("x.dcm").write_bytes(make_dicom(GRAY))
    done("x.dcm", "hinted.dcm", neutral, hints=["10,10,#c04020"])
    assert is_in_color(pydicom.dcmread("hinted.dcm").pixel_array)
    Path("x.dcm").write_bytes(make_dicom(np.stack([GRAY, GRAY]), frames=2))
    (result,) = colorize_files("x.dcm", "two.dcm", neutral, hints=["10,10,#c04020"])
    assert "hints belong to one picture, and it has 2 frames" in result.error


def test_outputs_that_do_not_fit_are_refused_before_any_work(neutral):
    write_image("x.png", GRAY)
    Path("x.dcm").write_bytes(make_dicom(GRAY))
    Path("x.nii").write_bytes(make_nifti(GRAY[..., None], np.eye(4)))
    for source, target, reason in [
        ("x.png", "y.dcm", "only colours of a DICOM file can be one, and x.png is none"),
        ("x.nii", "y.dcm", "the colours of x.nii are a volume too"),
        ("x.nii", "y.png", "the colours of x.nii are a volume too"),
        ("x.dcm", "y.nii.gz", "only colours of a NIfTI volume can be one, and x.dcm is none"),
    ]:
        with pytest.raises(ImageError, match=f"{target}: {reason}"):
            colorize_files(source, target, neutral)
    with pytest.raises(ImageError, match=r"y\.dcm: several pictures in one are no medical file"):
        colorize_files("x.dcm", "y.dcm", neutral, side_by_side=True)
    with pytest.raises(DensecolorError, match="Unknown plane='oblique'"):
        colorize_files("x.nii", "y.nii", neutral, plane="oblique")
    with pytest.raises(DensecolorError, match="`window` is for DICOM, NIfTI and TIFF"):
        colorize_files("x.png", "y.png", neutral, window=(0, 1))
    (result,) = colorize_files("x.nii", "y.nii", neutral, window=(1, 0))
    assert "the highest value above the lowest" in result.error
    assert sorted(path.name for path in Path().iterdir()) == ["x.dcm", "x.nii", "x.png"]
