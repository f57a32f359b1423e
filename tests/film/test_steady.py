"""Steady colours, and the measure of how steady they are: on motion that is known."""

import numpy as np
import pytest
from made_films import texture

from densecolor.film import Flicker
from densecolor.film import Steady
from densecolor.film.motion import MotionFinder

HEIGHT, WIDTH, STEP = 96, 128, 3


def scene(count, seed=0):
    """L (count, H, W) of a camera that moves to the right, and true ab that belongs to what it sees."""
    wide = texture(HEIGHT, WIDTH + STEP * count, seed) / 2.55
    colors = np.dstack(
        [texture(HEIGHT, WIDTH + STEP * count, seed + 1, 30), texture(HEIGHT, WIDTH + STEP * count, 9, 30)]
    )
    views = [slice(STEP * i, STEP * i + WIDTH) for i in range(count)]
    cut = np.ascontiguousarray
    return [cut(wide[:, view], np.float32) for view in views], [
        cut(colors[:, view] / 5 - 25, np.float32) for view in views
    ]


def flickering(truth, amount=6.0):
    """Predictions that err by another colour each frame."""
    random = np.random.default_rng(1)
    return [ab + random.normal(0, amount, 2).astype(np.float32) for ab in truth]


def flicker_of(lightness, colors):
    finder, flicker = MotionFinder(), Flicker()
    for number in range(1, len(lightness)):
        motion = finder.find(lightness[number - 1], lightness[number])
        flicker.add(motion, colors[number - 1], colors[number])
    return flicker.value


def test_flicker_by_hand():
    lightness, truth = scene(4)
    assert flicker_of(lightness, truth) < 0.3  # colours that stick to things: interpolation alone
    sign = [1, -1, 1, -1]
    alternating = [ab * 0 + np.float32([3 * s, 4 * s]) for s, ab in zip(sign, truth, strict=True)]
    assert flicker_of(lightness, alternating) == pytest.approx(10, abs=1e-3)  # from (3, 4) to (-3, -4)
    on_the_glass = [truth[0]] * 4  # colours that stand still while things move
    assert flicker_of(lightness, on_the_glass) > 3 * flicker_of(lightness, truth)


def test_flicker_ignores_what_is_newly_seen():
    lightness, truth = scene(2)
    motion = MotionFinder().find(*lightness)
    assert not motion.visible[:, -STEP:].any()
    assert motion.visible[8:-8, 8 : -STEP - 8].mean() > 0.95
    changed = truth[1].copy()
    changed[:, -STEP:] = 100
    results = []
    for now in (truth[1], changed):
        flicker = Flicker()
        flicker.add(motion, truth[0], now)
        results.append(flicker.value)
    assert results[0] == results[1]


def test_steady_colours_flicker_less_and_err_less():
    lightness, truth = scene(16)
    predicted = flickering(truth)
    steady = Steady()
    written = [steady.next(*frame)[0] for frame in zip(lightness, predicted, strict=True)]
    assert steady.cuts == 0
    assert flicker_of(lightness, written) < 0.35 * flicker_of(lightness, predicted)

    def error(colors):
        return np.mean([np.linalg.norm(a - b, axis=-1).mean() for a, b in zip(colors, truth, strict=True)])

    assert error(written) < 0.7 * error(predicted)


def test_newly_seen_things_are_as_predicted():
    lightness, truth = scene(2)
    predicted = flickering(truth)
    steady = Steady()
    steady.next(lightness[0], predicted[0])
    written, _ = steady.next(lightness[1], predicted[1])
    np.testing.assert_array_equal(written[:, -STEP:], predicted[1][:, -STEP:])
    inner = np.s_[20:-20, 20:-20]
    mean = (predicted[0][:, STEP:] + predicted[1][:, :-STEP]) / 2
    assert np.abs(written[:, :-STEP][inner] - mean[inner]).mean() < 0.5


def test_a_cut_forgets_all():
    first, colors = scene(6)
    second, others = scene(6, seed=50)
    steady = Steady()
    written = [steady.next(*frame) for frame in zip(first + second, flickering(colors + others), strict=True)]
    assert steady.cuts == 1
    assert [number for number, (_, motion) in enumerate(written) if motion is None] == [0, 6]
    np.testing.assert_array_equal(written[6][0], flickering(colors + others)[6])


def test_going_on_is_as_never_stopped():
    lightness, truth = scene(8)
    frames = list(zip(lightness, flickering(truth), strict=True))
    whole, first, second = Steady(), Steady(), Steady()
    wanted = [whole.next(*frame)[0] for frame in frames]
    for frame in frames[:5]:
        first.next(*frame)
    second.restore(first.state())
    for frame, ab in zip(frames[5:], wanted[5:], strict=True):
        np.testing.assert_array_equal(second.next(*frame)[0], ab)


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 300), (23, 23), (31, 400), (32, 32), (32, 91), (91, 32), (32, 2000), (2000, 32)]
)
def test_any_size(shape):
    steady = Steady()
    lightness = np.random.default_rng(0).uniform(0, 100, shape).astype(np.float32)
    for _ in range(3):
        ab, _ = steady.next(lightness, np.full((*shape, 2), 7, np.float32))
        np.testing.assert_allclose(ab, 7, atol=1e-4)
