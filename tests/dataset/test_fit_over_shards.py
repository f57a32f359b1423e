"""What `fit` sees of a ShardDataset whose threads read ahead, under TensorFlow and JAX."""

import os
import subprocess
import sys

import pytest

FIT = """
import sys
import keras
import numpy as np
from densecolor.dataset import BatchReader
from densecolor.dataset import ShardDataset
from densecolor.dataset.batches import model_values

def make_model():
    keras.utils.set_random_seed(0)
    lightness = keras.Input((32, 32, 1), name="lightness")
    x = keras.layers.Conv2D(4, 3, padding="same", activation="tanh")(lightness)
    model = keras.Model({"lightness": lightness}, {"ab": keras.layers.Conv2D(2, 3, padding="same", name="ab")(x)})
    model.compile(keras.optimizers.SGD(0.05, momentum=0.5), loss={"ab": "mse"})
    return model

options = {"batch_size": 4, "augment": True, "seed": 5}
fitted = make_model()
fitted.fit(ShardDataset(sys.argv[1], **options), epochs=4, shuffle=False, verbose=0)

stepped = make_model()
reader = BatchReader(sys.argv[1], **options)
for epoch in (1, 2, 3, 4):  # Keras ends one when it has built the model
    for step in range(reader.steps):
        stepped.train_on_batch(*model_values(reader.read(epoch, step), reader.targets))

for one, other in zip(fitted.get_weights(), stepped.get_weights()):
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
other_order = make_model()
for epoch in (2, 1, 3, 4):
    for step in range(reader.steps):
        other_order.train_on_batch(*model_values(reader.read(epoch, step), reader.targets))
assert not np.allclose(fitted.get_weights()[0], other_order.get_weights()[0], rtol=1e-4, atol=1e-6)
print("equal", flush=True)

class Stop(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        raise RuntimeError("stopped inside an epoch")

fitted.fit(ShardDataset(sys.argv[1], **options), callbacks=[Stop()], verbose=0)
"""


@pytest.mark.parametrize("backend", ["tensorflow", pytest.param("jax", marks=pytest.mark.slow)])
def test_fit_sees_the_batches_of_the_reader_and_ends_when_it_is_stopped(packed, backend):
    environment = os.environ | {"KERAS_BACKEND": backend}
    # Without a limit, a process that does not end would never fail.
    result = subprocess.run(
        [sys.executable, "-c", FIT, packed], capture_output=True, text=True, check=False, env=environment, timeout=400
    )
    assert result.stdout == "equal\n", result.stderr
    assert result.returncode == 1
    assert result.stderr.rstrip().endswith("RuntimeError: stopped inside an epoch")
