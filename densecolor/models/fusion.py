"""Where a vector that describes the whole picture meets the features of its places."""

import keras

from densecolor.models.layers import apply_layers
from densecolor.models.layers import norm_relu_layers
from densecolor.models.layers import spread_over

FUSIONS = ("concat", "add", "film")


def apply_fusion(features, vector, filters, kind="concat", use_bias=True, normalized=False, synchronized=False):
    """Join a vector with features at every position; then a 1x1 convolution, [BN,] ReLU.

    Args:
        features: (batch, H, W, C).
        vector: (batch, D).
        filters: channels of the 1x1 convolution.
        kind: "concat", the vector beside the features (Iizuka et al., 2016); "add", the vector, brought to C values by
            a linear layer, added to them; or "film", features * (1 + scale) + shift with both made of the vector by
            linear layers (Perez et al., "FiLM: Visual Reasoning with a General Conditioning Layer", AAAI 2018).
        use_bias: whether the 1x1 convolution has one.
        normalized: BatchNormalization before the ReLU.
        synchronized: that over all replicas.

    Returns:
        (batch, H, W, filters), not negative.
    """
    if kind == "concat":
        joined = keras.layers.Concatenate(name="fusion")([features, spread_over(vector, features)])
    else:
        joined = features + spread_over(_linear(vector, features, "fusion_shift"), features)
        if kind == "film":
            joined = joined + features * spread_over(_linear(vector, features, "fusion_scale"), features)
    convolution = keras.layers.Conv2D(filters, 1, use_bias=use_bias, kernel_initializer="he_normal", name="fusion_conv")
    after = norm_relu_layers("fusion", synchronized) if normalized else [keras.layers.ReLU(name="fusion_relu")]
    return apply_layers(joined, [convolution, *after])


def _linear(vector, features, name):
    return keras.layers.Dense(features.shape[-1], name=name)(vector)
