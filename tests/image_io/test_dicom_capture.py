"""Secondary captures: what they keep of their source, what they add, and whether others find them valid."""

import io
import shutil
import subprocess

import numpy as np
import pydicom
import pytest
from made_medical import PYDICOM_FILES
from made_medical import SECRETS
from made_medical import item
from made_medical import make_dicom
from made_medical import secret_words

from densecolor.errors import ImageError
from densecolor.image_io.dicom_capture import write_capture

GRAY = np.arange(12, dtype=np.uint16).reshape(3, 4)
COLORS = np.random.default_rng(0).integers(0, 256, (5, 3, 4, 3), np.uint8)
STATEMENT = "Colours are predicted: not for diagnosis."


def captured(path, data, frames=COLORS[:1], **options):
    """What is written, and the note."""
    note = write_capture(path, data, "source", frames, STATEMENT, **options)
    return pydicom.dcmread(path), note


def complaints(path):
    """What dciodvfy (dicom3tools, an independent program) finds wrong, and all that it says."""
    result = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
    lines = (result.stdout + result.stderr).splitlines()
    return [line for line in lines if line.startswith("Error")], lines


def test_one_frame_is_a_secondary_capture_of_its_source(tmp_path):
    data = (PYDICOM_FILES / "CT_small.dcm").read_bytes()
    source = pydicom.dcmread(io.BytesIO(data))
    capture, note = captured(tmp_path / "x.dcm", data)
    assert note is None
    assert capture.SOPClassUID == capture.file_meta.MediaStorageSOPClassUID == "1.2.840.10008.5.1.4.1.1.7"
    assert capture.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    np.testing.assert_array_equal(capture.pixel_array, COLORS[0])
    assert capture.ImageType == ["DERIVED", "SECONDARY"]
    assert capture.DerivationDescription == STATEMENT
    assert "not for diagnosis" in capture.SeriesDescription
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "StudyDate", "PixelSpacing", "Modality"):
        assert capture[keyword].value == source[keyword].value, keyword
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID"):
        assert capture[keyword].value != source[keyword].value, keyword
    (reference,) = capture.SourceImageSequence
    assert reference.ReferencedSOPClassUID == source.SOPClassUID
    assert reference.ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert source.ImageOrientationPatient == [1, 0, 0, 0, 1, 0]
    assert capture.PatientOrientation == ["L", "P"]  # what rows and columns of such a slice go towards


def test_several_frames_are_a_true_color_capture(tmp_path):
    data = make_dicom(np.stack([GRAY] * 5), frames=5, BurnedInAnnotation="NO")
    capture, note = captured(tmp_path / "x.dcm", data, COLORS)
    assert note is None
    assert capture.SOPClassUID == "1.2.840.10008.5.1.4.1.1.7.4"
    np.testing.assert_array_equal(capture.pixel_array, COLORS)
    assert capture.PageNumberVector == [1, 2, 3, 4, 5]
    timed, _ = captured(tmp_path / "y.dcm", make_dicom(np.stack([GRAY] * 5), frames=5, FrameTime="40"), COLORS)
    assert timed.FrameTime == 40
    assert timed.FrameIncrementPointer == 0x00181063


def test_sixteen_bits_and_odd_sizes(tmp_path):
    frame = np.full((3, 3, 3), 65535, np.uint16)
    frame[0, 0] = 0, 128, 129  # of 257 a value
    capture, _ = captured(tmp_path / "x.dcm", make_dicom(np.zeros((3, 3), np.uint8)), [frame])
    assert len(capture.PixelData) == 28
    assert capture.pixel_array[0, 0].tolist() == [0, 0, 1]


def test_files_of_one_series_stay_one_series(tmp_path):
    first, second = (make_dicom(GRAY, SeriesInstanceUID="1.2.3", SOPInstanceUID=f"1.2.3.{i}") for i in (1, 2))
    series = [
        captured(tmp_path / "x.dcm", data, series=settings)[0].SeriesInstanceUID
        for data, settings in ((first, "a"), (second, "a"), (first, "b"))
    ]
    assert series[0] == series[1] != series[2]
    assert pydicom.uid.UID(series[0]).is_valid


def test_lossy_compression_is_not_forgotten(tmp_path):
    lossy = {"LossyImageCompression": "01", "LossyImageCompressionMethod": "ISO_10918_1"}
    capture, _ = captured(tmp_path / "x.dcm", make_dicom(GRAY, LossyImageCompressionRatio=9.5, **lossy))
    assert (capture.LossyImageCompression, capture.LossyImageCompressionRatio) == ("01", 9.5)
    capture, _ = captured(tmp_path / "x.dcm", (PYDICOM_FILES / "SC_rgb_jpeg_dcmtk.dcm").read_bytes())
    assert (capture.LossyImageCompression, capture.LossyImageCompressionMethod) == ("01", "ISO_10918_1")
    assert capture.LossyImageCompressionRatio > 1


def test_spacing_of_enhanced_files_and_impossible_spacing(tmp_path):
    shared = item(PixelMeasuresSequence=item(PixelSpacing=[0.5, 0.75]))
    assert captured(tmp_path / "x.dcm", make_dicom(GRAY, SharedFunctionalGroupsSequence=shared))[0].PixelSpacing == [
        0.5,
        0.75,
    ]
    assert "PixelSpacing" not in captured(tmp_path / "x.dcm", make_dicom(GRAY, PixelSpacing=[0, 1]))[0]


def test_burned_in_text_is_said_again(tmp_path):
    capture, note = captured(tmp_path / "x.dcm", make_dicom(GRAY, BurnedInAnnotation="YES"))
    assert capture.BurnedInAnnotation == "YES"
    assert "burned into its pixels" in note
    frames = np.stack([GRAY, GRAY])
    capture, note = captured(tmp_path / "x.dcm", make_dicom(frames, frames=2), COLORS[:2])
    assert capture.BurnedInAnnotation == "YES"  # which several frames must say, and NO is not known
    assert "it does not say whether" in note
    assert "BurnedInAnnotation" not in captured(tmp_path / "x.dcm", make_dicom(GRAY))[0]


def test_identity_can_be_left_out(tmp_path):
    data = make_dicom(GRAY, SOPInstanceUID="1.2.3.4.5", SeriesInstanceUID="1.2.3.4", **SECRETS)
    whole, _ = captured(tmp_path / "whole.dcm", data)
    assert whole.PatientName == SECRETS["PatientName"]
    capture, _ = captured(tmp_path / "x.dcm", data, salt="one")
    written = (tmp_path / "x.dcm").read_bytes()
    assert not [word for word in [*secret_words(), "1.2.3.4"] if word.encode() in written]
    assert capture.PatientIdentityRemoved == "YES"
    assert "SourceImageSequence" not in capture
    again, other = (captured(tmp_path / "y.dcm", data, salt=salt)[0] for salt in ("one", "two"))
    assert capture.StudyInstanceUID == again.StudyInstanceUID != other.StudyInstanceUID
    with pytest.raises(ImageError, match=r"burned into its pixels.*cannot be left out"):
        captured(tmp_path / "z.dcm", make_dicom(GRAY, BurnedInAnnotation="YES"), salt="one")
    assert not (tmp_path / "z.dcm").exists()


def test_nothing_that_the_source_does_not_say_is_added_and_nothing_else_is_copied(tmp_path):
    empty, _ = captured(tmp_path / "x.dcm", make_dicom(GRAY))
    assert not any(empty[keyword].value for keyword in SECRETS if keyword in empty and keyword != "StudyInstanceUID")
    copied, _ = captured(tmp_path / "x.dcm", make_dicom(GRAY, InstitutionName="Spital", OperatorsName="Wer"))
    assert "InstitutionName" not in copied
    assert "OperatorsName" not in copied


def test_a_failure_leaves_nothing(tmp_path):
    def frames():
        yield COLORS[0]
        raise ImageError("the second is damaged")

    with pytest.raises(ImageError, match="the second is damaged"):
        write_capture(tmp_path / "x.dcm", make_dicom(GRAY), "source", frames(), STATEMENT)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not shutil.which("dciodvfy"), reason="dicom3tools is not installed")
@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_bigendian.dcm", "SC_rgb_jpeg_dcmtk.dcm", "rtdose.dcm"])
def test_dciodvfy_finds_no_error(tmp_path, name):
    data = (PYDICOM_FILES / name).read_bytes()
    count = int(pydicom.dcmread(io.BytesIO(data)).get("NumberOfFrames", 1))
    captured(tmp_path / "x.dcm", data, [COLORS[0]] * count)
    errors, lines = complaints(tmp_path / "x.dcm")
    assert not errors
    assert ("MultiframeTrueColorSCImage" if count > 1 else "SCImage") in lines
