"""DICOM and NIfTI files for tests: made here, or carried by pydicom's and nibabel's own packages."""

import io
from pathlib import Path

import nibabel
import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.dataset import FileDataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian
from pydicom.uid import SecondaryCaptureImageStorage

PYDICOM_FILES = Path(pydicom.__file__).parent / "data" / "test_files"
NIBABEL_FILES = Path(nibabel.__file__).parent / "tests" / "data"

# All that a header could tell of a person; none of it may be seen anywhere.
SECRETS = {
    "PatientName": "Zweistein^Albertine",
    "PatientID": "PAT-7741992",
    "PatientBirthDate": "19190314",
    "PatientAddress": "Quersackgasse 112",
    "AccessionNumber": "ACC-55120987",
    "InstitutionName": "Sankt Nirgends Spital",
    "ReferringPhysicianName": "Kwakfrosch^Ottokar",
    "StudyInstanceUID": "1.2.826.0.1.3680043.8.498.777333111",
    "StudyDescription": "Oberbauch-Kontrolluntersuchung",
}


def secret_words():
    """The parts of `SECRETS` that would be recognised anywhere."""
    return [part for value in SECRETS.values() for part in value.split("^")]


def make_dicom(pixels, photometric="MONOCHROME2", syntax=ExplicitVRLittleEndian, frames=None, **attributes):
    """Bytes of a DICOM file.

    Args:
        pixels: array (H, W) or (H, W, 3), with frames before it if there are any, whose dtype says bits and sign; or
            a list of bytes, the encoded frames, and then `attributes` must say the rest.
        photometric: photometric interpretation.
        syntax: transfer syntax.
        frames: number of frames, or None.
        attributes: of the dataset, by keyword.
    """
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    dataset = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.PhotometricInterpretation = photometric
    dataset.PixelRepresentation = 0
    if isinstance(pixels, list):
        dataset.PixelData = encapsulate(pixels)
        dataset["PixelData"].is_undefined_length = True
    else:
        _describe(dataset, np.asarray(pixels), 0 if frames is None else 1)
    if frames is not None:
        dataset.NumberOfFrames = frames
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _describe(dataset, pixels, frame_axes):
    shape = pixels.shape[frame_axes:]
    dataset.Rows, dataset.Columns = shape[:2]
    dataset.SamplesPerPixel = 1 if len(shape) == 2 else 3
    if len(shape) == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = pixels.dtype.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    dataset["PixelData"].VR = "OW" if pixels.dtype.itemsize > 1 else "OB"


def item(**attributes):
    """A sequence with one item of these attributes."""
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return [dataset]


def make_nifti(values, affine, **fields):
    """Bytes of a .nii file; `fields` are set in its header, right or wrong."""
    data = nibabel.Nifti1Image(values, affine, dtype=values.dtype).to_bytes()
    header = nibabel.Nifti1Header(data[:348], check=False)
    for field, value in fields.items():
        header[field] = value
    return header.binaryblock + data[348:]
