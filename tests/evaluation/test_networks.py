"""A classifier and FID, with weights made here."""

import cv2
import keras
import numpy as np
import pytest
import scipy.linalg

from densecolor.color import lab_to_srgb
from densecolor.dataset import iterate
from densecolor.errors import DensecolorError
from densecolor.evaluation import evaluate
from densecolor.evaluation.networks import Networks
from densecolor.models.class_branch import create_backbone

CLASSES = ["cat", "coffee", "rocket"]
NETWORK = "mobilenet_v3_small"


@pytest.fixture(scope="module")
def weights(tmp_path_factory, crops):
    """Files of random weights: a classifier of 5 classes, and the network without its top.

    Their normalisations have seen pictures; else a random network gives all pictures nearly the same.
    """
    folder = tmp_path_factory.mktemp("weights")
    keras.utils.set_random_seed(1)
    pictures = np.stack([cv2.resize(crop, (224, 224)) for crop in crops[:8]]).astype(np.float32)
    for name, count in (("classifier", 5), ("features", 0)):
        network = create_backbone(NETWORK, 224, logit_count=count)
        for layer in network.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = 0.0
        network(pictures, training=True)
        network.save_weights(folder / f"{name}.weights.h5")
    return folder / "classifier.weights.h5", folder / "features.weights.h5"


@pytest.fixture(scope="module")
def result(packed, weights, tmp_path_factory):
    classes = tmp_path_factory.mktemp("classes") / "classes.txt"
    classes.write_text("dog\nrocket\ncat\nhouse\ncoffee\n")
    networks = {
        "classifier": NETWORK,
        "classifier_weights": weights[0],
        "classifier_classes": classes,
        "fid": NETWORK,
        "fid_weights": weights[1],
    }
    return evaluate({"red": red}, packed, networks=networks, batch_size=4)


def red(lightness):
    return {"ab": np.full((*lightness.shape[:3], 2), 0.3)}


@pytest.fixture(scope="module")
def seen(packed):
    """(truths, predictions, labels) as the network gets them, resized by hand; MobileNetV3 wants 0 to 255."""
    truths, predictions, labels = [], [], []
    for record in iterate(packed, "validation"):
        lightness = record.L * np.float32(100 / 255)
        for into, ab in ((truths, record.ab), (predictions, np.full((32, 32, 2), 0.3 * 128))):
            rgb = lab_to_srgb(np.dstack([lightness, ab]).astype(np.float32))
            into.append(cv2.resize(rgb.astype(np.float32), (224, 224), interpolation=cv2.INTER_LINEAR))
        labels.append(record.label)
    return np.stack(truths), np.stack(predictions), labels


def test_top_1_and_top_5_are_those_of_keras_own_classifier(result, seen, weights):
    classifier = keras.applications.MobileNetV3Small(weights=None, classes=5, classifier_activation=None)
    classifier.load_weights(weights[0])
    order = [2, 4, 1]  # of cat, coffee and rocket among the classifier's classes
    truth = [order[label] for label in seen[2]]
    for system, pictures in (("truth", seen[0]), ("red", seen[1])):
        logits = classifier.predict(pictures, verbose=0)
        expected = [float(guess == right) for guess, right in zip(logits.argmax(axis=1), truth, strict=True)]
        assert result.columns[system]["top1"].tolist() == expected
        assert result.results[system]["top5"].mean == 1  # there are no more than five
    assert result.results["truth"]["top1"].count == 9


def test_fid_is_the_formula_on_keras_own_features(result, seen, weights):
    network = keras.applications.MobileNetV3Small(weights=None, include_top=False, pooling="avg")
    network.load_weights(weights[1])
    true, pred = (network.predict(pictures, verbose=0).astype(float) for pictures in seen[:2])
    c1, c2 = np.cov(true, rowvar=False), np.cov(pred, rowvar=False)
    root = scipy.linalg.sqrtm(c1 @ c2).real
    expected = np.square(true.mean(axis=0) - pred.mean(axis=0)).sum() + np.trace(c1 + c2 - 2 * root)
    assert result.pooled["red"]["fid"] == pytest.approx(expected, rel=1e-3)
    assert expected > 0.01
    assert result.about["networks"]["fid"]["network"] == NETWORK


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"classifier": NETWORK}, 'needs weights: say classifier_weights="imagenet"'),
        ({"fid": NETWORK, "fid_weights": "nowhere.h5"}, "no file of weights nowhere.h5"),
        ({"fid": "alexnet", "fid_weights": "imagenet"}, "Unknown fid='alexnet'"),
        ({"classifier": NETWORK, "classifier_weights": "x", "classifier_classes": ["cat", "coffee"]}, "lack 'rocket'"),
        ({"classifier": NETWORK, "classifier_weights": __file__}, "could not be loaded into"),
    ],
)
def test_what_cannot_look_is_refused(options, complaint):
    with pytest.raises(DensecolorError, match=complaint):
        Networks(CLASSES, **options)


def test_data_without_classes_have_no_classifier(unlabelled, weights):
    with pytest.raises(DensecolorError, match="has no classes"):
        evaluate({"red": red}, unlabelled, networks={"classifier": NETWORK, "classifier_weights": weights[0]})
