import keras
import numpy as np
import pytest

from densecolor.models.fusion import apply_fusion


def fused(kind, features, vector):
    """What comes into the 1x1 convolution, and the linear layers' weights by name."""
    keras.utils.set_random_seed(0)  # weights that bring no value near enough to 0 to lose its digits
    x, v = keras.Input(features.shape[1:]), keras.Input(vector.shape[1:])
    model = keras.Model([x, v], apply_fusion(x, v, 2, kind))
    inside = keras.Model(model.inputs, model.get_layer("fusion_conv").input)
    weights = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    return keras.ops.convert_to_numpy(inside([features, vector])), weights


@pytest.mark.parametrize("kind", ["concat", "add", "film"])
def test_every_position_gets_the_whole_pictures_vector(kind):
    random = np.random.default_rng(0)
    features, vector = random.random((2, 3, 4, 5), np.float32), random.random((2, 6), np.float32)
    result, weights = fused(kind, features, vector)
    everywhere = np.broadcast_to(vector[:, None, None], (2, 3, 4, 6))
    if kind == "concat":
        expected = np.concatenate([features, everywhere], axis=-1)
    else:
        expected = features + everywhere @ weights["fusion_shift"][0]
    if kind == "film":
        expected = expected + features * (everywhere @ weights["fusion_scale"][0])
    np.testing.assert_allclose(result, expected, rtol=1e-5)
    assert weights["fusion_conv"][0].shape == (1, 1, 11 if kind == "concat" else 5, 2)


def test_the_result_is_not_negative_and_may_be_normalised():
    features, vector = np.random.default_rng(0).normal(size=(2, 3, 4, 5)), np.ones((2, 6))
    assert float(keras.ops.min(apply_fusion(features, vector, 7))) >= 0
    normalized = apply_fusion(keras.Input((3, 4, 5)), keras.Input((6,)), 7, normalized=True, use_bias=False)
    assert normalized.shape == (None, 3, 4, 7)
