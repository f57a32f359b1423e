import numpy as np
import pytest
import tensorflow as tf
from conftest import write_packed
from test_train import TINY

from densecolor.dataset import BatchReader
from densecolor.errors import TrainingError
from densecolor.shards import open_dataset
from densecolor.training import TrainConfig
from densecolor.training import train
from densecolor.training.building import build_compiled
from densecolor.training.class_weights import balanced_class_weights


def test_labels_are_counted(packed):
    # Of 0, 1, 2, 0, 1, ... in 21 pictures the fifth, a 1, is unlabelled.
    assert open_dataset(packed).label_counts().tolist() == [7, 6, 7]
    assert open_dataset(packed, classes=["rocket", "coffee"]).label_counts().tolist() == [7, 6]


def test_inverse_frequencies(packed):
    by_hand = [20 / (3 * 7), 20 / (3 * 6), 20 / (3 * 7)]
    assert balanced_class_weights(open_dataset(packed), 3) == pytest.approx(by_hand)
    assert np.average(by_hand, weights=[7, 6, 7]) == pytest.approx(1)


def test_a_class_without_pictures_weighs_one(tmp_path, crops):
    folder = write_packed(tmp_path / "few", {"train": (crops[:4], np.array([2, 2, 2, 0]))}, ["a", "b", "c"])
    assert balanced_class_weights(open_dataset(folder), 4) == pytest.approx([4 / 2, 1, 4 / 6, 1])


def test_data_without_labels(tmp_path, crops):
    folder = write_packed(tmp_path / "plain", {"train": (crops[:4], np.full(4, -1))}, ["a", "b"])
    with pytest.raises(TrainingError, match=r"No picture of .*plain has a label.*class_weights=none"):
        balanced_class_weights(open_dataset(folder), 2)


@pytest.mark.parametrize("option", [{"class_weights": "balanced"}, {"label_smoothing": 0.1}])
def test_models_without_classes(packed, tmp_path, option):
    with pytest.raises(TrainingError, match=r"for the class branch; this 'unet' has none"):
        train(TrainConfig(data=packed, **TINY, **option), tmp_path / "run", report=str)
    assert not (tmp_path / "run").exists()


def test_they_reach_the_loss(packed):
    config = TrainConfig(data=packed, model="dense_tiny", class_weights="balanced", label_smoothing=0.2)
    model = build_compiled(config, BatchReader(packed), 3, tf.distribute.get_strategy())
    loss = model.loss["label"]
    assert loss.class_weights == pytest.approx([20 / 21, 20 / 18, 20 / 21])
    assert loss.label_smoothing == 0.2
