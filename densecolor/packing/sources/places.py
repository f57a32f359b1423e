"""Layout `places`: Places205 and Places365 as they are distributed, in tars or unpacked."""

import dataclasses
import posixpath
import re

from densecolor.errors import SourceError
from densecolor.packing.files import escape_undecodable
from densecolor.packing.sources.base import Entry
from densecolor.packing.sources.base import Source
from densecolor.packing.sources.base import is_image_name
from densecolor.packing.sources.pool import Pool
from densecolor.shards.schema import UNLABELLED

CATEGORY_FILES = ("categories_places365.txt", "categoryIndex_places205.csv")  # `/a/airfield 0`
LISTS = "trainvalsplit_places205.tar.gz"  # holds val_places205.csv
# `Places365_val_00000001.jpg 165`, `a/abbey/gsun_b04d79d9.jpg,0`
TRUTH_FILES = ("places365_val.txt", "val_places205.csv")
TARS = re.compile(r"(^|/)(filelist_places365|train_(256|large)_places365|imagesPlaces205)[^/]*\.tar$")
HELD_OUT_IMAGE = re.compile(r"(^|/)Places365_(val|test)_\d{8}\.jpg$")
# `a/airfield/00000001.jpg`, `a/abbey/gsun_b04d79d9.jpg`: a category lies below its first letter
CATEGORY_FOLDER = re.compile(r"(?:^|/)(([a-z])/\2[^/]*(?:/[^/]+)?)/(?:\d{8}|g?sun_\w+)\.jpg$")
VALIDATION_IMAGE = re.compile(r"(^|/)[^/]*_val_\d+\.jpg$|(^|/)val(_256|_large)?/")
TEST_IMAGE = re.compile(r"(^|/)[^/]*_test_\d+\.jpg$|(^|/)test(_256|_large|Set[^/]*)?/")


def is_places(files):
    """Whether files are those of Places205 or Places365, as distributed."""
    if any(name.rpartition("/")[2] in (*CATEGORY_FILES, LISTS) or TARS.search(name) for name in files.names):
        return True
    images = [name for name in files.names if is_image_name(name)]
    return bool(images) and all(CATEGORY_FOLDER.search(name) or HELD_OUT_IMAGE.search(name) for name in images)


def list_places(location):
    """List Places205 or Places365.

    The source is a folder (or archive) that holds the list of categories (categories_places365.txt, also inside
    filelist_places365-standard.tar, or categoryIndex_places205.csv), and the pictures in folders or in the distributed
    tars. Training pictures get their class from the folder that they lie in (`data_256/a/airfield/00000001.jpg`),
    validation ones from places365_val.txt or val_places205.csv (also inside trainvalsplit_places205.tar.gz); without it
    they are unlabelled, as test pictures are. Classes have the order of the list and its names, without the letter
    (`apartment_building/outdoor`); without a list, they are the folders, sorted. Training pictures alone divide
    nothing, so they have no split yet. A picture that is there twice, as large and as 256 x 256, is packed once: keys
    leave out the variant.

    Returns:
        Source.

    Raises:
        SourceError: the list of categories is damaged, or missing where it is needed, or a picture is of a category
            that it does not have.
    """
    pool = Pool(location, "places", kits=(LISTS,))
    labels = _read_categories(pool, location)
    truth_name = pool.find(TRUTH_FILES)
    truth = {} if truth_name is None else _read_pairs(pool, truth_name)
    if labels and max(truth.values(), default=UNLABELLED) >= len(labels):
        raise SourceError(f"{truth_name} has labels of more categories than the {len(labels)} that there are.")
    entries = []
    for number, path in pool.images:
        base = posixpath.basename(path)
        category = _category_of(path, labels)
        split = "test" if TEST_IMAGE.search(path) else "validation" if VALIDATION_IMAGE.search(path) else "train"
        if split == "train" and category is None:
            raise SourceError(
                f"{escape_undecodable(path)} in {location.path} is of no category that Places' list has. Use layout "
                "folder if the folders are the classes."
            )
        inner = f"{category.strip('/')}/{base}" if category else base
        if split == "train" and inner in truth:  # Places205 keeps its validation pictures among the others
            split = "validation"
        label = labels[category] if category else truth.get(base, UNLABELLED)
        entries.append(Entry(f"{split}/{escape_undecodable(inner)}", path, label, split, source=number))
    if all(entry.split == "train" for entry in entries):
        entries = [dataclasses.replace(entry, split=None) for entry in entries]
    names = [category.strip("/").partition("/")[2] for category in sorted(labels, key=labels.get)]
    return Source("places", pool.reader, entries, names, refused=pool.refused)


def _read_categories(pool, location):
    """The labels of the categories: a dict such as {"/a/airfield": 0}."""
    name = pool.find(CATEGORY_FILES)
    if name is not None:
        labels = _read_pairs(pool, name)
        if sorted(labels.values()) != list(range(len(labels))):
            raise SourceError(f"{name} is damaged: its categories are not numbered from 0 to {len(labels) - 1}.")
        return labels
    if all(HELD_OUT_IMAGE.search(path) for _, path in pool.images):
        return {}  # by themselves, they are unlabelled
    matches = [CATEGORY_FOLDER.search(path) for _, path in pool.images]
    categories = sorted({f"/{match[1]}" for match in matches if match})
    if not categories or pool.find(TRUTH_FILES) is not None:
        raise SourceError(
            f"{location.path} holds no {' or '.join(CATEGORY_FILES)}. Put it there, or use layout folder."
        )
    return {category: label for label, category in enumerate(categories)}


def _category_of(path, labels):
    """The category whose folders the picture lies in, such as "/a/apartment_building/outdoor", or None."""
    folders = posixpath.dirname(path).split("/")
    for depth in (3, 2):
        category = "/" + "/".join(folders[-depth:])
        if len(folders) >= depth and category in labels:
            return category
    return None


def _read_pairs(pool, name):
    """A list of `path label` or `path,label` lines as a dict."""
    pairs = {}
    for line in pool.lines(name):
        match = re.fullmatch(r"(\S.*?)[\s,]\s*(\d+)\s*", line)
        if match is None:
            raise SourceError(f"{name} is damaged: expected a path and a number. Received: {line[:200]!r}.")
        pairs[match[1]] = int(match[2])
    return pairs
