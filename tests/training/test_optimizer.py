import keras
import pytest

from densecolor.errors import TrainingError
from densecolor.training import TrainConfig
from densecolor.training.optimizer import make_optimizer


def made(steps_per_epoch=5, **options):
    return make_optimizer(TrainConfig(data="packed", **options), steps_per_epoch)


def rates(optimizer, steps):
    rate = optimizer.get_config()["learning_rate"]
    schedule = keras.saving.deserialize_keras_object(rate)
    return [float(schedule(step)) for step in steps]


def test_the_default_is_adam_and_nothing_else():
    optimizer = made()
    assert type(optimizer) is keras.optimizers.Adam
    assert (optimizer.use_ema, optimizer.global_clipnorm) == (False, None)


def test_options_reach_their_optimizer():
    sgd = made(optimizer="sgd", momentum=0.3, schedule="constant", learning_rate=0.5)
    assert isinstance(sgd, keras.optimizers.SGD)
    assert (sgd.momentum, float(sgd.learning_rate)) == (0.3, 0.5)
    adamw = made(optimizer="adamw", weight_decay=0.02, clip_norm=1.5, ema=0.99)
    assert isinstance(adamw, keras.optimizers.AdamW)
    assert (adamw.weight_decay, adamw.global_clipnorm, adamw.use_ema, adamw.ema_momentum) == (0.02, 1.5, True, 0.99)


def test_weight_decay_spares_offsets_and_normalizations():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.BatchNormalization()])
    optimizer = made(optimizer="adamw")
    optimizer.build(model.trainable_variables)
    decayed = [v.name for v in model.trainable_variables if optimizer._use_weight_decay(v)]
    assert decayed == ["kernel"]


def test_the_rate_is_halved_every_ten_epochs():
    optimizer = made(schedule="step", epochs=30, learning_rate=0.4, warmup_steps=2)
    assert rates(optimizer, [0, 1, 2, 49, 50, 99, 100, 149]) == pytest.approx([0, 0.2, 0.4, 0.4, 0.2, 0.2, 0.1, 0.1])
    optimizer = made(schedule="step", epochs=4, learning_rate=0.4, step_epochs=2, step_factor=0.1)
    assert rates(optimizer, [0, 9, 10, 19]) == pytest.approx([0.4, 0.4, 0.04, 0.04])


def test_cosine_ends_at_zero():
    assert rates(made(epochs=2, learning_rate=0.4), [0, 5, 10]) == pytest.approx([0.4, 0.2, 0], abs=1e-7)


def test_a_warm_up_as_long_as_the_run():
    for schedule in ("cosine", "constant", "step"):
        with pytest.raises(TrainingError, match=r"leaves none of the run's 50 steps.*more epochs"):
            made(schedule=schedule, warmup_steps=50)
