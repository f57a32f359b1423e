import subprocess
import sys

import keras
import numpy as np
import pytest

from densecolor.optimizers import ClippedAdam
from densecolor.optimizers import ClippedAdamW
from densecolor.optimizers import ClippedSGD
from densecolor.optimizers import StepDecay

RANDOM = np.random.default_rng(0)

# Two replicas with different pictures: their shares of the gradient are longer than the whole.
REPLICAS = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras, numpy as np
from densecolor.optimizers import ClippedSGD
x, y = np.random.default_rng(0).normal(size=(2, 8, 3)).astype("float32")
for strategy in (tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])):
    with strategy.scope():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, kernel_initializer="ones")])
        model.compile(ClippedSGD(1.0, global_clipnorm=0.25), loss="mse", jit_compile=False)
    model.fit(x, y, batch_size=8, verbose=0, shuffle=False)
    print(*np.concatenate([weight.ravel() for weight in model.get_weights()]))
"""


def one_step(optimizer, kernel):
    """The kernel after one step of gradient 2 * kernel."""
    variable = keras.Variable(kernel)
    optimizer.build([variable])
    optimizer.apply([keras.ops.convert_to_tensor(2 * kernel)])
    return keras.ops.convert_to_numpy(variable)


@pytest.mark.parametrize("norm", [0.5, 1e6])
def test_a_step_is_no_longer_than_the_norm(norm):
    kernel = RANDOM.normal(size=(4, 5)).astype(np.float32)
    moved = one_step(ClippedSGD(1.0, global_clipnorm=norm), kernel) - kernel
    length = np.linalg.norm(2 * kernel)
    np.testing.assert_allclose(moved, -2 * kernel * min(1, norm / length), rtol=1e-5)


def test_several_variables_share_one_norm():
    kernels = [keras.Variable(np.full((2,), 3, np.float32)), keras.Variable(np.full((2, 1), 4, np.float32))]
    optimizer = ClippedSGD(1.0, global_clipnorm=1.0)
    optimizer.build(kernels)
    optimizer.apply([keras.ops.convert_to_tensor(kernel) for kernel in kernels])
    length = np.sqrt(2 * 9 + 2 * 16)
    np.testing.assert_allclose(kernels[0], np.full((2,), 3 - 3 / length), rtol=1e-6)
    np.testing.assert_allclose(kernels[1], np.full((2, 1), 4 - 4 / length), rtol=1e-6)


@pytest.mark.parametrize(
    ("clipped", "plain"), [(ClippedAdam, keras.optimizers.Adam), (ClippedAdamW, keras.optimizers.AdamW)]
)
def test_others_clip_as_keras_does_on_one_device(clipped, plain):
    kernel = RANDOM.normal(size=(4, 5)).astype(np.float32)
    expected = one_step(plain(0.1, global_clipnorm=1e-7, epsilon=1e-7), kernel)
    np.testing.assert_allclose(one_step(clipped(0.1, global_clipnorm=1e-7, epsilon=1e-7), kernel), expected, rtol=1e-6)


def test_two_replicas_clip_what_one_clips():
    result = subprocess.run([sys.executable, "-c", REPLICAS], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    one, two = (np.float64(line.split()) for line in result.stdout.splitlines()[-2:])
    np.testing.assert_allclose(one, two, rtol=1e-5)
    assert np.linalg.norm(one - np.float64([1] * 9 + [0] * 3)) == pytest.approx(0.25, rel=1e-5)


def test_step_decay_halves_every_so_many_steps():
    rate = StepDecay(0.8, decay_steps=3, factor=0.5)
    assert [float(rate(step)) for step in range(7)] == pytest.approx([0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2])


def test_step_decay_after_a_warm_up():
    rate = StepDecay(0.8, decay_steps=4, factor=0.1, warmup_steps=2)
    assert [float(rate(step)) for step in range(9)] == pytest.approx([0, 0.4, 0.8, 0.8, *[0.08] * 4, 0.008])


def test_what_a_file_may_name_is_serialisable():
    optimizer = ClippedAdam(StepDecay(0.8, 4, 0.1, 2), global_clipnorm=0.5)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert type(again) is ClippedAdam
    assert again.get_config() == optimizer.get_config()
