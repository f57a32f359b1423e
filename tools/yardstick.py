"""The network that benchmarks compare with: plain dense blocks, layer by layer, without a class stream."""

import keras

BLOCKS = 4
LAYERS = 6
GROWTH = 12


def create_yardstick():
    """3x3 to 24; four blocks of [BN, ReLU, 1x1 to 48, BN, ReLU, 3x3 to 12, join] x 6, halved after three; 3x3 to ab.

    Returns:
        `keras.Model` of 253,052 weights: `lightness` (batch, H, W, 1) to `ab` (batch, H, W, 2).
    """
    lightness = keras.Input((None, None, 1), name="lightness")
    x = keras.layers.Conv2D(2 * GROWTH, 3, padding="same")(lightness)
    for block in range(BLOCKS):
        for _ in range(LAYERS):
            new = _normalized(x)
            new = keras.layers.Conv2D(4 * GROWTH, 1, use_bias=False)(new)
            new = keras.layers.Conv2D(GROWTH, 3, padding="same", use_bias=False)(_normalized(new))
            x = keras.layers.Concatenate()([x, new])
        if block < BLOCKS - 1:
            x = keras.layers.Conv2D(x.shape[-1] // 2, 1)(_normalized(x))
    ab = keras.layers.Conv2D(2, 3, padding="same", activation="tanh", name="ab")(x)
    return keras.Model({"lightness": lightness}, {"ab": ab}, name="yardstick")


def _normalized(x):
    return keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
