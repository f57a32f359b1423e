import io
import subprocess
import sys

import numpy as np
import pytest
from made_medical import PYDICOM_FILES
from made_medical import item
from made_medical import make_dicom
from PIL import Image
from pydicom.uid import JPEG2000
from pydicom.uid import MPEG2MPML
from pydicom.uid import DeflatedExplicitVRLittleEndian
from pydicom.uid import JPEG2000Lossless
from pydicom.uid import JPEGBaseline8Bit
from pydicom.uid import JPEGLSLossless

from densecolor.errors import ImageError
from densecolor.image_io import decode_image
from densecolor.image_io import read_image
from densecolor.image_io.dicom import DicomFile
from densecolor.image_io.dicom import decode_dicom
from densecolor.image_io.dicom import read_dicom_header

RAMP = np.arange(12, dtype=np.uint16).reshape(3, 4) * 100  # 0, 100 ... 1100
PATCHES = np.uint8([[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[90, 90, 90], [255, 255, 0], [10, 200, 100]]])


def gray(pixels, window=None, **attributes):
    picture = decode_dicom(make_dicom(pixels, **attributes), "x", window=window)
    assert picture.pixels.dtype == np.uint16
    assert picture.is_gray
    return picture.pixels


def test_without_a_window_the_frame_takes_the_full_range():
    np.testing.assert_array_equal(gray(RAMP), np.rint(RAMP / 1100 * 65535))


def test_even_frame_is_black():
    assert gray(np.full((2, 2), 7, np.uint8)).max() == 0


def test_padding_does_not_count_in_the_range():
    ct = np.int16([[-2000, 0], [500, 1000]])
    np.testing.assert_array_equal(gray(ct, PixelPaddingValue=-2000), [[0, 0], [32768, 65535]])
    assert gray(np.int16([[-5, -5]]), PixelPaddingValue=-5).max() == 0  # nothing else


def test_linear_window_by_hand():
    # Centre 40, width 400 (PS3.3 C.11.2.1.2.1): black up to 39.5 - 199.5 = -160, white above 239.
    hounsfield = np.int16([[-1000, -160, -159], [40, 239, 240]])
    expected = np.array([[0, 0, 1 / 399], [200 / 399, 1, 1]]) * 65535
    np.testing.assert_array_equal(gray(hounsfield, WindowCenter=40, WindowWidth=400), np.rint(expected))
    np.testing.assert_array_equal(gray(hounsfield, window=(40, 400)), np.rint(expected))


def test_window_of_width_one_is_a_threshold():
    # Up to 9.5 black, above it white.
    np.testing.assert_array_equal(gray(np.uint8([[8, 9, 10, 11]]), window=(10, 1)), [[0, 0, 65535, 65535]])


def test_exact_window_by_hand():
    values = gray(np.uint16([[0, 10, 15, 20, 99]]), WindowCenter=15, WindowWidth=10, VOILUTFunction="LINEAR_EXACT")
    np.testing.assert_array_equal(values, [[0, 0, 32768, 65535, 65535]])


def test_sigmoid_window_by_hand():
    values = gray(np.uint16([[0, 15, 20]]), WindowCenter=15, WindowWidth=10, VOILUTFunction="SIGMOID")
    expected = 65535 / (1 + np.exp([6, 0, -2]))  # exponent -4 (x - 15) / 10
    np.testing.assert_array_equal(values, [np.rint(expected)])


def test_first_of_several_windows_counts_and_a_given_one_goes_before():
    options = {"WindowCenter": [550.5, 0], "WindowWidth": [1101, 1]}
    np.testing.assert_array_equal(gray(RAMP, **options), np.rint(RAMP / 1100 * 65535))
    assert set(np.unique(gray(RAMP, window=(500, 1), **options))) == {0, 65535}


def test_window_is_in_the_units_after_rescaling():
    stored = np.uint16([[0, 1024, 2048]])  # -1024, 0 and 1024 after rescaling
    options = {"RescaleSlope": 1, "RescaleIntercept": -1024}
    np.testing.assert_array_equal(gray(stored, window=(0.5, 2049), **options), [[0, 32768, 65535]])
    negative = gray(stored, RescaleSlope=-1, RescaleIntercept=0)
    np.testing.assert_array_equal(negative, [[65535, 32768, 0]])


def test_window_without_width_is_no_window():
    np.testing.assert_array_equal(gray(RAMP, WindowCenter=5, WindowWidth=0), gray(RAMP))


def test_monochrome1_is_inverted_after_the_window():
    values = gray(RAMP, photometric="MONOCHROME1", window=(550.5, 1101))
    np.testing.assert_array_equal(values, 65535 - np.rint(RAMP / 1100 * 65535))


@pytest.mark.parametrize("form", ["words", "bytes"])
def test_lookup_tables(form):
    # The modality table starts at the stored value 2 and has 0, 10, 20; the VOI table starts at 0 and squares.
    table = [0, 10, 20]
    modality = item(LUTDescriptor=[3, 2, 16], LUTData=np.uint16(table).tobytes() if form == "bytes" else table)
    modality[0]["LUTData"].VR = "OW" if form == "bytes" else "US"
    squares = item(LUTDescriptor=[21, 0, 10], LUTData=[i * i for i in range(21)])
    squares[0]["LUTData"].VR = "US"
    stored = np.uint8([[0, 2, 3, 4, 9]])  # 0, 0, 10, 20, 20 in units; 0, 0, 100, 400, 400 as shown, of 1023
    values = gray(stored, ModalityLUTSequence=modality, VOILUTSequence=squares)
    np.testing.assert_array_equal(values, np.rint(np.array([[0, 0, 100, 400, 400]]) / 1023 * 65535))


def test_enhanced_files_have_a_window_by_frame():
    frames = np.stack([RAMP, RAMP])
    shared = item(PixelValueTransformationSequence=item(RescaleSlope=2, RescaleIntercept=0))
    own = [
        item(FrameVOILUTSequence=item(WindowCenter=centre, WindowWidth=1))[0] for centre in (1000.5, 2000.5)
    ]  # thresholds at 1000 and 2000 for values that are twice the stored ones
    data = make_dicom(frames, frames=2, SharedFunctionalGroupsSequence=shared, PerFrameFunctionalGroupsSequence=own)
    file = DicomFile(data, "x")
    np.testing.assert_array_equal(file.picture("x", 0).pixels > 0, RAMP > 500)
    np.testing.assert_array_equal(file.picture("x", 1).pixels > 0, RAMP > 1000)


def test_frames():
    frames = np.uint8(np.arange(5 * 4 * 6 * 3).reshape(5, 4, 6, 3) % 251)
    data = make_dicom(frames, "RGB", frames=5)
    header = read_dicom_header(data, "x")
    assert (header.frames, header.rows, header.columns) == (5, 4, 6)
    for frame in range(5):
        np.testing.assert_array_equal(decode_dicom(data, "x", frame).pixels, frames[frame])
    with pytest.raises(ImageError, match="x: it has fewer frames"):
        decode_dicom(data, "x", 5)


@pytest.mark.parametrize("planar", [0, 1])
def test_rgb(planar):
    pixels = PATCHES.transpose(2, 0, 1).copy() if planar else PATCHES
    data = make_dicom(PATCHES, "RGB", PlanarConfiguration=planar, PixelData=pixels.tobytes())
    np.testing.assert_array_equal(decode_dicom(data, "x").pixels, PATCHES)


def test_rgb_of_twelve_bits_takes_the_full_range():
    pixels = np.uint16([[[0, 4095, 2048]]])
    values = decode_dicom(make_dicom(pixels, "RGB", BitsStored=12, HighBit=11), "x").pixels
    np.testing.assert_array_equal(values, [[[0, 65535, 32776]]])  # 2048 / 4095 * 65535 = 32775.5


def to_ybr(rgb):
    """ITU-T T.871, as the standard writes it down."""
    red, green, blue = np.moveaxis(rgb.astype(float), -1, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    planes = [luma, (blue - luma) / 1.772 + 128, (red - luma) / 1.402 + 128]
    return np.rint(np.clip(np.stack(planes, axis=-1), 0, 255)).astype(np.uint8)


def test_ybr_full():
    np.testing.assert_allclose(decode_dicom(make_dicom(to_ybr(PATCHES), "YBR_FULL"), "x").pixels, PATCHES, atol=2)


def test_ybr_full_422():
    rgb = np.repeat(PATCHES[:, :2], 2, axis=1)  # two pixels of each colour, since they share it
    ybr = to_ybr(rgb).reshape(2, 2, 2, 3)
    stored = np.concatenate([ybr[..., 0], ybr[:, :, 0, 1:]], axis=-1)  # Y1 Y2 Cb Cr
    data = make_dicom(rgb, "YBR_FULL_422", PixelData=stored.tobytes())
    np.testing.assert_allclose(decode_dicom(data, "x").pixels, rgb, atol=2)


def palette(dtype, values, first=0):
    words = np.asarray(values, dtype).tobytes()
    options = {}
    for color, scale in (("Red", 1), ("Green", 2), ("Blue", 3)):
        data = (np.frombuffer(words, dtype) * dtype(scale)).tobytes()
        options[f"{color}PaletteColorLookupTableDescriptor"] = [len(values), first, np.dtype(dtype).itemsize * 8]
        options[f"{color}PaletteColorLookupTableData"] = data
    return options


def test_palette_of_sixteen_bits():
    options = palette(np.uint16, [0, 1000, 20000], first=5)
    data = make_dicom(np.uint8([[0, 5, 6, 7, 200]]), "PALETTE COLOR", **options)
    expected = np.outer([0, 0, 1000, 20000, 20000], [1, 2, 3])
    np.testing.assert_array_equal(decode_dicom(data, "x").pixels, [expected])


def test_palette_of_eight_bits_and_many_entries():
    options = palette(np.uint8, [index % 80 for index in range(1000)])
    data = make_dicom(np.uint16([[3, 79, 500, 60000]]), "PALETTE COLOR", **options)
    picture = decode_dicom(data, "x")
    assert picture.pixels.dtype == np.uint8
    np.testing.assert_array_equal(picture.pixels, [np.outer([3, 79, 20, 999 % 80], [1, 2, 3])])


def test_missing_palette():
    with pytest.raises(ImageError, match="x: its palette is missing or segmented"):
        decode_dicom(make_dicom(np.uint8([[0]]), "PALETTE COLOR"), "x")


def compressed(image, image_format, **options):
    file = io.BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def make_compressed(frame, size, syntax, photometric, samples=3):
    width, height = size
    shape = {"Rows": height, "Columns": width, "SamplesPerPixel": samples, "PlanarConfiguration": 0}
    return make_dicom([frame], photometric, syntax, BitsAllocated=8, BitsStored=8, HighBit=7, **shape)


def test_jpeg(photographs):
    image = Image.fromarray(photographs["coffee.png"][:64, :80])
    frame = compressed(image, "JPEG", quality=95)
    data = make_compressed(frame, image.size, JPEGBaseline8Bit, "YBR_FULL_422")
    reference = np.asarray(Image.open(io.BytesIO(frame)))
    np.testing.assert_allclose(decode_dicom(data, "x").pixels, reference, atol=2)


@pytest.mark.parametrize(
    ("syntax", "photometric", "irreversible"), [(JPEG2000Lossless, "YBR_RCT", False), (JPEG2000, "YBR_ICT", True)]
)
def test_jpeg_2000(photographs, syntax, photometric, irreversible):
    image = Image.fromarray(photographs["coffee.png"][:64, :80])
    frame = compressed(image, "JPEG2000", no_jp2=True, irreversible=irreversible, mct=1)
    data = make_compressed(frame, image.size, syntax, photometric)
    np.testing.assert_allclose(decode_dicom(data, "x").pixels, np.asarray(image), atol=4 if irreversible else 0)


# The same pictures in several transfer syntaxes; only those after the first are compared with it.
@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("MR_small.dcm", ["MR_small_RLE.dcm", "MR_small_bigendian.dcm", "MR_small_jp2klossless.dcm"]),
        ("SC_rgb_gdcm_KY.dcm", ["SC_rgb_rle.dcm", "SC_rgb_dcmtk_+eb+cr.dcm", "SC_ybr_full_422_uncompressed.dcm"]),
        ("SC_rgb_small_odd.dcm", ["SC_rgb_small_odd_big_endian.dcm"]),
        ("rtdose.dcm", ["rtdose_rle.dcm", "rtdose_expb.dcm"]),
        ("liver_1frame.dcm", ["liver_expb_1frame.dcm"]),
    ],
)
def test_same_picture_in_other_transfer_syntaxes(name, others):
    expected = read_image(PYDICOM_FILES / name).pixels.astype(int)
    assert expected.std() > 0
    for other in others:
        lossy = "ybr" in other or "dcmtk" in other
        np.testing.assert_allclose(read_image(PYDICOM_FILES / other).pixels, expected, atol=8 if lossy else 0)


def test_all_files_that_pydicom_carries_are_read_or_refused():
    refused = []
    paths = sorted(PYDICOM_FILES.glob("*.dcm"))
    for path in paths:
        try:
            pixels = read_image(path).pixels
        except ImageError as error:
            refused.append((path, str(error)))
        else:
            assert pixels.std() > 0, path
    assert all(message.startswith(f"{path}: ") for path, message in refused)
    assert len(paths) - len(refused) >= 45
    assert len(refused) >= 20


@pytest.mark.parametrize(
    ("syntax", "reason"),
    [
        (JPEGLSLossless, r"JPEG-LS Lossless Image Compression, needs another decoder\. .*pip install pylibjpeg"),
        (MPEG2MPML, r"MPEG2 Main Profile / Main Level, cannot be decoded"),
    ],
)
def test_missing_decoder_is_named(syntax, reason):
    data = make_compressed(b"\0" * 64, (4, 4), syntax, "RGB")
    with pytest.raises(ImageError, match=reason):
        decode_dicom(data, "x")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a DICOM file"),
        (make_dicom(RAMP)[:-1], "truncated or damaged"),
        (make_dicom(RAMP)[:400], "truncated or damaged|DICOM without a picture"),
        (make_dicom(RAMP, PixelData=b""), "truncated or damaged"),
        (make_dicom(RAMP, Rows=0), "DICOM without a picture"),
        (make_dicom(RAMP, Rows=60000, Columns=60000), "holds fewer frames or pixels than its header says"),
        (make_dicom(RAMP, NumberOfFrames=2_000_000_000), "holds fewer frames or pixels"),
        (make_dicom(PATCHES, "CMYK"), "cannot be (read|decoded)"),
        (make_dicom(np.int8(PATCHES), "RGB"), "colours are of a kind that cannot be read"),
        (make_compressed(b"\xff\xd8\xff", (4, 4), JPEGBaseline8Bit, "RGB"), "needs another decoder"),
        (make_compressed(b"\0\0", (30000, 30000), JPEGBaseline8Bit, "RGB"), "more than max_pixels"),
    ],
)
def test_bad_files_are_refused_with_a_reason(data, reason):
    with pytest.raises(ImageError, match=rf"^some/file: .*({reason}).*\.$"):
        decode_dicom(data, "some/file")


def test_more_than_max_pixels_is_refused():
    data = make_dicom(RAMP)
    with pytest.raises(ImageError, match="4 x 3 is more than max_pixels=11 pixels"):
        decode_image(data, "x", max_pixels=11)
    assert decode_image(data, "x", max_pixels=12).original_size == (3, 4)


def test_deflated_bomb_is_refused_before_it_is_inflated():
    data = make_dicom(np.zeros((3000, 3000), np.uint16), syntax=DeflatedExplicitVRLittleEndian)
    assert len(data) < 30_000
    assert decode_dicom(data, "x").pixels.shape == (3000, 3000)
    with pytest.raises(ImageError, match="more than max_pixels=100 pixels would take"):
        decode_dicom(data, "x", max_pixels=100)


def test_header_is_read_without_the_pixels():
    data = make_dicom(RAMP, PatientID=" P1 ", StudyInstanceUID="1.2", BurnedInAnnotation="YES")
    header = read_dicom_header(io.BytesIO(data), "x")
    assert (header.frames, header.rows, header.columns, header.patient) == (1, 3, 4, "P1")
    assert header.has_burned_in_text
    assert read_dicom_header(make_dicom(RAMP, StudyInstanceUID="1.2"), "x").patient == "1.2"
    assert read_dicom_header(make_dicom(RAMP), "x").patient == ""


def test_decode_image_takes_the_first_frame():
    frames = np.stack([PATCHES, 255 - PATCHES])
    np.testing.assert_array_equal(decode_image(make_dicom(frames, "RGB", frames=2), "x").pixels, PATCHES)


def test_without_pydicom_the_error_says_what_to_install(tmp_path):
    (tmp_path / "scan").write_bytes(make_dicom(RAMP))
    code = (
        "import sys; sys.modules['pydicom'] = None\n"
        "from densecolor.image_io import read_image\n"
        f"try: read_image({str(tmp_path / 'scan')!r})\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.startswith("ImageError ")
    assert result.stdout.strip().endswith(
        'pydicom is not installed. Install it with: pip install "densecolor[medical]".'
    )
