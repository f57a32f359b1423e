"""Colorized pictures in folders beside the true ones: any system can be measured, whoever wrote it."""

import functools
import hashlib
from pathlib import Path
from pathlib import PurePosixPath

import cv2
import numpy as np

from densecolor.color import srgb_to_lab
from densecolor.errors import ImageError
from densecolor.evaluation.baselines import MEAN_OF
from densecolor.evaluation.names import GRAYSCALE
from densecolor.evaluation.names import MEAN_COLOUR
from densecolor.evaluation.pair import Answer
from densecolor.evaluation.pictures import Picture
from densecolor.evaluation.pictures import spread
from densecolor.evaluation.systems import System
from densecolor.evaluation.systems import require_names
from densecolor.image_io import decode_image
from densecolor.image_io import find_images_by_name
from densecolor.image_io import to_rgb8
from densecolor.packing.masks.files import MaskFiles

_SMALL = 64  # pixels, the side to which pictures are reduced for their mean colour
_NAMED = 3  # pictures that an error names


class FolderComparison:
    """What `evaluate_folders` compares; as `densecolor.evaluation.packed_comparison.PackedComparison`."""

    def __init__(self, predictions, truth, masks=None, limit=None, keep_lightness=False, skip_damaged=False):
        self._truth = Path(truth)
        self._folders = _named_folders(predictions)
        require_names(list(self._folders))
        true = find_images_by_name(truth)
        self._found = {name: find_images_by_name(folder) for name, folder in self._folders.items()}
        self.left_out = _partnerless(true, self._found, truth, skip_damaged)
        keys = [key for key in true if all(key in found for found in self._found.values())]
        self._paths = [true[key] for key in keys]
        self._places = spread(len(keys), limit)
        self._keys = keys
        if not keys:
            raise ImageError(f"No picture of {truth} has a partner in every folder of predictions.")
        self._masks = None if masks is None else MaskFiles(masks)
        self._keep_lightness = keep_lightness
        self.count = len(self._places)
        self.batch_size = 32
        tops = sorted({PurePosixPath(key).parts[0] for key in keys})
        self.class_names = tops if len(tops) > 1 and all("/" in key for key in keys) else []
        self._mean = self._mean_ab(skip_damaged)
        self.systems = [
            System(name, None, {"kind": "pictures", "folder": Path(folder).resolve().name})
            for name, folder in self._folders.items()
        ]
        mean = {"ab": self._mean.round(3).tolist(), "from_split": None, "pictures": min(MEAN_OF, self.count)}
        self.systems += [
            System(GRAYSCALE, None, {"kind": "baseline"}),
            System(MEAN_COLOUR, None, {"kind": "baseline", **mean}),
        ]

    def describe_data(self):
        """What the report says of the data; the checksum of its files is known when all are read."""
        return {
            "name": self._truth.resolve().name,
            "split": None,
            "pictures_in_split": len(self._keys) + len(self.left_out),
            "pictures": self.count,
            "image_size": None,
            "lightness": "the truth's" if self._keep_lightness else "of the predictions",
        }

    def fingerprint(self):
        """What must be equal for parts of two runs to belong together: names, sizes and times of all files."""
        digest = hashlib.sha256()
        for place in self._places:
            for path in [self._paths[place], *(found[self._keys[place]] for found in self._found.values())]:
                status = path.stat()
                digest.update(f"{path.resolve()} {status.st_size} {status.st_mtime_ns}\n".encode())
        return {**self.describe_data(), "files": digest.hexdigest(), "masks": self._masks is not None}

    def batches(self, start, stop):
        """As `PackedComparison.batches`; files are read where the functions are called."""
        for begin in range(start, stop, self.batch_size):
            places = self._places[begin : min(begin + self.batch_size, stop)]
            yield [_Task(self._keys[place], functools.partial(self._read, place)) for place in places]

    def show(self, place):
        """As `PackedComparison.show`."""
        picture, answers, _ = self._read(self._places[place])
        return picture, answers

    def _read(self, place):
        key = self._keys[place]
        digests = []
        rgb = _read_rgb(self._paths[place], digests)
        lab = srgb_to_lab(rgb)
        is_gray = _is_gray(rgb)
        ab = np.zeros_like(lab[..., 1:]) if is_gray else np.ascontiguousarray(lab[..., 1:])
        label = self.class_names.index(PurePosixPath(key).parts[0]) if self.class_names else -1
        picture = Picture(key, np.ascontiguousarray(lab[..., 0]), ab, label, self._mask(place, rgb.shape), rgb)
        answers = [self._prediction(found[key], picture, digests) for found in self._found.values()]
        gray = np.zeros_like(ab)
        answers.append(Answer(rgb, gray) if is_gray else (gray, None))
        answers.append((np.broadcast_to(np.float32(self._mean), ab.shape), None))
        return picture, answers, digests

    def _prediction(self, path, picture, digests):
        rgb = _read_rgb(path, digests)
        if rgb.shape != picture.rgb.shape:
            size = " x ".join(map(str, rgb.shape[1::-1]))
            raise ImageError(
                f"{path} is {size} pixels, its truth {picture.rgb.shape[1]} x {picture.rgb.shape[0]}. Bring both to "
                "one size first: figures depend on how a picture is resized."
            )
        ab = np.zeros_like(picture.ab) if _is_gray(rgb) else np.ascontiguousarray(srgb_to_lab(rgb)[..., 1:])
        return (ab, None) if self._keep_lightness else Answer(rgb, ab)

    def _mask(self, place, shape):
        if self._masks is None:
            return None
        name = self._paths[place].relative_to(self._truth) if self._truth.is_dir() else Path(self._paths[place].name)
        located = self._masks.locate(name.as_posix())
        if located is None:
            raise ImageError(f"There is no mask for {name}.")
        mask = self._masks.read(located)
        if mask.shape != shape[:2]:
            raise ImageError(f"The mask {located} is {mask.shape[1]} x {mask.shape[0]} pixels, its picture is not.")
        return mask

    def _mean_ab(self, skip_damaged):
        means = []
        for place in spread(len(self._places), MEAN_OF):
            try:
                rgb = _read_rgb(self._paths[self._places[place]], [])
            except (ImageError, OSError):
                if not skip_damaged:
                    raise
                continue
            small = cv2.resize(rgb, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA)
            means.append(srgb_to_lab(small)[..., 1:].mean(axis=(0, 1), dtype=np.float64))
        return np.mean(means, axis=0) if means else np.zeros(2)


class _Task:
    def __init__(self, key, read):
        self.key = key
        self._read = read

    def __call__(self):
        return self._read()


def _named_folders(predictions):
    if isinstance(predictions, dict):
        return predictions
    folders = [predictions] if isinstance(predictions, str | Path) else list(predictions)
    if not folders:
        raise ImageError("There is no folder of predictions. Give one or more.")
    names = [Path(folder).resolve().name for folder in folders]
    unique = [name if names.count(name) == 1 else str(folder) for name, folder in zip(names, folders, strict=True)]
    return dict(zip(unique, folders, strict=True)) if len(set(unique)) == len(unique) else _twice(unique)


def _twice(names):
    raise ImageError(f"A folder of predictions comes twice in {', '.join(names)}.")


def _partnerless(true, found, truth, skip_damaged):
    """[key, reason] of every picture without a partner; an error unless they may be skipped."""
    left_out = []
    for name, pictures in found.items():
        left_out += [[key, f"it has no prediction of {name}"] for key in true if key not in pictures]
        left_out += [[key, f"this prediction of {name} has no truth"] for key in pictures if key not in true]
    if left_out and not skip_damaged:
        named = "; ".join(f"{key}: {reason}" for key, reason in left_out[:_NAMED])
        more = f"; and {len(left_out) - _NAMED} more" if len(left_out) > _NAMED else ""
        raise ImageError(
            f"Pictures of {truth} and of the predictions must be pairs of the same name. {named}{more}. Add or "
            "remove them, or use --skip-damaged to leave them out."
        )
    return left_out


def _read_rgb(path, digests):
    """SRGB uint8 (H, W, 3), alpha left aside. Adds the file's SHA-256."""
    data = path.read_bytes()
    digests.append(hashlib.sha256(data).hexdigest())
    return to_rgb8(decode_image(data, str(path)).pixels)


def _is_gray(rgb):
    red, green, blue = cv2.split(rgb)
    return np.array_equal(red, green) and np.array_equal(green, blue)
