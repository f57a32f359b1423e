"""What a secondary capture says of patient, study, source and image, copied from the file that it was made of."""

import datetime
import math

# Of the modules Patient, Clinical Trial Subject, General Study, Patient Study and, of General Series and SOP Common,
# what describes the patient's body and how the rest is to be read (PS3.3, C.7.1 to C.7.3, C.12.1).
_MAY_BE_EMPTY = (
    "AccessionNumber",
    "PatientBirthDate",
    "PatientID",
    "PatientName",
    "PatientSex",
    "ReferringPhysicianName",
    "StudyDate",
    "StudyID",
    "StudyTime",
)
_PATIENT_AND_STUDY = (
    *_MAY_BE_EMPTY,
    "AdmittingDiagnosesDescription",
    "BodyPartExamined",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "EthnicGroup",
    "IssuerOfPatientID",
    "Laterality",
    "Occupation",
    "OtherPatientIDsSequence",
    "PatientAge",
    "PatientBirthTime",
    "PatientComments",
    "PatientIdentityRemoved",
    "PatientSize",
    "PatientSpeciesDescription",
    "PatientWeight",
    "ProcedureCodeSequence",
    "SpecificCharacterSet",
    "StudyDescription",
    "TimezoneOffsetFromUTC",
)
# Of the modules General Image, Image Pixel and SC Image.
_IMAGE = (
    "BurnedInAnnotation",
    "InstanceNumber",
    "LossyImageCompression",
    "LossyImageCompressionMethod",
    "LossyImageCompressionRatio",
    "NominalScannedPixelSpacing",
    "PatientOrientation",
    "PixelAspectRatio",
    "RecognizableVisualFeatures",
)
_CALIBRATION = ("PixelSpacingCalibrationDescription", "PixelSpacingCalibrationType")
_READ = (
    "BitsAllocated",
    "Columns",
    "FrameTime",
    "ImageOrientationPatient",
    "Modality",
    "NumberOfFrames",
    "PixelSpacing",
    "Rows",
    "SOPClassUID",
    "SOPInstanceUID",
    "SamplesPerPixel",
    "SeriesInstanceUID",
    "SeriesNumber",
    "SharedFunctionalGroupsSequence",
    "StudyInstanceUID",
)
# Transfer syntaxes that always lose something, and how the standard calls their methods (C.7.6.1.1.5.1).
_LOSSY = {
    "1.2.840.10008.1.2.4.50": "ISO_10918_1",
    "1.2.840.10008.1.2.4.51": "ISO_10918_1",
    "1.2.840.10008.1.2.4.81": "ISO_14495_1",
}
# Parts of the body that there is one of (PS3.16, annex L).
_UNPAIRED = (
    "ABDOMEN ABDOMENPELVIS BLADDER BRAIN CHEST CHESTABDOMEN CHESTABDPELVIS COCCYX COLON CSPINE ESOPHAGUS HEAD HEADNECK "
    "HEART JAW LIVER LSPINE LSSPINE NECK NECKCHEST PANCREAS PELVIS PROSTATE SACRUM SKULL SPINE SPLEEN SSPINE STERNUM "
    "STOMACH THYMUS THYROID TLSPINE TONGUE TRACHEA TSPINE UTERUS WHOLEBODY"
)
_LEAST_COSINE = 0.25  # of a direction that is worth a letter


def described_tags():
    """Keywords of all that the functions here look at."""
    return [*_PATIENT_AND_STUDY, *_IMAGE, *_CALIBRATION, *_READ]


def describe_patient(capture, source):
    """Copy what the source says of patient and study; what must be there stays empty where it says nothing.

    Args:
        capture: pydicom Dataset, changed.
        source: pydicom Dataset.
    """
    for keyword in _PATIENT_AND_STUDY:
        _copy(capture, source, keyword)
    for keyword in _MAY_BE_EMPTY:
        if keyword not in capture:
            setattr(capture, keyword, None)
    if capture.get("BodyPartExamined") not in _UNPAIRED.split() and "Laterality" not in capture:
        capture.Laterality = None  # of a part that may be one of two it must be said, if only that it is not known


def describe_source(capture, source):
    """Refer to the source, as far as it says what it is.

    Args:
        capture: pydicom Dataset, changed.
        source: pydicom Dataset with its `file_meta`.
    """
    from pydicom.dataset import Dataset

    sop_class = source.get("SOPClassUID") or source.file_meta.get("MediaStorageSOPClassUID")
    instance = source.get("SOPInstanceUID") or source.file_meta.get("MediaStorageSOPInstanceUID")
    if not sop_class or not instance:
        return
    purpose = Dataset()
    purpose.CodeValue = "121322"
    purpose.CodingSchemeDesignator = "DCM"
    purpose.CodeMeaning = "Source image for image processing operation"
    reference = Dataset()
    reference.ReferencedSOPClassUID = sop_class
    reference.ReferencedSOPInstanceUID = instance
    reference.PurposeOfReferenceCodeSequence = [purpose]
    reference.SpatialLocationsPreserved = "YES"
    capture.SourceImageSequence = [reference]


def describe_image(capture, source, size):
    """Copy what holds for the colours as for the gray values: number, geometry, burned-in text, what was lost before.

    Args:
        capture: pydicom Dataset, changed.
        source: pydicom Dataset with its `file_meta`.
        size: of the source's file, in bytes.
    """
    now = datetime.datetime.now()
    capture.ContentDate = now.strftime("%Y%m%d")
    capture.ContentTime = now.strftime("%H%M%S")
    capture.InstanceNumber = None
    capture.PatientOrientation = _orientation(source)
    for keyword in _IMAGE:
        _copy(capture, source, keyword)
    spacing = _spacing(source)
    if spacing:
        capture.PixelSpacing = spacing
        for keyword in _CALIBRATION:
            _copy(capture, source, keyword)
    syntax = str(source.file_meta.get("TransferSyntaxUID"))
    if syntax in _LOSSY and "LossyImageCompression" not in capture:
        capture.LossyImageCompression = "01"
        capture.LossyImageCompressionMethod = _LOSSY[syntax]
        capture.LossyImageCompressionRatio = round(_uncompressed_bytes(source) / size, 2)


def _uncompressed_bytes(source):
    values = math.prod(int(source.get(keyword) or 1) for keyword in ("NumberOfFrames", "SamplesPerPixel"))
    return values * source.Rows * source.Columns * int(source.get("BitsAllocated") or 8) // 8


def _copy(capture, source, keyword):
    if keyword in source and not source[keyword].is_empty:
        capture.add(source[keyword])


def _spacing(source):
    """The distance of rows and of columns in mm, as the source says for all frames; or None."""
    spacing = source.get("PixelSpacing")
    if not spacing:
        shared = (source.get("SharedFunctionalGroupsSequence") or [{}])[0]
        spacing = (shared.get("PixelMeasuresSequence") or [{}])[0].get("PixelSpacing")
    if not spacing or len(spacing) != 2:
        return None
    return spacing if all(math.isfinite(side) and side > 0 for side in spacing) else None


def _orientation(source):
    """Which sides of the patient rows and columns go towards, such as ["L", "P"]; empty where it is not said."""
    cosines = source.get("ImageOrientationPatient")
    if not cosines or len(cosines) != 6 or not all(map(math.isfinite, cosines)):
        return None
    return [_letters(cosines[:3]), _letters(cosines[3:])]


def _letters(direction):
    """Letters of the sides that a direction goes towards, the nearest first (C.7.6.1.1.1)."""
    sides = zip(direction, ("LR", "PA", "HF"), strict=True)
    near = sorted((-abs(cosine), names[cosine < 0]) for cosine, names in sides if abs(cosine) > _LEAST_COSINE)
    return "".join(letter for _, letter in near)
