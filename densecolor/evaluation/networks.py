"""Networks that look at colorized pictures: do they still recognise them, and do they see the same (FID)?"""

from pathlib import Path

import cv2
import numpy as np

from densecolor.errors import DensecolorError
from densecolor.errors import require_choice
from densecolor.evaluation.measures import HIGHER
from densecolor.evaluation.measures import LOWER
from densecolor.evaluation.measures import Measure
from densecolor.metrics import FeatureMoments
from densecolor.shards import sha256_of

NETWORK_MEASURES = {
    "top1": Measure(
        "Classifier top-1",
        "",
        HIGHER,
        3,
        "share of the labelled pictures that a classifier, shown the colorized picture, names right",
        None,
    ),
    "top5": Measure(
        "Classifier top-5",
        "",
        HIGHER,
        3,
        "share of the labelled pictures whose class is among the classifier's five most probable",
        None,
    ),
    "fid": Measure(
        "FID",
        "",
        LOWER,
        2,
        "Frechet distance between a network's pooled features of the true and of the colorized pictures; depends on "
        "the network and its weights, and is larger for fewer pictures",
        None,
        pooled=True,
    ),
}
_DOWNLOADED = "imagenet"
_BATCH = 32


class Networks:
    """The networks of one evaluation.

    Args:
        class_names: of the data, in the order of the labels.
        classifier: a network of `keras.applications` by its short name (vgg16, resnet50, ...), or None.
        classifier_weights: "imagenet", which Keras downloads, or a file that `save_weights` wrote for it.
        classifier_classes: list of the classifier's class names in its own order, or a text file with one a line; None
            where it has the classes of the data.
        fid: a network for features, likewise, or None.
        fid_weights: likewise, for the network without its top.

    Raises:
        DensecolorError: unknown networks, no weights or ones that do not fit, or classes that do not match.
    """

    def __init__(
        self,
        class_names,
        classifier=None,
        classifier_weights=None,
        classifier_classes=None,
        fid=None,
        fid_weights=None,
    ):
        self._about = {}
        self._classifier = self._features = None
        if classifier is not None:
            self._classes = _class_indices(class_names, classifier_classes)
            count = len(class_names) if classifier_classes is None else len(_lines(classifier_classes))
            self._classifier = _Network("classifier", classifier, classifier_weights, count)
            self._about["classifier"] = self._classifier.about | {"classes": count}
        if fid is not None:
            self._features = _Network("fid", fid, fid_weights, 0)
            self._about["fid"] = self._features.about

    @property
    def measures(self):
        """Those that stand in the rows."""
        names = ("top1", "top5") if self._classifier else ()
        return {name: NETWORK_MEASURES[name] for name in names}

    def about(self):
        """What the report says of the networks; plain JSON."""
        return self._about

    def look(self, measured):
        """Show networks the pictures of several `Measured`.

        Returns:
            (figures, features): float64 (pictures, systems, measures), and float32 (pictures, systems, features) or
            empty; the truth is the first system.
        """
        pictures = [rgb for one in measured for rgb in one.shown]
        shape = (len(measured), len(measured[0].shown))
        figures = np.empty((*shape, 0))
        if self._classifier:
            figures = self._judged(self._classifier(pictures).reshape(*shape, -1), [one.label for one in measured])
        features = []
        if self._features:
            features = self._features(pictures).reshape(*shape, -1)
        return figures, features

    def _judged(self, logits, labels):
        figures = np.full((*logits.shape[:2], 2), np.nan)
        for picture, label in enumerate(labels):
            if label >= 0:
                own = self._classes[label]
                better = (logits[picture] > logits[picture, :, own, None]).sum(axis=-1)
                figures[picture] = np.stack([better < 1, better < 5], axis=-1)
        return figures

    def distances(self, parts, systems):
        """FID of every system, from the features in the parts, which are read one after the other.

        Returns:
            dict of system to {"fid": float}; empty where it was not asked for.
        """
        if self._features is None:
            return {}
        moments = None
        for part in parts:
            if part.features is not None:
                of_part = [FeatureMoments.of(part.features[:, place]) for place in range(len(systems) + 1)]
                moments = of_part if moments is None else [a + b for a, b in zip(moments, of_part, strict=True)]
        return {system: {"fid": moments[0].distance(own)} for system, own in zip(systems, moments[1:], strict=True)}


class _Network:
    """One network, from sRGB pictures of any size to logits or pooled features."""

    def __init__(self, option, name, weights, logit_count):
        from densecolor.models.class_branch import BRANCHES
        from densecolor.models.class_branch import create_backbone

        require_choice(option, name, sorted(BRANCHES))
        if weights is None:
            raise DensecolorError(
                f'The network {name!r} needs weights: say {option}_weights="imagenet", which Keras downloads, or name '
                "a file that `save_weights` wrote for it."
            )
        if weights != _DOWNLOADED and not Path(weights).is_file():
            raise DensecolorError(f"There is no file of weights {weights}. Name one for {option}_weights.")
        branch = BRANCHES[name]
        self._size, self._preprocess, self._pools = branch.size, branch.module.preprocess_input, not logit_count
        weights_argument = weights if weights == _DOWNLOADED else str(weights)
        self._network = create_backbone(name, self._size, weights_argument, logit_count=logit_count)
        checksum = _DOWNLOADED if weights == _DOWNLOADED else sha256_of(weights)
        self.about = {"network": name, "weights": checksum, "size": self._size}

    def __call__(self, pictures):
        outputs = []
        for start in range(0, len(pictures), _BATCH):
            resized = np.stack([self._resized(rgb) for rgb in pictures[start : start + _BATCH]])
            output = np.asarray(self._network.predict_on_batch(np.asarray(self._preprocess(resized))))
            outputs.append(output.mean(axis=(1, 2)) if self._pools else output)
        return np.concatenate(outputs).astype(np.float32)

    def _resized(self, rgb):
        shrinks = min(rgb.shape[:2]) > self._size
        interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return cv2.resize(rgb.astype(np.float32), (self._size, self._size), interpolation=interpolation)


def _lines(classes):
    if isinstance(classes, str | Path):
        return [line.strip() for line in Path(classes).read_text(encoding="utf-8").splitlines() if line.strip()]
    return list(classes)


def _class_indices(class_names, classifier_classes):
    """For each class of the data the classifier's index."""
    if not class_names:
        raise DensecolorError("The data has no classes, so no classifier can be right about it. Leave it out.")
    if classifier_classes is None:
        return list(range(len(class_names)))
    known = {name: index for index, name in enumerate(_lines(classifier_classes))}
    missing = [name for name in class_names if name not in known]
    if missing:
        raise DensecolorError(
            f"The classifier's classes lack {missing[0]!r} and {len(missing) - 1} more classes of the data. Give its "
            "class names in its own order, spelled as in the data."
        )
    return [known[name] for name in class_names]
