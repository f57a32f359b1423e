"""Layout `imagenet`: ILSVRC2012 as it is distributed, in tars or unpacked."""

import io
import re
import zlib

from densecolor.errors import SourceError
from densecolor.packing.files import FolderFiles
from densecolor.packing.files import escape_undecodable
from densecolor.packing.sources.base import Entry
from densecolor.packing.sources.base import Source
from densecolor.packing.sources.pool import Pool
from densecolor.packing.sources.synsets import SYNSET_FILES
from densecolor.packing.sources.synsets import human_names
from densecolor.packing.sources.synsets import parse_synsets
from densecolor.shards.schema import UNLABELLED

TARS = ("ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar")
TRAIN_IMAGE = re.compile(r"(?:^|/)(n\d{8})_\d+\.JPEG$")
VALIDATION_IMAGE = re.compile(r"(?:^|/)ILSVRC2012_val_(\d{8})\.JPEG$")
TEST_IMAGE = re.compile(r"(?:^|/)ILSVRC2012_test_\d{8}\.JPEG$")
CLASS_TAR = re.compile(r"(^|/)n\d{8}\.tar$")
KAGGLE_NUMBERED = re.compile(r"ILSVRC2012_val_\d{8} \d+$")
KAGGLE_FOLDER = "/Data/CLS-LOC/"
CLASS_FOLDER = re.compile(r"(?:^|/)(n\d{8})/[^/]+$")

KAGGLE_TRUTH = "LOC_val_solution.csv"  # `ILSVRC2012_val_00048981,n03995372 85 1 499 272`
DEVKIT_TRUTH = "ILSVRC2012_validation_ground_truth.txt"  # the ILSVRC2012_ID of every picture, in order
CAFFE_TRUTH = "val.txt"  # `ILSVRC2012_val_00000001.JPEG 65`, an index of the sorted wnids
DEVKIT_SYNSETS = "meta.mat"
DEVKIT = "ILSVRC2012_devkit_t12.tar.gz"  # holds these two
LOADMAT_ERRORS = (ValueError, KeyError, TypeError, IndexError, NotImplementedError, OSError, zlib.error)


def is_imagenet(files):
    """Whether files are those of ILSVRC2012, as distributed."""
    names = files.names
    if any(name.rpartition("/")[2] in (*TARS, "LOC_synset_mapping.txt") or CLASS_TAR.search(name) for name in names):
        return True
    if any(KAGGLE_FOLDER in f"/{name}" for name in names):
        return True
    patterns = (TRAIN_IMAGE, VALIDATION_IMAGE, TEST_IMAGE)
    is_folder = isinstance(files, FolderFiles)
    return bool(names) and not is_folder and all(any(p.search(n) for p in patterns) for n in names)


def list_imagenet(location):
    """List ILSVRC2012.

    The source is one of the distributed tars, a folder that holds them, or Kaggle's unpacked ILSVRC folder. Training
    pictures are told by their names (`n01440764_10026.JPEG`). Validation ones (`ILSVRC2012_val_00000001.JPEG`) get
    their classes from the folder that they lie in, from Kaggle's LOC_val_solution.csv, from the development kit's
    ground truth with its meta.mat (unpacked or in ILSVRC2012_devkit_t12.tar.gz), or from Caffe's val.txt; without any
    of these they are unlabelled, as test pictures are. Classes are in the order of their wnids, and are called as
    LOC_synset_mapping.txt, synset_words.txt, words.txt or meta.mat says. Training pictures alone divide nothing, so
    they have no split yet. Pictures of other names are refused.

    Returns:
        Source.

    Raises:
        SourceError: a file beside the pictures is damaged, or names a class that there is not.
    """
    pool = Pool(location, "imagenet", kits=(DEVKIT,))
    devkit = _read_devkit(pool)
    words = _read_words(pool) or dict(devkit.values())
    found = [(number, path, *_split_and_wnid(path)) for number, path in pool.images]
    strays = [path for _, path, split, _ in found if split is None]
    refused = pool.refused + [(escape_undecodable(path), "not named as ImageNet's pictures are") for path in strays]
    found = [item for item in found if item[2] is not None]
    is_divided = any(split != "train" for _, _, split, _ in found)
    wnids = sorted({wnid for _, _, _, wnid in found if wnid is not None})
    classes = sorted(words) if words.keys() >= set(wnids) and len(words) <= 1000 else wnids
    truth = _read_truth(pool, devkit, classes)
    classes = sorted({*classes, *truth.values()})
    labels = {wnid: label for label, wnid in enumerate(classes)} | {None: UNLABELLED}
    entries = []
    for number, path, split, wnid in found:
        match = VALIDATION_IMAGE.search(path)
        wnid = wnid or (truth.get(int(match[1])) if match else None)
        key = "/".join([split, *([wnid] if split == "train" else []), escape_undecodable(path.rpartition("/")[2])])
        entries.append(Entry(key, path, labels[wnid], split if is_divided else None, source=number))
    return Source("imagenet", pool.reader, entries, human_names(classes, words), refused=refused)


def _split_and_wnid(path):
    if match := TRAIN_IMAGE.search(path):
        return "train", match[1]
    if VALIDATION_IMAGE.search(path):
        folder = CLASS_FOLDER.search(path)
        return "validation", folder[1] if folder else None
    return "test" if TEST_IMAGE.search(path) else None, None


def _read_words(pool):
    name = pool.find(SYNSET_FILES)
    return {} if name is None else parse_synsets("\n".join(pool.lines(name)))


def _read_devkit(pool):
    """The development kit's classes: a dict, ILSVRC2012_ID -> (wnid, synonyms)."""
    if pool.find([DEVKIT_SYNSETS]) is None:
        return {}
    import scipy.io

    data = pool.read(DEVKIT_SYNSETS)
    try:
        synsets = scipy.io.loadmat(io.BytesIO(data), squeeze_me=True)["synsets"]
        found = {int(s["ILSVRC2012_ID"]): (str(s["WNID"]), str(s["words"])) for s in synsets}
    except (*LOADMAT_ERRORS, scipy.io.matlab.MatReadError):
        raise SourceError(f"{DEVKIT_SYNSETS} is not that of ILSVRC2012's development kit. Replace it.") from None
    return {number: synset for number, synset in found.items() if number <= 1000}  # the others are no leaves


def _read_truth(pool, devkit, classes):
    """The classes of the validation pictures: a dict, number of the picture -> wnid."""
    name = pool.find([KAGGLE_TRUTH, DEVKIT_TRUTH, CAFFE_TRUTH])
    if name is None:
        return {}
    if name == DEVKIT_TRUTH and not devkit:
        raise SourceError(
            f"{name} numbers classes as the development kit does. Put its {DEVKIT_SYNSETS} beside it, or use "
            f"{KAGGLE_TRUTH}."
        )
    lines = pool.lines(name)
    if name == CAFFE_TRUTH and lines and KAGGLE_NUMBERED.match(lines[0]):
        return {}  # Kaggle's folder has a list of this name that numbers the pictures
    try:
        if name == KAGGLE_TRUTH:
            rows = (line.split(",") for line in lines[1:])
            return {int(image.rpartition("_")[2]): boxes.split()[0] for image, boxes in rows}
        if name == DEVKIT_TRUTH:
            return {number: devkit[int(line)][0] for number, line in enumerate(lines, 1)}
        rows, by_number = (line.split() for line in lines), dict(enumerate(classes))
        return {int(VALIDATION_IMAGE.search(image)[1]): by_number[int(label)] for image, label in rows}
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise SourceError(
            f"{name} is damaged, or names a class that there is not ({error}). If it is whole, put "
            f"{SYNSET_FILES[0]} or {SYNSET_FILES[1]} beside it, which lists all classes."
        ) from None
