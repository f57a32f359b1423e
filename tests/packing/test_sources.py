import os
import zipfile

import pytest
from made_sources import listed
from made_sources import touch
from made_sources import write_files

from densecolor.errors import SourceError
from densecolor.packing import open_source


def bytes_of(source, entry):
    return source.reader.files.read(source.reader.locate(entry))


def test_flat_folder_has_no_classes(tmp_path):
    source = open_source(touch(tmp_path, "b.JPG", "a.png", "notes.txt", "c.jpg.bak"))
    assert source.layout == "folder"
    assert source.class_names == []
    assert listed(source) == {"a.png": (-1, None), "b.JPG": (-1, None)}


def test_top_folders_are_classes_at_any_depth(tmp_path):
    source = open_source(touch(tmp_path, "dog/1.jpg", "cat/x/y/2.jpg", "3.jpg", "empty/readme.txt"))
    assert source.class_names == ["cat", "dog"]
    assert listed(source) == {"3.jpg": (-1, None), "cat/x/y/2.jpg": (0, None), "dog/1.jpg": (1, None)}


def test_imagenet_folders_are_splits(tmp_path):
    source = open_source(
        touch(tmp_path, "train/n01/a.JPEG", "train/n02/b.JPEG", "val/n02/c.JPEG", "val/d.JPEG", "test/e.JPEG")
    )
    assert source.class_names == ["n01", "n02"]
    assert listed(source) == {
        "test/e.JPEG": (-1, "test"),
        "train/n01/a.JPEG": (0, "train"),
        "train/n02/b.JPEG": (1, "train"),
        "val/d.JPEG": (-1, "validation"),
        "val/n02/c.JPEG": (1, "validation"),
    }


def test_train_folder_alone_divides_nothing(tmp_path):
    source = open_source(touch(tmp_path, "train/n01/a.JPEG", "train/n02/b.JPEG"))
    assert listed(source) == {"train/n01/a.JPEG": (0, None), "train/n02/b.JPEG": (1, None)}


def test_class_called_train_beside_others_is_a_class(tmp_path):
    source = open_source(touch(tmp_path, "train/a.jpg", "bus/b.jpg"))
    assert source.class_names == ["bus", "train"]


def test_picture_beside_the_splits_is_an_error(tmp_path):
    touch(tmp_path, "train/n01/a.JPEG", "val/n01/b.JPEG", "logo.png")
    with pytest.raises(SourceError, match=r"logo\.png in .* lies beside folders that are splits\. Move it"):
        open_source(tmp_path)


def zip_of(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, name)
    return path


def test_common_top_folder_of_an_archive_is_left_out(tmp_path):
    names = ["photos/cat/1.jpg", "photos/dog/2.jpg", "readme.txt", "__MACOSX/photos/cat/._1.jpg"]
    source = open_source(zip_of(tmp_path / "photos.zip", *names))
    assert source.class_names == ["cat", "dog"]
    assert listed(source) == {"cat/1.jpg": (0, None), "dog/2.jpg": (1, None)}
    assert bytes_of(source, source.entries[0]) == b"photos/cat/1.jpg"
    assert open_source(touch(tmp_path / "folder", *names)).class_names == ["photos"]


def test_common_top_folder_of_an_archive_may_hold_the_splits_or_be_one(tmp_path):
    source = open_source(zip_of(tmp_path / "both.zip", "imagenet/train/n1/a.JPEG", "imagenet/val/n2/b.JPEG"))
    assert listed(source) == {"train/n1/a.JPEG": (0, "train"), "val/n2/b.JPEG": (1, "validation")}
    source = open_source(zip_of(tmp_path / "one.zip", "train/n1/a.JPEG", "train/n2/b.JPEG"))
    assert listed(source) == {"train/n1/a.JPEG": (0, None), "train/n2/b.JPEG": (1, None)}


def test_undecodable_names_become_keys_with_percent_signs(tmp_path):
    os.mkdir(os.path.join(os.fsencode(tmp_path), b"caf\xe9"))
    with open(os.path.join(os.fsencode(tmp_path), b"caf\xe9/\xff.jpg"), "wb") as file:
        file.write(b"picture")
    source = open_source(tmp_path)
    assert source.class_names == ["caf%E9"]
    assert source.entries[0].key == "caf%E9/%FF.jpg"
    assert bytes_of(source, source.entries[0]) == b"picture"


TINY = {
    "wnids.txt": "n02\nn01\nn03\n",
    "words.txt": "n01\tcrane, bird\nn02\tgoldfish, Carassius auratus\nn03\tcrane\nn04\tother\n",
    "train/n01/images/n01_0.JPEG": "1",
    "train/n01/n01_boxes.txt": "n01_0.JPEG\t0\t0\t1\t1\n",
    "train/n02/images/n02_0.JPEG": "2",
    "val/val_annotations.txt": "val_0.JPEG\tn03\t0\t0\t1\t1\nval_1.JPEG\tn02\t0\t0\t1\t1\n",
    "val/images/val_0.JPEG": "3",
    "val/images/val_1.JPEG": "4",
    "val/images/val_2.JPEG": "5",
    "test/images/test_0.JPEG": "6",
}


def zip_tiny(path):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in TINY.items():
            archive.writestr(f"tiny-imagenet-200/{name}", text)
    return path


def test_tiny_imagenet(tmp_path):
    source = open_source(write_files(tmp_path, TINY))
    assert source.layout == "tiny-imagenet"
    assert source.class_names == ["goldfish", "crane (n01)", "crane (n03)"]
    assert listed(source) == {
        "test/images/test_0.JPEG": (-1, "test"),
        "train/n01/images/n01_0.JPEG": (1, "train"),
        "train/n02/images/n02_0.JPEG": (0, "train"),
        "val/images/val_0.JPEG": (2, "validation"),
        "val/images/val_1.JPEG": (0, "validation"),
        "val/images/val_2.JPEG": (-1, "validation"),
    }


def test_tiny_imagenet_zip_and_folders_have_the_same_keys(tmp_path):
    zipped = open_source(zip_tiny(tmp_path / "tiny.zip"))
    unpacked = open_source(write_files(tmp_path / "parent/tiny-imagenet-200", TINY).parent)
    assert listed(zipped) == listed(unpacked) == listed(open_source(tmp_path / "parent/tiny-imagenet-200"))
    assert zipped.class_names == unpacked.class_names
    assert [bytes_of(zipped, entry) for entry in zipped.entries] == [
        bytes_of(unpacked, entry) for entry in unpacked.entries
    ]


def test_hidden_files_do_not_hide_that_a_zip_is_tiny_imagenet(tmp_path):
    path = zip_tiny(tmp_path / "tiny.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("__MACOSX/tiny-imagenet-200/._wnids.txt", "")
        archive.writestr(".DS_Store", "")
    assert open_source(path).layout == "tiny-imagenet"


def test_tiny_imagenet_beside_other_pictures_is_not_recognised_but_can_be_asked_for(tmp_path):
    write_files(tmp_path / "tiny-imagenet-200", TINY)
    touch(tmp_path, "more/a.jpg")
    assert open_source(tmp_path).layout == "folder"
    assert len(open_source(tmp_path, layout="tiny-imagenet").entries) == 6


def test_tiny_imagenet_errors(tmp_path):
    write_files(tmp_path, TINY | {"wnids.txt": "n01\nn03\n"})
    with pytest.raises(SourceError, match=r"train/n02/images/n02_0\.JPEG belongs to class 'n02'"):
        open_source(tmp_path)
    with pytest.raises(SourceError, match=r"holds no wnids\.txt.*layout folder"):
        open_source(tmp_path / "train", layout="tiny-imagenet")


def test_list_file(tmp_path):
    (tmp_path / "lists").mkdir()
    path = tmp_path / "lists/train.txt"
    text = "\ufeff/a/abbey/1.jpg 0\r\n\r\nb/my photo 2.jpg\t2 \n./c//3.gif -1\n   \n"
    path.write_text(text, encoding="utf-8")
    source = open_source(path, root=tmp_path)
    assert source.layout == "list"
    assert source.class_names == ["0", "1", "2"]
    assert listed(source) == {"a/abbey/1.jpg": (0, None), "b/my photo 2.jpg": (2, None), "c/3.gif": (-1, None)}
    touch(tmp_path, "lists/c/3.gif")
    beside = open_source(path)
    assert bytes_of(beside, beside.entries[2]) == b""


def test_list_with_commas(tmp_path):
    path = tmp_path / "train_places205.csv"
    path.write_text("a/abbey/gsun_01.jpg,0\nmy photo, large.jpg , 2\n1,2.jpg 1\n")
    source = open_source(path)
    assert listed(source) == {"a/abbey/gsun_01.jpg": (0, None), "my photo, large.jpg": (2, None), "1,2.jpg": (1, None)}


@pytest.mark.parametrize(
    "line", ["b.jpg cat", "b.jpg 1.5", "b.jpg", "b.jpg -2", "b.jpg 1000000", "7", ",7", "b.jpg,", "b.jpg,cat"]
)
def test_list_line_without_integer_label_is_named(tmp_path, line):
    path = tmp_path / "list.txt"
    path.write_text(f"a.jpg 0\n\n{line}\n")
    with pytest.raises(SourceError, match=rf"list\.txt, line 3: expected `path label`.*Received: '{line}'"):
        open_source(path)


def test_other_files_are_no_lists(tmp_path):
    path = tmp_path / "archive.tar"
    path.write_bytes(b"text\0more")
    with pytest.raises(SourceError, match=r"archive\.tar is neither a folder, a zip or tar archive nor"):
        open_source(path)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("missing", {}, "There is no source .*missing"),
        ("empty", {}, r"There are no images in .*empty \(layout folder\)"),
        (
            "full",
            {"layout": "cifar"},
            "Unknown layout='cifar'. Choose from auto, folder, list, glob, tiny-imagenet",
        ),
        ("full", {"layout": "list"}, "Layout list wants a text file"),
        ("full", {"root": "full"}, "root='full' is for list files only"),
        ("list.txt", {"layout": "folder"}, "Layout folder wants a folder, a zip or a tar archive"),
        ("list.txt", {"layout": "tiny-imagenet"}, "Layout tiny-imagenet wants a folder, a zip or a tar archive"),
        ("list.txt", {"root": "nowhere"}, "There is no folder root='nowhere'"),
    ],
)
def test_wrong_sources(tmp_path, name, options, message):
    (tmp_path / "empty").mkdir()
    touch(tmp_path, "full/a.jpg")
    (tmp_path / "list.txt").write_text("a.jpg 0\n")
    with pytest.raises(SourceError, match=message):
        open_source(tmp_path / name, **options)
