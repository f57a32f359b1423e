"""A step of the adversarial engine: whose weights it changes, what it looks at, and its second-order gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from densecolor import models
from densecolor.losses import ADVERSARIAL_OBJECTIVES
from densecolor.losses import ColorMSE
from densecolor.losses import default_losses
from densecolor.models import PatchDiscriminator
from densecolor.models.discriminators import PictureNormalization
from densecolor.training.adversarial import AdversarialColorizer
from densecolor.training.adversarial.pool import ImagePool
from densecolor.training.adversarial.scenes import Scene
from densecolor.training.adversarial.scenes import make_scenes

SIDE = 12


def batch(rows=4, seed=0):
    """A batch of noise, each mask a half of the picture."""
    random = np.random.default_rng(seed)
    lightness = random.uniform(-1, 1, (rows, SIDE, SIDE, 1)).astype("float32")
    ab = random.uniform(-0.5, 0.5, (rows, SIDE, SIDE, 2)).astype("float32")
    mask = np.zeros((rows, SIDE, SIDE, 1), "float32")
    mask[:, : SIDE // 2] = 1
    ones = np.ones((rows, 1, 1), "float32")
    return {"lightness": lightness}, {"ab": ab, "mask": mask}, {"ab": ones, "mask": ones.copy()}


def tensors(values):
    return tf.nest.map_structure(tf.constant, values)


def engine(objective, dtype=None, generator=None, rates=(0.1, 0.1), normalization="none", **options):
    """A colorizer with a discriminator of the whole picture and one of what is inside the mask."""
    keras.utils.set_random_seed(1)
    generator = generator or models.create("unet", filters=(2, 4), dtype=dtype)
    networks = [
        PatchDiscriminator(name == "masked", "ab", 1, 4, normalization, spectral=True, dtype=dtype, name=name)
        for name in ("whole", "masked")
    ]
    model = AdversarialColorizer(generator, networks, objective, "foreground", **options)
    optimizers = [keras.optimizers.SGD(rate) for rate in rates]
    losses = dict.fromkeys(generator.output_names) | {"ab": ColorMSE()}
    model.compile(*optimizers, loss=losses, run_eagerly=True)
    return model


def changed(before, after):
    return [not np.array_equal(one, other) for one, other in zip(before, after, strict=True)]


@pytest.mark.parametrize(
    "objective",
    ["wgan-gp", *(pytest.param(it, marks=pytest.mark.slow) for it in ADVERSARIAL_OBJECTIVES if it != "wgan-gp")],
)
def test_each_step_changes_its_own_weights_only(objective):
    """The colorizer's rate is 0, then the discriminators': then nothing of theirs changes, not even their vectors."""
    model = engine(objective, rates=(0.0, 0.1))
    before = model.generator.get_weights(), model.get_weights()
    model.train_on_batch(*tensors(batch()))
    trained = [np.array_equal(*pair) for pair in zip(before[0], model.generator.get_weights(), strict=True)]
    moving = ["moving" in variable.path for variable in model.generator.weights]
    assert trained == [not it for it in moving]  # one forward pass in training, whatever the discriminators do
    assert any(changed(before[1], model.get_weights())[len(before[0]) :])

    model = engine(objective, rates=(0.1, 0.0), discriminator_steps=1)
    networks = [variable for network in model.discriminators for variable in network.trainable_variables]
    before = [variable.numpy() for variable in networks], [v.numpy() for v in model.generator.trainable_variables]
    model.train_on_batch(*tensors(batch()))
    if objective != "wgan":  # which clips
        assert not any(changed(before[0], [variable.numpy() for variable in networks]))
    assert all(changed(before[1], [v.numpy() for v in model.generator.trainable_variables]))


def test_without_the_adversary_nothing_of_it_changes():
    model = engine("hinge")
    model.is_adversarial = False
    before = [network.get_weights() for network in model.discriminators]
    model.train_on_batch(*tensors(batch()))
    for network, weights in zip(model.discriminators, before, strict=True):
        assert not any(changed(weights, network.get_weights()))
    alone = models.create("unet", filters=(2, 4))
    alone.set_weights(engine("hinge").generator.get_weights())
    alone.compile(keras.optimizers.SGD(0.1), loss=default_losses(["ab"]), run_eagerly=True)
    inputs, targets, weights = batch()
    alone.train_on_batch(inputs, {"ab": targets["ab"]}, {"ab": weights["ab"]})
    model = engine("hinge", attention_weight=0.0)
    model.is_adversarial = False
    model.train_on_batch(*tensors(batch()))
    for one, other in zip(alone.get_weights(), model.generator.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-7)


def test_wgan_clips_all_weights():
    model = engine("wgan", clip=0.003)
    model.train_on_batch(*tensors(batch()))
    for variable in model.discriminator_variables:
        assert np.abs(variable.numpy()).max() <= 0.003 + 1e-9


@pytest.mark.parametrize("mask", ["foreground", "learned"])
def test_nothing_outside_the_mask_is_seen(mask):
    inputs, targets, weights = tensors(batch())
    network = PatchDiscriminator(True, "ab", 1, 4, "instance")
    predicted, lightness = tf.Variable(targets["ab"] * 0.3), tf.Variable(inputs["lightness"])
    with tf.GradientTape() as tape:
        outputs = {"ab": predicted, "mask": targets["mask"]}
        _, scene = make_scenes(lightness, targets, weights, outputs, mask)
        score = tf.reduce_sum(network(scene.predicted)) + tf.reduce_sum(network(scene.true))
        score += tf.reduce_sum(tf.abs(scene.predicted["ab"] - scene.true["ab"]))
    gradients = tape.gradient(score, [predicted, lightness])
    for gradient in gradients:
        assert np.abs(gradient[:, : SIDE // 2]).max() > 1e-6
        assert np.abs(gradient[:, SIDE // 2 :]).max() == 0


def test_colorizers_of_rgb_are_judged_in_rgb():
    """By a single discriminator of what is inside the mask: it learns, and outside of it no colour gets a gradient."""
    inputs, targets, weights = batch()
    targets["rgb"] = np.random.default_rng(7).uniform(0, 1, (4, SIDE, SIDE, 3)).astype("float32")
    weights["rgb"] = weights["ab"]
    generator = models.create("smcgan", filters=(2, 4), blocks=1, mask=False)
    network = PatchDiscriminator(True, "rgb", 1, 4, "none", name="masked")
    model = AdversarialColorizer(generator, [network], "lsgan", "foreground")
    model.compile(
        keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), loss=default_losses(["ab", "rgb"]), run_eagerly=True
    )
    before = network.get_weights()
    figures = model.train_on_batch(*tensors((inputs, targets, weights)), return_dict=True)
    assert all(changed(before, network.get_weights()))
    assert {"masked_score_true", "attention"} <= set(figures)
    assert "score_true" not in figures
    inputs, targets, weights = tensors((inputs, targets, weights))
    predicted = tf.Variable(targets["rgb"] * 0.5)
    with tf.GradientTape() as tape:
        scenes = make_scenes(inputs["lightness"], targets, weights, {"rgb": predicted}, "foreground", "rgb")
        score = tf.reduce_sum(network(scenes[1].predicted))
    gradient = tape.gradient(score, predicted)
    assert np.abs(gradient[:, : SIDE // 2]).max() > 1e-6
    assert np.abs(gradient[:, SIDE // 2 :]).max() == 0


def test_learned_masks_learn_from_true_ones_only():
    """A picture with a mask gives the predicted one a gradient; of one without, the predicted mask is a constant."""
    inputs, targets, weights = tensors(batch(rows=2))
    weights["mask"] = tf.constant([[[1.0]], [[0.0]]])
    predicted = tf.Variable(np.full((2, SIDE, SIDE, 1), 0.4, "float32"))
    with tf.GradientTape() as tape:
        _, scene = make_scenes(
            inputs["lightness"], targets, weights, {"ab": targets["ab"] * 0.5, "mask": predicted}, "learned"
        )
        loss = tf.reduce_sum(tf.abs(scene.predicted["ab"] - scene.true["ab"]))
    np.testing.assert_array_equal(scene.true["mask"][0], targets["mask"][0])
    np.testing.assert_array_equal(scene.true["mask"][1], predicted[1])
    gradient = tape.gradient(loss, predicted).numpy()
    assert np.abs(gradient[0]).max() > 0
    assert np.abs(gradient[1]).max() == 0
    np.testing.assert_array_equal(scene.weight, [1, 1])


@pytest.mark.parametrize("objective", [pytest.param("vanilla", marks=pytest.mark.slow), "wgan-gp", "relativistic"])
def test_padding_and_pictures_without_a_mask_do_not_count(objective):
    """What stands in rows of weight 0 changes no weight and no figure; a picture without a mask counts as a whole."""
    results = []
    for seed in (1, 2):
        inputs, targets, weights = batch()
        other, other_targets, _ = batch(seed=seed)
        inputs["lightness"][3], targets["ab"][3] = other["lightness"][3], other_targets["ab"][3]
        targets["mask"][2:] = seed / 2
        weights["ab"][3], weights["mask"][2:] = 0, 0
        model = engine(objective, generator=pixelwise())
        figures = model.train_on_batch(*tensors((inputs, targets, weights)), return_dict=True)
        results.append((figures, model.get_weights()))
    (figures, weights), (others, other_weights) = results
    assert figures == pytest.approx(others, rel=1e-5)
    for one, two in zip(weights, other_weights, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)


def pixelwise():
    """A colorizer without normalisation, which would mix the pictures of a batch."""
    keras.utils.set_random_seed(2)
    lightness = keras.Input((None, None, 1), name="lightness")
    x = keras.layers.Conv2D(3, 3, padding="same", activation="relu")(lightness)
    ab = keras.layers.Conv2D(2, 1, name="ab")(x)
    return keras.Model({"lightness": lightness}, {"ab": ab})


def scene_of_noise():
    inputs, targets, _ = batch(rows=3)
    other = np.random.default_rng(5).uniform(-0.5, 0.5, targets["ab"].shape).astype("float32")
    true = {"lightness": inputs["lightness"], "ab": targets["ab"]}
    return Scene(*tensors((true, true | {"ab": other})), tf.ones(3), ("ab",))


def smooth_network(each_channel):
    """A discriminator in float64 without kinks, at which differences say nothing of derivatives."""
    inputs = {
        name: keras.Input((None, None, n), name=name, dtype="float64") for name, n in (("lightness", 1), ("ab", 2))
    }
    x = keras.layers.Concatenate(dtype="float64")(list(inputs.values()))
    x = keras.layers.Conv2D(4, 4, strides=2, activation="tanh", dtype="float64")(x)
    x = PictureNormalization(each_channel, dtype="float64")(x)
    return keras.Model(inputs, keras.layers.Conv2D(1, 3, dtype="float64")(x))


@pytest.mark.parametrize("each_channel", [True, False])
def test_gradient_penalty_against_finite_differences(each_channel):
    """Both orders: the gradient by the colours, and the penalty's gradient by the weights."""
    model, network = engine("wgan-gp"), smooth_network(each_channel)
    scene = tf.nest.map_structure(lambda x: x if isinstance(x, str) else tf.cast(x, tf.float64), scene_of_noise())
    share = np.array([0.2, 0.5, 0.9])
    points = {}
    for name in scene.true:
        weight = share[:, None, None, None]
        points[name] = weight * scene.true[name].numpy() + (1 - weight) * scene.predicted[name].numpy()

    def scores(ab):
        return network({"lightness": points["lightness"], "ab": ab}).numpy().mean(axis=(1, 2, 3))

    step, gradient = 1e-5, np.zeros_like(points["ab"])
    for place in np.ndindex(points["ab"].shape[1:]):
        change = np.zeros_like(points["ab"])
        change[:, *place] = step
        gradient[:, *place] = (scores(points["ab"] + change) - scores(points["ab"] - change)) / (2 * step)
    norms = np.linalg.norm(gradient.reshape(3, -1), axis=1)
    np.testing.assert_allclose(model._penalty(network, scene, share), (norms - 1) ** 2, rtol=1e-6)

    kernel = network.layers[3].kernel
    with tf.GradientTape() as tape:
        penalty = tf.reduce_mean(model._penalty(network, scene, share))
    analytic = tape.gradient(penalty, kernel.value).numpy()
    before = kernel.numpy()
    for place in ((0, 0, 0, 0), (1, 2, 2, 3), (3, 3, 1, 1)):
        values = []
        for sign in (1, -1):
            changed_kernel = before.copy()
            changed_kernel[place] += sign * step
            kernel.assign(changed_kernel)
            values.append(float(tf.reduce_mean(model._penalty(network, scene, share))))
        kernel.assign(before)
        assert (values[0] - values[1]) / (2 * step) == pytest.approx(analytic[place], rel=1e-5)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_gradient_penalty_in_mixed_precision(dtype):
    scene, share, results = scene_of_noise(), tf.constant([0.2, 0.5, 0.9]), []
    for policy in ("float32", dtype):
        model = engine("wgan-gp", dtype=policy)
        with tf.GradientTape() as tape:
            penalty = tf.reduce_mean(model._penalty(model.discriminators[0], scene, share))
        results.append((penalty, tape.gradient(penalty, model.discriminators[0].get_layer("conv1").kernel.value)))
    (exact, exact_gradient), (rough, rough_gradient) = results
    assert rough_gradient.dtype == "float32"
    assert float(rough) == pytest.approx(float(exact), rel=0.02)
    difference = np.linalg.norm(rough_gradient - exact_gradient) / np.linalg.norm(exact_gradient)
    assert difference < 0.05


def test_float16_steps_that_overflow_are_not_taken():
    model = engine("wgan-gp", dtype="mixed_float16")
    scale = model.discriminator_optimizer.dynamic_scale
    scale.assign(2.0**120)
    before = [variable.numpy() for variable in model.discriminator_variables]
    figures = model.train_on_batch(*tensors(batch()), return_dict=True)
    assert float(scale) == 2.0**119
    assert not any(changed(before, [variable.numpy() for variable in model.discriminator_variables]))
    assert all(np.isfinite(value) for value in figures.values())


def test_pool():
    pool = ImagePool(4, 2, {"ab": 2, "mask": 1})

    def exchange(values, step, weight=None):
        values = np.float32(values)[:, None, None, None]
        parts = {"ab": tf.constant(np.tile(values, (1, 2, 2, 2))), "mask": tf.constant(np.tile(-values, (1, 2, 2, 1)))}
        weight = tf.ones(len(values)) if weight is None else tf.constant(weight)
        result = pool.exchange(parts, weight, tf.constant([0, step]))
        np.testing.assert_array_equal(result["ab"][..., :1], -result["mask"])
        return result["ab"][:, 0, 0, 0].numpy().tolist()

    assert exchange([1, 2, 3], 0, [1.0, 0.0, 1.0]) == [1, 2, 3]
    assert int(pool.count) == 2  # the padding is not in
    assert exchange([4, 5, 6], 1) == [4, 5, 6]
    assert int(pool.count) == 4
    assert sorted(pool.pictures[:, 0, 0, 0].numpy().tolist()) == [1, 3, 4, 5]
    earlier, kept, back = {1, 3, 4, 5}, 0, 0
    for step in range(200):
        given = [10 + 3 * step, 11 + 3 * step, 12 + 3 * step]
        got = exchange(given, 2 + step)
        for new, result in zip(given, got, strict=True):
            assert result == new or result in earlier
            kept, back = kept + (result == new), back + (result != new)
            if result != new:
                earlier = earlier - {result} | {new}
        assert set(pool.pictures[:, 0, 0, 0].numpy().tolist()) == earlier
    assert 0.4 < back / (kept + back) < 0.6


def test_a_colorizer_that_predicts_masks():
    """Its own losses stay; both discriminators teach colours, the second also the mask."""
    keras.utils.set_random_seed(2)
    lightness = keras.Input((None, None, 1), name="lightness")
    x = keras.layers.Conv2D(3, 3, padding="same", activation="relu")(lightness)
    outputs = {
        "ab": keras.layers.Conv2D(2, 1, name="ab")(x),
        "mask": keras.layers.Conv2D(1, 1, activation="sigmoid", name="mask")(x),
    }
    networks = [PatchDiscriminator(sees, "ab", 1, 4, "none", name=f"sees_{sees}") for sees in (False, True)]
    model = AdversarialColorizer(keras.Model({"lightness": lightness}, outputs), networks, "lsgan", "learned")
    assert model.target_names == ("ab", "mask")
    mask_kernel = model.generator.get_layer("mask").kernel
    before = mask_kernel.numpy()
    losses = {"ab": ColorMSE(), "mask": None}
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), loss=losses, run_eagerly=True)
    figures = model.train_on_batch(*tensors(batch()), return_dict=True)
    assert figures["masked_gan_generator"] > 0
    assert not np.array_equal(before, mask_kernel.numpy())
