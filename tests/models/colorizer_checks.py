"""The one check that every colorizer passes: shapes, dtypes, round trips, gradients."""

import json

import keras
import numpy as np
import tensorflow as tf

from densecolor import models
from densecolor.checkpoint import load_model
from densecolor.checkpoint import save_model
from densecolor.dataset import load


def check_colorizer(name, options, folder):
    """Build a model of the registry with small options and check what all colorizers promise.

    Args:
        name: a name of `models.list_models()`.
        options: dict of options that make it small.
        folder: Path for files.
    """
    # The same weights every time: a mask's threshold makes much of a rounding difference, if a pixel lies on it.
    keras.utils.set_random_seed(0)
    model = models.create(name, **options)
    check_shapes(model)
    check_unknown_sizes(model)
    check_config(model)
    check_files(model, folder)
    check_gradients(model)
    check_mixed_precision(name, options, folder)


def pictures(*shape):
    return np.random.default_rng(0).uniform(-1, 1, (*shape, 1)).astype(np.float32)


def to_numpy(outputs):
    return {name: keras.ops.convert_to_numpy(value) for name, value in outputs.items()}


def assert_same(outputs, others):
    assert set(outputs) == set(others)
    for name, value in outputs.items():
        np.testing.assert_allclose(value, others[name], atol=1e-6)


def check_shapes(model):
    assert all(layer.name for layer in model.layers)
    assert model.working_size == 256
    for shape in ((1, 97, 131), (2, 1, 5), (3, 32, 32)):
        outputs = to_numpy(model(pictures(*shape)))
        assert sorted(outputs) == sorted(model.output_names)
        assert outputs["ab"].shape == (*shape, 2)
        assert all(value.dtype == np.float32 and np.isfinite(value).all() for value in outputs.values())
    assert_same(to_numpy(model({"lightness": pictures(2, 17, 9)})), to_numpy(model(pictures(2, 17, 9))))


def check_unknown_sizes(model):
    """One traced graph serves all sizes, as `predict` needs from the second size on."""
    traced = tf.function(model, input_signature=[tf.TensorSpec((None, None, None, 1))])
    for shape in ((1, 33, 40), (2, 21, 8)):
        assert_same(to_numpy(traced(pictures(*shape))), to_numpy(model(pictures(*shape))))


def check_config(model):
    config = model.get_config()
    assert json.loads(json.dumps(config)) == config
    again = type(model).from_config(config)
    assert again.get_config() == config
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]


def check_files(model, folder):
    path = folder / "model.keras"
    model.compile("adam", loss=models.losses.default_losses(model.output_names))
    model.optimizer.build(model.trainable_variables)
    save_model(model, path)
    expected = to_numpy(model(pictures(1, 33, 40)))
    plain = keras.saving.load_model(path, safe_mode=True)
    for loaded in (plain, load_model(path), load_model(path, trust=True)):
        assert type(loaded) is type(model)
        assert loaded.get_config() == model.get_config()
        assert_same(to_numpy(loaded(pictures(1, 33, 40))), expected)
    assert set(plain.loss) == set(model.output_names)


def check_gradients(model):
    with tf.GradientTape() as tape:
        outputs = model(pictures(2, 16, 24), training=True)
        total = sum(tf.reduce_mean(tf.square(value)) for value in outputs.values())
    for variable, gradient in zip(
        model.trainable_variables, tape.gradient(total, model.trainable_variables), strict=True
    ):
        assert gradient is not None, variable.path
        assert np.isfinite(gradient).all(), variable.path


def check_mixed_precision(name, options, folder):
    model = models.create(name, **options, dtype="mixed_bfloat16")
    assert keras.config.dtype_policy().name == "float32"
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
    save_model(model, folder / "mixed.keras")
    expected = to_numpy(model(pictures(1, 16, 24)))
    for loaded in (keras.saving.load_model(folder / "mixed.keras"), load_model(folder / "mixed.keras")):
        assert loaded.dtype_policy.name == "mixed_bfloat16"
        assert {layer.compute_dtype for layer in loaded.layers} == {"bfloat16", "float32"}
        outputs = to_numpy(loaded(pictures(1, 16, 24)))
        assert all(value.dtype == np.float32 for value in outputs.values())
        assert_same(outputs, expected)


def trainable_parameters(layer):
    """Of a layer or a model: without the moving statistics of its normalisations."""
    return sum(int(np.prod(variable.shape)) for variable in layer.trainable_variables)


def train_briefly(name, packed, options, epochs=12, learning_rate=3e-3):
    """Train on a packed folder of photographs: the loss falls, and the colours are not gray.

    The drop is measured against predicting no colour at all, which is where training starts.
    """
    keras.utils.set_random_seed(0)
    model = models.create(name, **options)
    batches = load(packed, "train", batch_size=7, targets=model.output_names)
    losses = models.losses.default_losses(model.output_names)
    model.compile(keras.optimizers.Adam(learning_rate), losses, jit_compile=False)
    model.fit(batches, epochs=epochs, shuffle=False, verbose=0)
    true, predicted = [], []
    for inputs, targets, _ in load(packed, "train", batch_size=7, shuffle=False):
        true.append(targets["ab"])
        predicted.append(keras.ops.convert_to_numpy(model(inputs, training=False)["ab"]))
    true, predicted = np.concatenate(true), np.concatenate(predicted)
    assert np.square(true - predicted).mean() < 0.8 * np.square(true).mean()
    assert 128 * np.linalg.norm(predicted, axis=-1).mean() > 4
    assert predicted.std(axis=(1, 2)).mean() > 0  # not one colour over each picture
    return model
