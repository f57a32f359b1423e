"""ILSVRC2012 and Places in miniature, with the names and formats of the distributed files."""

import io

import numpy as np
import pytest
import scipy.io
from made_sources import listed
from made_sources import tar_bytes
from made_sources import write_files
from made_sources import write_tar

from densecolor.errors import SourceError
from densecolor.packing import open_source
from densecolor.packing.sources import open_sources

WORDS = {"n01440764": "tench, Tinca tinca", "n02012849": "crane", "n03126707": "crane", "n04599235": "wool, woolen"}
WNIDS = list(WORDS)
# What the pictures of validation show. The development kit's own numbers have another order than the wnids.
SHOWN = ["n03126707", "n01440764", "n04599235"]
KIT_NUMBERS = {"n01440764": 3, "n02012849": 1, "n03126707": 4, "n04599235": 2}
NAMES = ["tench", "crane (n02012849)", "crane (n03126707)", "wool"]
VALIDATION = [f"ILSVRC2012_val_{i:08d}.JPEG" for i in (1, 2, 3)]
LABELS = {f"validation/{name}": (WNIDS.index(wnid), "validation") for name, wnid in zip(VALIDATION, SHOWN, strict=True)}
TRAIN = {f"train/{wnid}/{wnid}_{i}.JPEG": (label, "train") for label, wnid in enumerate(WNIDS) for i in (7, 10026)}


def train_tar():
    def inner(wnid):
        return tar_bytes([(f"{wnid}_{i}.JPEG", f"{wnid} {i}".encode()) for i in (7, 10026)])

    return tar_bytes([(f"{wnid}.tar", inner(wnid)) for wnid in WNIDS])


def write_ilsvrc(folder):
    (folder / "ILSVRC2012_img_train.tar").write_bytes(train_tar())
    write_tar(folder / "ILSVRC2012_img_val.tar", [(name, name.encode()) for name in VALIDATION])
    return folder


def meta_mat(numbers):
    """The development kit's meta.mat: leaves first, then the synsets above them."""
    fields = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O"), ("gloss", "O"), ("num_children", "O")]
    rows = [(number, wnid, WORDS[wnid], "a gloss", 0) for wnid, number in sorted(numbers.items(), key=lambda x: x[1])]
    rows += [(1001 + i, f"n0000000{i}", "entity", "what is", 2) for i in range(2)]
    file = io.BytesIO()
    scipy.io.savemat(file, {"synsets": np.array(rows, dtype=fields).reshape(-1, 1)})
    return file.getvalue()


def kit_texts():
    truth = "".join(f"{KIT_NUMBERS[wnid]}\n" for wnid in SHOWN)
    top = "ILSVRC2012_devkit_t12/data/"
    return {f"{top}meta.mat": meta_mat(KIT_NUMBERS), f"{top}ILSVRC2012_validation_ground_truth.txt": truth}


SYNSETS = "".join(f"{wnid} {words}\n" for wnid, words in WORDS.items())
KAGGLE = "ImageId,PredictionString\n" + "".join(
    f"{name.removesuffix('.JPEG')},{wnid} 85 1 499 272 {wnid} 1 2 3 4 \n"
    for name, wnid in zip(VALIDATION, SHOWN, strict=True)
)
CAFFE = "".join(f"{name} {WNIDS.index(wnid)}\n" for name, wnid in zip(VALIDATION, SHOWN, strict=True))
TRUTHS = {
    "kaggle": {"LOC_synset_mapping.txt": SYNSETS, "LOC_val_solution.csv": KAGGLE},
    "caffe": {"caffe/synset_words.txt": SYNSETS, "caffe/val.txt": CAFFE},
    "caffe without words": {"val.txt": CAFFE},
    "development kit": kit_texts(),
}


@pytest.mark.parametrize("truth", TRUTHS)
def test_imagenet_tars_with_every_kind_of_ground_truth(tmp_path, truth):
    write_files(write_ilsvrc(tmp_path), TRUTHS[truth])
    source = open_source(tmp_path)
    assert source.layout == "imagenet"
    assert source.class_names == (WNIDS if truth == "caffe without words" else NAMES)
    assert listed(source) == TRAIN | LABELS
    reader = source.reader
    entry = next(entry for entry in source.entries if entry.key == "train/n04599235/n04599235_10026.JPEG")
    number, place = reader.locate(entry)
    assert reader.readers[number].files.read(place) == b"n04599235 10026"


def test_imagenet_development_kit_as_it_is_distributed(tmp_path):
    texts = [(name, text if isinstance(text, bytes) else text.encode()) for name, text in kit_texts().items()]
    write_tar(write_ilsvrc(tmp_path) / "ILSVRC2012_devkit_t12.tar.gz", texts, mode="w:gz")
    source = open_source(tmp_path)
    assert source.class_names == NAMES
    assert listed(source) == TRAIN | LABELS
    kit = tmp_path / "ILSVRC2012_devkit_t12.tar.gz"
    kit.write_bytes(kit.read_bytes()[:200])
    with pytest.raises(SourceError, match=r"ILSVRC2012_devkit_t12\.tar\.gz is damaged or truncated"):
        open_source(tmp_path)


def test_imagenet_validation_without_ground_truth_is_unlabelled(tmp_path):
    source = open_source(write_ilsvrc(tmp_path))
    assert source.class_names == WNIDS
    assert listed(source) == TRAIN | dict.fromkeys(LABELS, (-1, "validation"))


def test_imagenet_train_tar_alone_divides_nothing(tmp_path):
    (tmp_path / "anything.tar").write_bytes(train_tar())
    source = open_source(tmp_path / "anything.tar")
    assert source.layout == "imagenet"
    assert listed(source) == {key: (label, None) for key, (label, _) in TRAIN.items()}


def test_imagenet_tars_as_two_sources_keep_their_splits(tmp_path):
    folder = write_ilsvrc(tmp_path)
    source = open_sources([folder / "ILSVRC2012_img_train.tar", folder / "ILSVRC2012_img_val.tar"])
    splits = {key.rpartition("/")[2]: split for key, (_, split) in listed(source).items()}
    assert splits == {key.rpartition("/")[2]: split for key, (_, split) in (TRAIN | LABELS).items()}


def test_imagenet_as_a_folder_of_its_class_tars(tmp_path):
    for wnid in WNIDS:
        write_tar(tmp_path / f"{wnid}.tar", [(f"{wnid}_{i}.JPEG", b"") for i in (7, 10026)])
    source = open_source(tmp_path)
    assert source.layout == "imagenet"
    assert listed(source) == {key: (label, None) for key, (label, _) in TRAIN.items()}


def test_kaggles_inner_folder_alone(tmp_path):
    """Its val.txt numbers the pictures; it says nothing of their classes."""
    pictures = [f"Data/CLS-LOC/{key}" for key in TRAIN] + [f"Data/CLS-LOC/val/{name}" for name in VALIDATION]
    numbered = "".join(f"{name.removesuffix('.JPEG')} {i}\n" for i, name in enumerate(VALIDATION, 1))
    write_files(tmp_path, dict.fromkeys(pictures, b"") | {"ImageSets/CLS-LOC/val.txt": numbered})
    source = open_source(tmp_path)
    assert source.layout == "imagenet"
    assert listed(source) == TRAIN | dict.fromkeys(LABELS, (-1, "validation"))


def test_a_compressed_tar_beside_the_others_is_accounted_for(tmp_path):
    (tmp_path / "ILSVRC2012_img_train.tar").write_bytes(train_tar())
    write_tar(tmp_path / "ILSVRC2012_img_val.tar.gz", [("a.JPEG", b"")], mode="w:gz")
    source = open_source(tmp_path)
    assert source.refused == [
        ("ILSVRC2012_img_val.tar.gz", "compressed as a whole: decompress it to pack what is in it")
    ]


def test_places_validation_tar_alone(tmp_path):
    path = write_tar(tmp_path / "val_256.tar", [(name, b"") for name in places_files("256")["val"]])
    source = open_source(path)
    assert source.layout == "places"
    assert {entry.split for entry in source.entries} == {"validation"}
    assert {entry.label for entry in source.entries} == {-1}


def test_imagenet_as_kaggle_unpacks_it(tmp_path):
    top = "ILSVRC/Data/CLS-LOC/"
    pictures = [top + key for key in TRAIN] + [f"{top}val/{name}" for name in VALIDATION]
    pictures += [f"{top}test/ILSVRC2012_test_00000001.JPEG"]
    others = {"ILSVRC/Annotations/CLS-LOC/val/ILSVRC2012_val_00000001.xml": "<annotation/>"}
    write_files(tmp_path, dict.fromkeys(pictures, b"") | others | TRUTHS["kaggle"])
    source = open_source(tmp_path)
    assert source.layout == "imagenet"
    assert source.class_names == NAMES
    assert listed(source) == TRAIN | LABELS | {"test/ILSVRC2012_test_00000001.JPEG": (-1, "test")}


def test_imagenet_validation_in_class_folders_needs_no_list(tmp_path):
    folders = {f"val/{wnid}/{name}": b"" for name, wnid in zip(VALIDATION, SHOWN, strict=True)}
    write_files(tmp_path, dict.fromkeys(TRAIN, b"") | folders)
    assert listed(open_source(tmp_path, layout="imagenet")) == TRAIN | LABELS


def test_some_of_imagenets_classes_keep_the_labels_of_all(tmp_path):
    write_files(tmp_path, {"n04599235/n04599235_7.JPEG": b"", "LOC_synset_mapping.txt": SYNSETS})
    source = open_source(tmp_path)
    assert listed(source) == {"train/n04599235/n04599235_7.JPEG": (3, None)}
    assert source.class_names == NAMES


def test_pictures_that_are_not_imagenets_are_accounted_for(tmp_path):
    write_files(write_ilsvrc(tmp_path), {"logo.png": b""})
    assert open_source(tmp_path).refused == [("logo.png", "not named as ImageNet's pictures are")]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            {"val.txt": "ILSVRC2012_val_00000001.JPEG 65\n"},
            r"val\.txt is damaged, or names a class .*synset_words\.txt",
        ),
        ({"val.txt": "ILSVRC2012_val_00000001.JPEG -1\n"}, r"val\.txt is damaged, or names a class that there is not"),
        ({"val.txt": "cat.jpg 1\n"}, r"val\.txt is damaged"),
        ({"LOC_val_solution.csv": "ImageId\nILSVRC2012_val_00000001\n"}, r"LOC_val_solution\.csv is damaged"),
        ({"ILSVRC2012_validation_ground_truth.txt": "1\n"}, r"numbers classes as the development kit does.*meta\.mat"),
        ({"meta.mat": b"no matrix"}, r"meta\.mat is not that of ILSVRC2012's development kit"),
        (kit_texts() | {"ILSVRC2012_validation_ground_truth.txt": "9\n"}, r"ground_truth\.txt is damaged"),
    ],
)
def test_damaged_lists_of_imagenet_are_named(tmp_path, texts, message):
    write_files(write_ilsvrc(tmp_path), texts)
    with pytest.raises(SourceError, match=message):
        open_source(tmp_path)


CATEGORIES = ["/a/airfield", "/a/apartment_building/outdoor", "/v/valley"]
CATEGORY_LIST = "".join(f"{name} {label}\n" for label, name in enumerate(CATEGORIES))
PLACES_NAMES = ["airfield", "apartment_building/outdoor", "valley"]
PLACES_TRAIN = [f"{name[1:]}/{i:08d}.jpg" for name in CATEGORIES for i in (1, 2)]
PLACES_LABELS = {f"train/{name}": (i // 2, "train") for i, name in enumerate(PLACES_TRAIN)}
PLACES_TRUTH = "Places365_val_00000001.jpg 2\nPlaces365_val_00000002.jpg 0\n"
PLACES_LABELS |= {f"validation/Places365_val_0000000{i}.jpg": (j, "validation") for i, j in ((1, 2), (2, 0))}
PLACES_LABELS |= {"test/Places365_test_00000001.jpg": (-1, "test")}


def places_files(size):
    train = [f"data_{size}/{name}" for name in PLACES_TRAIN]
    validation = [f"val_{size}/Places365_val_0000000{i}.jpg" for i in (1, 2)]
    return {"train": train, "val": validation, "test": [f"test_{size}/Places365_test_00000001.jpg"]}


@pytest.mark.parametrize("size", ["256", "large"])
def test_places365_unpacked(tmp_path, size):
    pictures = dict.fromkeys([name for names in places_files(size).values() for name in names], b"")
    write_files(tmp_path, pictures | {"categories_places365.txt": CATEGORY_LIST, "places365_val.txt": PLACES_TRUTH})
    source = open_source(tmp_path)
    assert source.layout == "places"
    assert source.class_names == PLACES_NAMES
    assert listed(source) == PLACES_LABELS
    assert all((tmp_path / entry.path).is_file() for entry in source.entries)


def test_places365_in_its_tars(tmp_path):
    tars = {"train": "train_256_places365standard.tar", "val": "val_256.tar", "test": "test_256.tar"}
    for split, names in places_files("256").items():
        write_tar(tmp_path / tars[split], [(name, name.encode()) for name in names])
    lists = [("categories_places365.txt", CATEGORY_LIST.encode()), ("places365_val.txt", PLACES_TRUTH.encode())]
    write_tar(tmp_path / "filelist_places365-standard.tar", lists)
    source = open_source(tmp_path)
    assert source.layout == "places"
    assert source.class_names == PLACES_NAMES
    assert listed(source) == PLACES_LABELS
    for entry in source.entries:
        number, place = source.reader.locate(entry)
        assert source.reader.readers[number].files.read(place) == entry.path.encode()


@pytest.mark.parametrize("is_tar", [True, False])
def test_places_train_alone_has_its_folders_as_classes_and_divides_nothing(tmp_path, is_tar):
    names = places_files("large")["train"]
    if is_tar:
        write_tar(tmp_path / "train_large_places365standard.tar", [(name, b"") for name in names])
    else:
        write_files(tmp_path, dict.fromkeys(names, b""))
    source = open_source(tmp_path / "train_large_places365standard.tar" if is_tar else tmp_path)
    assert source.layout == "places"
    assert source.class_names == PLACES_NAMES
    assert listed(source) == {f"train/{name}": (i // 2, None) for i, name in enumerate(PLACES_TRAIN)}


@pytest.mark.parametrize("is_compressed", [True, False])
def test_places205(tmp_path, is_compressed):
    images = "data/vision/torralba/deeplearning/images256/"
    pictures = [f"{images}a/abbey/gsun_0{i}.jpg" for i in range(3)] + [f"{images}z/zoo/gsun_03.jpg"]
    pictures += ["testSet_resize/0a1b.jpg"]
    write_files(tmp_path, dict.fromkeys(pictures, b"") | {"categoryIndex_places205.csv": "/a/abbey 0\n/z/zoo 1\n"})
    truth = "a/abbey/gsun_01.jpg,0\nz/zoo/gsun_03.jpg,1\n"
    if is_compressed:
        texts = [("trainvalsplit_places205/val_places205.csv", truth.encode())]
        write_tar(tmp_path / "trainvalsplit_places205.tar.gz", texts, mode="w:gz")
    else:
        write_files(tmp_path, {"trainvalsplit_places205/val_places205.csv": truth})
    source = open_source(tmp_path)
    assert source.layout == "places"
    assert source.class_names == ["abbey", "zoo"]
    assert listed(source) == {
        "test/0a1b.jpg": (-1, "test"),
        "train/a/abbey/gsun_00.jpg": (0, "train"),
        "train/a/abbey/gsun_02.jpg": (0, "train"),
        "validation/a/abbey/gsun_01.jpg": (0, "validation"),
        "validation/z/zoo/gsun_03.jpg": (1, "validation"),
    }


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"categories_places365.txt": "/a/airfield zero\n"}, r"categories_places365\.txt is damaged: expected a path"),
        ({"categories_places365.txt": "/a/airfield 0\n/v/valley 2\n"}, r"not numbered from 0 to 1"),
        (
            {"categories_places365.txt": "/a/airfield 0\n"},
            r"valley/0+1\.jpg in .* is of no category.* Use layout folder",
        ),
        ({"places365_val.txt": PLACES_TRUTH}, r"holds no categories_places365\.txt or .* Put it there"),
        (
            {"categories_places365.txt": CATEGORY_LIST, "places365_val.txt": "Places365_val_00000001.jpg 364\n"},
            r"places365_val\.txt has labels of more categories than the 3",
        ),
    ],
)
def test_damaged_lists_of_places_are_named(tmp_path, texts, message):
    write_files(tmp_path, {"data_256/v/valley/00000001.jpg": b"", "data_256/a/airfield/00000001.jpg": b""} | texts)
    with pytest.raises(SourceError, match=message):
        open_source(tmp_path, layout="places")


def test_class_folders_that_look_a_little_like_places_are_not(tmp_path):
    write_files(tmp_path, {"a/airfield/my photo.jpg": b"", "v/valley/b.jpg": b""})
    assert open_source(tmp_path).class_names == ["a", "v"]
