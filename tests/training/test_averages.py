import contextlib

import keras
import numpy as np
import pytest
from test_train import TINY
from test_train import history
from test_train import weights

from densecolor.checkpoint import load_model
from densecolor.training import TrainConfig
from densecolor.training import train
from densecolor.training.averages import ValidateAverages
from densecolor.training.averages import averaged_weights

EMA = TINY | {"ema": 0.7, "optimizer": "sgd", "learning_rate": 0.05, "schedule": "constant"}


def small_model(dtype="float32"):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, dtype=dtype)])
    optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.8)
    if dtype == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=4.0)
    model.compile(optimizer, loss="mse", jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_averages_by_hand_and_raw_weights_back(dtype):
    model, raw = small_model(dtype), []
    x, y = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
    for _ in range(5):
        model.train_on_batch(x, y[:, :2])
        raw.append(model.get_weights())
    expected = raw[0]
    for step in raw[1:]:
        expected = [0.8 * average + 0.2 * value for average, value in zip(expected, step, strict=True)]
    with averaged_weights(model):
        for average, value in zip(model.get_weights(), expected, strict=True):
            np.testing.assert_allclose(average, value, rtol=1e-5, atol=1e-7)
    for one, other in zip(model.get_weights(), raw[-1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_raw_weights_come_back_after_an_error():
    model = small_model()
    model.train_on_batch(np.ones((4, 3)), np.ones((4, 2)))
    model.train_on_batch(np.ones((4, 3)), np.ones((4, 2)))
    before = model.get_weights()

    def look():
        with averaged_weights(model):
            assert not np.array_equal(model.get_weights()[0], before[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        look()
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


class Interrupt(keras.callbacks.Callback):
    def on_test_batch_end(self, batch, logs=None):
        raise KeyboardInterrupt


@pytest.mark.parametrize("interrupted", [False, True])
def test_validation_leaves_the_raw_weights(interrupted):
    model, seen = small_model(), []
    x, y = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
    after_steps = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(model.get_weights())
    )

    def fit():
        with contextlib.ExitStack() as swapped:
            callbacks = [ValidateAverages(swapped), after_steps, *([Interrupt()] if interrupted else [])]
            model.fit(x, y[:, :2], validation_data=(x, y[:, :2]), batch_size=2, callbacks=callbacks, verbose=0)

    if not interrupted:
        fit()  # which ends with the averages
        expected = [0.8 * first + 0.2 * second for first, second in zip(*seen, strict=True)]
    else:
        with pytest.raises(KeyboardInterrupt):
            fit()
        expected = seen[-1]
    for weight, value in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(weight, value, rtol=1e-6, atol=1e-7)


def test_nothing_to_average_before_the_first_step():
    model = small_model()
    before = model.get_weights()
    with averaged_weights(model):
        np.testing.assert_array_equal(model.get_weights()[0], before[0])
    plain = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    plain.compile("sgd", loss="mse")
    plain.train_on_batch(np.ones((4, 3)), np.ones((4, 2)))
    with averaged_weights(plain):
        pass


@pytest.fixture(scope="module")
def averaged(packed, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "averaged"
    train(TrainConfig(data=packed, **EMA), run, report=str)
    return run


def state(run):
    """The arrays of the saved state, by their names in it: weights and what the optimizer keeps."""
    with np.load(run / "last/state.npz") as archive:
        return {name: archive[name] for name in archive.files if name != "progress.json"}


def test_best_model_gives_the_validation_error_of_its_row(averaged, packed):
    from densecolor.dataset import BatchReader
    from densecolor.dataset.batches import model_values

    inputs, targets, _ = model_values(BatchReader(packed, "validation", batch_size=9, image_size=16).read(0, 0), ["ab"])
    rows = history(averaged)
    best = min(row["val_ab_mse"] for row in rows)
    for name, value in (("best.keras", best), ("final.keras", rows[-1]["val_ab_mse"])):
        predicted = load_model(averaged / name).predict(inputs, verbose=0)["ab"]
        assert np.mean((predicted - targets["ab"]) ** 2) == pytest.approx(value, rel=1e-4)


def test_the_state_holds_raw_weights_and_averages(averaged, packed, tmp_path):
    raw = TrainConfig(data=packed, **EMA | {"ema": 0.0})
    train(raw, tmp_path / "raw", report=str)
    saved = state(averaged)
    model_weights = [value for path, value in saved.items() if "optimizer" not in path]
    for expected in weights(tmp_path / "raw/final.keras"):
        assert any(np.array_equal(expected, value) for value in model_weights)
    averages = [value for path, value in saved.items() if "optimizer" in path]
    model = load_model(averaged / "final.keras")
    for variable in model.trainable_variables:
        assert any(np.array_equal(variable, value) for value in averages)


@pytest.mark.parametrize("stop_after", [2, 4])
def test_resumed_run_equals_an_uninterrupted_one(averaged, packed, tmp_path, stop_after):
    def stop(done, total):
        if done == stop_after:
            raise KeyboardInterrupt

    config = TrainConfig(data=packed, **EMA)
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "run", progress=stop, report=str)
    train(config, tmp_path / "run", resume=True, report=str)
    for one, other in zip(weights(averaged / "final.keras"), weights(tmp_path / "run/final.keras"), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)
    before = weights(tmp_path / "run/final.keras")
    train(config, tmp_path / "run", resume=True, report=str)  # a finished run
    for one, other in zip(before, weights(tmp_path / "run/final.keras"), strict=True):
        np.testing.assert_array_equal(one, other)
