import keras
import numpy as np
import pytest

from densecolor.errors import DensecolorError
from densecolor.losses import AttentionLoss
from densecolor.losses import MaskCrossentropy
from densecolor.losses import ReconstructionLoss
from densecolor.losses import default_losses
from densecolor.losses import mask_colors

RANDOM = np.random.default_rng(0)
COLORS, OTHERS = RANDOM.uniform(0, 1, (2, 3, 6, 5, 3)).astype(np.float32)
MASK, OTHER = RANDOM.uniform(0.01, 0.99, (2, 3, 6, 5, 1)).astype(np.float32)
WEIGHTS = np.float32([1.5, 1, 0]).reshape(3, 1, 1)


def each_picture(values):
    return values.reshape(3, -1).mean(axis=1)


@pytest.mark.parametrize(("norm", "measure"), [(1, np.abs), (2, np.square)])
def test_attention_by_its_formula(norm, measure):
    expected = each_picture(measure(OTHER * OTHERS - MASK * COLORS))
    loss = AttentionLoss(norm)
    masked = mask_colors(COLORS, MASK), mask_colors(OTHERS, OTHER)
    assert float(loss(*masked)) == pytest.approx(expected.mean(), rel=1e-5)
    weighted = (WEIGHTS.ravel() * expected).sum() / 3
    assert float(loss(*masked, sample_weight=WEIGHTS)) == pytest.approx(weighted, rel=1e-5)


def test_attention_is_bounded_as_its_docstring_says():
    loss = float(AttentionLoss()(mask_colors(COLORS, MASK), mask_colors(OTHERS, OTHER)))
    colors = (OTHER * np.abs(OTHERS - COLORS)).mean()
    masks = (np.abs(OTHER - MASK) * COLORS).mean()
    assert loss <= colors + masks


def test_attention_sees_nothing_where_both_masks_are_empty():
    empty = np.zeros_like(MASK)
    assert float(AttentionLoss()(mask_colors(COLORS, empty), mask_colors(OTHERS, empty))) == 0


@pytest.mark.parametrize("dice_weight", [0.0, 1.0, 0.3])
def test_crossentropy_and_dice_by_their_formula(dice_weight):
    entropy = each_picture(-MASK * np.log(OTHER) - (1 - MASK) * np.log(1 - OTHER))
    overlap, true, predicted = (each_picture(x) * 30 for x in (MASK * OTHER, MASK, OTHER))
    expected = entropy + dice_weight * (1 - (2 * overlap + 1) / (true + predicted + 1))
    loss = MaskCrossentropy(dice_weight)
    assert float(loss(MASK, OTHER)) == pytest.approx(expected.mean(), rel=1e-5)
    weighted = (WEIGHTS.ravel() * expected).sum() / 3
    assert float(loss(MASK, OTHER, sample_weight=WEIGHTS)) == pytest.approx(weighted, rel=1e-5)


def test_crossentropy_is_that_of_keras_and_finite_at_the_ends():
    assert float(MaskCrossentropy(0.0)(MASK, OTHER)) == pytest.approx(
        float(keras.losses.BinaryCrossentropy()(MASK, OTHER)), rel=1e-5
    )
    ones = np.ones((1, 4, 4, 1), np.float32)
    assert float(MaskCrossentropy()(ones, ones)) == pytest.approx(0, abs=1e-6)
    assert np.isfinite(float(MaskCrossentropy()(ones, 0 * ones)))
    assert float(MaskCrossentropy()(0 * ones, 0 * ones)) == pytest.approx(0, abs=1e-6)


def test_reconstruction_is_the_mean_absolute_error():
    expected = each_picture(np.abs(COLORS - OTHERS))
    assert float(ReconstructionLoss()(COLORS, OTHERS)) == pytest.approx(expected.mean(), rel=1e-5)
    weighted = (WEIGHTS.ravel() * expected).sum() / 3
    assert float(ReconstructionLoss()(COLORS, OTHERS, sample_weight=WEIGHTS)) == pytest.approx(weighted, rel=1e-5)


def test_default_losses_of_masks_and_rgb():
    losses = default_losses(["ab", "mask", "masked_rgb", "rgb"])
    assert losses["ab"] is None
    assert [type(losses[name]) for name in ("mask", "masked_rgb", "rgb")] == [
        MaskCrossentropy,
        AttentionLoss,
        ReconstructionLoss,
    ]
    assert losses["masked_rgb"].norm == 1
    assert losses["rgb"].perceptual is None
    guided = default_losses(["ab", "mask", "masked_ab"])
    assert guided["ab"] is not None
    assert guided["masked_ab"].norm == 2


@pytest.mark.parametrize("loss", [AttentionLoss(2), MaskCrossentropy(0.5), ReconstructionLoss(None, 3.0)])
def test_losses_are_serialisable(loss):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()


def test_mistakes_are_explained():
    with pytest.raises(DensecolorError, match=r"`norm` must be 1 or 2\. Received: 3"):
        AttentionLoss(3)
    with pytest.raises(DensecolorError, match=r"`dice_weight` must not be negative\. Received: -1"):
        MaskCrossentropy(-1)
