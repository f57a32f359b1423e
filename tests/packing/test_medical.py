import pickle
import re
import zipfile

import nibabel
import numpy as np
import pytest
from made_medical import NIBABEL_FILES
from made_medical import PYDICOM_FILES
from made_medical import SECRETS
from made_medical import item
from made_medical import make_dicom
from made_medical import make_nifti
from made_medical import secret_words
from made_sources import write_files

from densecolor.errors import DensecolorError
from densecolor.errors import ImageError
from densecolor.errors import SourceError
from densecolor.image_io import encode_image
from densecolor.packing import pack
from densecolor.packing.files import open_files
from densecolor.packing.sources.base import Location
from densecolor.packing.sources.dicom import list_dicom
from densecolor.packing.sources.nifti import list_nifti
from densecolor.shards import open_shard
from densecolor.shards import read_rejected

GRAY = (np.arange(48, dtype=np.uint16) * 80).reshape(6, 8)
COLORS = np.random.default_rng(0).integers(0, 256, (40, 32, 3), np.uint8)


def located(path):
    return Location(path, open_files(path), None)


def listed(source):
    return {entry.key: (entry.frame, entry.split, entry.group) for entry in source.entries}


def test_dicom_files_are_told_by_content_or_suffix(tmp_path):
    scan = make_dicom(GRAY, PatientID="P")
    names = ["IM0.CT", "IM0001", "b/1.2.840.10008.55", "b/scan.DCM", "c/scan.ima", "d/scan.dicom"]
    others = {
        "README": b"text",
        "DICOMDIR": scan,
        "b/DICOMDIR": scan,
        "scan.txt": b"text",
        "a.png": b"text",
        ".hidden": scan,
    }
    write_files(tmp_path, {**dict.fromkeys(names, scan), **others, "not.dcm": b"text", "empty": b""})
    source = list_dicom(located(tmp_path))
    assert listed(source) == dict.fromkeys(names, (None, None, "P")) | {"not.dcm": (None, None, "not.dcm")}
    assert source.class_names == []
    assert source.is_private
    with pytest.raises(ImageError, match=r"^hash: not a DICOM file"):
        source.reader.read(source.reader.locate(source.entries[-1]), "hash")


def test_frames_and_groups(tmp_path):
    several = make_dicom(np.stack([GRAY, GRAY * 2, GRAY * 3]), frames=3, PatientID="P", StudyInstanceUID="1.2")
    write_files(
        tmp_path,
        {"several": several, "study": make_dicom(GRAY, StudyInstanceUID="1.2"), "alone": make_dicom(GRAY)},
    )
    source = list_dicom(located(tmp_path))
    assert listed(source) == {
        "alone": (None, None, "alone"),
        "several#0000": (0, None, "P"),
        "several#0001": (1, None, "P"),
        "several#0002": (2, None, "P"),
        "study": (None, None, "1.2"),
    }
    reader = pickle.loads(pickle.dumps(source.reader))
    for entry in source.entries:
        picture = reader.read(source.reader.locate(entry), "x").picture
        assert picture.original_size == (6, 8)


def test_frames_of_a_file_read_it_once(tmp_path):
    data = make_dicom(np.stack([GRAY, GRAY[::-1]]), frames=2)
    path = tmp_path / "scan"
    path.write_bytes(data)
    source = list_dicom(located(tmp_path))
    first, second = (source.reader.locate(entry) for entry in source.entries)
    before = source.reader.read(first, "x").picture.pixels
    path.unlink()
    np.testing.assert_array_equal(source.reader.read(second, "y").picture.pixels, before[::-1])
    with pytest.raises(FileNotFoundError):
        pickle.loads(pickle.dumps(source.reader)).read(second, "y")


def test_window_and_max_pixels(tmp_path):
    (tmp_path / "scan").write_bytes(make_dicom(GRAY))
    source = list_dicom(located(tmp_path), window=(800.5, 1))
    pixels = source.read(source.entries[0]).picture.pixels
    np.testing.assert_array_equal(pixels, np.where(GRAY > 800, 65535, 0))
    source = list_dicom(located(tmp_path), max_pixels=47)
    with pytest.raises(ImageError, match="scan: 8 x 6 is more than max_pixels=47"):
        source.read(source.entries[0])
    with pytest.raises(DensecolorError, match=r"`window` must be \(centre, width\), the width above 0\. Received"):
        list_dicom(located(tmp_path), window=(40, 0))
    with pytest.raises(DensecolorError, match=r"`window` must be \(low, high\), the highest value above the lowest"):
        list_nifti(located(tmp_path), window=(40, 40))


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_top_folders_are_splits_if_all_are(tmp_path, kind):
    scan = make_dicom(GRAY)
    files = {"Train/p1/a.dcm": scan, "val/p2/b.dcm": scan, "test/c.dcm": scan, "readme.txt": b""}
    path = write_files(tmp_path / "folder", files)
    if kind == "zip":
        path = tmp_path / "scans.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    source = list_dicom(located(path))
    assert [entry.split for entry in source.entries] == ["train", "test", "validation"]


def test_other_folders_are_neither_splits_nor_classes(tmp_path):
    scan = make_dicom(GRAY)
    source = list_dicom(located(write_files(tmp_path, {"train/a.dcm": scan, "Zweistein/b.dcm": scan})))
    assert {entry.split for entry in source.entries} == {None}
    assert {entry.label for entry in source.entries} == {-1}


def test_file_beside_the_splits_is_an_error_that_does_not_name_it(tmp_path):
    scan = make_dicom(GRAY)
    write_files(tmp_path, {"train/a.dcm": scan, "val/b.dcm": scan, "Zweistein.dcm": scan})
    with pytest.raises(SourceError, match=r"beside folders that are splits.* Received: 1 such files") as caught:
        list_dicom(located(tmp_path))
    assert "Zweistein" not in str(caught.value)


def test_text_burned_into_the_pixels_is_not_packed(tmp_path):
    (tmp_path / "scan").write_bytes(make_dicom(GRAY, BurnedInAnnotation="YES"))
    source = list_dicom(located(tmp_path))
    with pytest.raises(ImageError, match=r"^scan: text that may identify the patient is burned into its pixels"):
        source.read(source.entries[0])


def test_nifti_slices_by_plane(tmp_path):
    path = write_files(tmp_path, {"a/brain.nii.gz": (NIBABEL_FILES / "example4d.nii.gz").read_bytes(), "b.nii": b"?"})
    for plane, count in (("axial", 48), ("coronal", 192), ("sagittal", 256)):
        source = list_nifti(located(path), plane=plane)
        assert len(source.entries) == count + 1
        assert source.entries[-1].key == "b.nii"
        assert source.entries[count - 1].key == f"a/brain.nii.gz#{count - 1:04d}"
        assert {entry.group for entry in source.entries} == {"a/brain.nii.gz", "b.nii"}
        reader = pickle.loads(pickle.dumps(source.reader))
        last = reader.read(source.reader.locate(source.entries[count - 1]), "x").picture
        assert last.original_size == {"axial": (96, 128), "coronal": (24, 128), "sagittal": (24, 96)}[plane]
    with pytest.raises(ImageError, match=r"^b\.nii: not a NIfTI file"):
        source.read(source.entries[-1])
    with pytest.raises(DensecolorError, match="Unknown plane='oblique'"):
        list_nifti(located(path), plane="oblique")


def test_volumes_of_one_bids_subject_are_a_group(tmp_path):
    data = make_nifti(np.zeros((2, 3, 1), np.uint8), np.eye(4))
    names = ["sub-01/ses-1/anat/sub-01_ses-1_T1w.nii", "sub-01/ses-2/anat/sub-01_T1w.nii", "sub-02/anat/sub-02_T1w.nii"]
    source = list_nifti(located(write_files(tmp_path, dict.fromkeys(names, data))))
    assert [entry.group for entry in source.entries] == ["sub-01", "sub-01", "sub-02"]


def test_slices_of_a_volume_unpack_it_once_and_a_smaller_one_is_refused(tmp_path):
    path = tmp_path / "brain.nii"
    path.write_bytes(make_nifti(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.eye(4)))
    source = list_nifti(located(tmp_path))
    places = [source.reader.locate(entry) for entry in source.entries]
    source.reader.read(places[0], "x")
    path.write_bytes(make_nifti(np.zeros((3, 4, 2), np.int16), np.eye(4)))
    assert source.reader.read(places[4], "x").picture.pixels.max() > 0
    with pytest.raises(ImageError, match="y: its volume has fewer slices than before"):
        pickle.loads(pickle.dumps(source.reader)).read(places[4], "y")


def test_too_large_slice(tmp_path):
    (tmp_path / "brain.nii").write_bytes(make_nifti(np.zeros((30, 40, 1), np.int16), np.eye(4)))
    source = list_nifti(located(tmp_path), max_pixels=1199)
    with pytest.raises(ImageError, match="30 x 40 is more than max_pixels=1,199"):
        source.read(source.entries[0])


def broken(data, random):
    """One of many ways in which a file may be damaged."""
    data = bytearray(data)
    for place in random.integers(128, len(data), random.integers(1, 8)):
        data[place] = random.integers(256)
    cut = random.integers(200, len(data)) if random.random() < 0.3 else len(data)
    return bytes(data[:cut])


def secret_files():
    """DICOM and NIfTI files that name a patient wherever they can: values, names, folders, sequences."""
    private = item(**SECRETS)
    whole = [
        make_dicom(GRAY, **SECRETS, RequestAttributesSequence=private),
        make_dicom(COLORS, "RGB", **SECRETS),
        make_dicom(np.stack([COLORS, COLORS[::-1]]), "RGB", frames=2, **SECRETS),
        make_dicom(GRAY, **SECRETS, WindowCenter=9, WindowWidth=9, ImageComments=SECRETS["PatientName"]),
    ]
    random = np.random.default_rng(2)
    files = {f"Zweistein^Albertine/PAT-7741992_{i}.dcm": data for i, data in enumerate(whole)}
    for i in range(300):
        files[f"Zweistein^Albertine/broken/{i:03d}"] = broken(whole[i % len(whole)], random)
    return files


def test_nothing_that_names_a_patient_is_in_a_message(tmp_path, capfd, caplog, recwarn):
    source = list_dicom(located(write_files(tmp_path, secret_files())))
    messages, read = [], 0
    for entry in source.entries:
        try:
            source.reader.read(source.reader.locate(entry), "hash")
        except ImageError as error:
            messages.append(str(error))
        else:
            read += 1
    assert len(messages) > 50
    assert read > 50
    said = "\n".join([*messages, *capfd.readouterr(), caplog.text, *(str(warning.message) for warning in recwarn)])
    assert not [word for word in secret_words() if word in said]


def all_bytes(folder):
    return b"\n".join(path.name.encode() + path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_nothing_that_names_a_patient_is_packed(tmp_path, capfd, caplog):
    source, out = write_files(tmp_path / "Kwakfrosch", secret_files()), tmp_path / "out"
    options = {"keep_grayscale": True, "workers": 1, "image_size": 32, "validation_fraction": 0}
    result = pack(source, out, layout="dicom", mapping=tmp_path / "private.csv", **options)
    assert result.manifest.count() > 50
    assert result.manifest.rejected > 50
    packed = all_bytes(out)
    assert not [word for word in secret_words() if word.encode() in packed]
    assert str(tmp_path).encode() not in packed
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""
    assert "Zweistein^Albertine/PAT-7741992_0.dcm" in (tmp_path / "private.csv").read_text()
    keys = [key for info in result.manifest.shards for key in open_shard(out / info.name).keys]
    assert len(keys) == result.manifest.count()
    assert all(re.fullmatch("[0-9a-f]{32}(#[0-9]{4})?", key) for key in keys)


def test_masks_of_a_patient_stay_unnamed_too(tmp_path):
    source = write_files(tmp_path / "scans", {"Zweistein.dcm": make_dicom(GRAY)})
    masks = write_files(tmp_path / "masks", {"a/Zweistein.png": b"", "b/Zweistein.png": b""})
    with pytest.raises(SourceError, match="Two masks fit one picture: one that stays unnamed and one") as caught:
        pack(source, tmp_path / "out", layout="dicom", masks=str(masks), keep_grayscale=True, workers=1)
    assert "Zweistein" not in str(caught.value)


def test_the_order_of_volumes_says_nothing(tmp_path):
    """Volumes stand in the order of their salted names, which cannot be made again without the salt."""
    files = {f"patient{i}.nii": make_nifti(np.full((8, 8, 2), i, np.int16), np.eye(4)) for i in range(12)}
    source = write_files(tmp_path / "source", files)
    options = {"keep_grayscale": True, "image_size": 8, "workers": 1, "validation_fraction": 0, "window": (0, 12)}
    orders = []
    for out in ("a", "b"):
        result = pack(source, tmp_path / out, **options)
        with open_shard(result.out / "train-00000-of-00001.h5") as shard:
            assert [key[-5:] for key in shard.keys] == ["#0000", "#0001"] * 12
            orders.append([int(shard.L[i, 0, 0]) for i in range(0, 24, 2)])
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1]


def test_a_patient_is_in_the_same_split_whatever_the_salt(tmp_path):
    files = {f"{i}.dcm": make_dicom(GRAY + i, PatientID=f"P{i // 4}") for i in range(40)}
    source = write_files(tmp_path / "source", files)
    options = {"keep_grayscale": True, "image_size": 8, "workers": 1, "validation_fraction": 0.4}
    manifests = [pack(source, tmp_path / out, **options).manifest for out in ("a", "b", "c")]
    assert len({manifest.count("validation") for manifest in manifests}) == 1
    assert manifests[0].count("validation") in range(4, 40, 4)


def test_dicom_under_another_name_is_not_packed_with_its_path(tmp_path, photographs):
    source = tmp_path / "source"
    write_files(source, {"Zweistein.jpg": make_dicom(COLORS, "RGB"), "b.png": encode_image(COLORS, ".png")})
    result = pack(source, tmp_path / "out", image_size=8, workers=1)
    assert read_rejected(result.out, 1) == [
        ("Zweistein.jpg", "train", "a DICOM file among other pictures. Pack it with layout dicom")
    ]


def test_series_that_pydicom_carries_is_packed(tmp_path):
    folder = PYDICOM_FILES / "dicomdirtests" / "98892001"
    result = pack(folder, tmp_path / "out", layout="dicom", keep_grayscale=True, workers=1, image_size=32)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert result.manifest.count() + result.manifest.rejected == len(files)
    assert len(result.manifest.splits) == 1  # one patient
    assert all(reason for _, _, reason in read_rejected(tmp_path / "out", result.manifest.rejected))


def test_volume_that_nibabel_carries_is_packed(tmp_path):
    source = tmp_path / "source"
    write_files(source, {"anatomical.nii": (NIBABEL_FILES / "anatomical.nii").read_bytes()})
    result = pack(
        source, tmp_path / "out", layout="nifti", plane="coronal", keep_grayscale=True, workers=1, image_size=16
    )
    assert result.manifest.count() == nibabel.load(NIBABEL_FILES / "anatomical.nii").shape[1]
    assert len(result.manifest.splits) == 1  # one volume
