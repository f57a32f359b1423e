import keras
import numpy as np
import pytest
from skimage import color
from skimage import data

from densecolor import models
from densecolor.errors import DensecolorError
from densecolor.image_io import Picture
from densecolor.image_io import read_image
from densecolor.image_io import write_image
from densecolor.inference import colorize
from densecolor.inference import colorize_files
from densecolor.inference import colorize_with_account
from densecolor.inference.prediction import predict_outputs
from densecolor.inference.tile_model import TileModel
from densecolor.inference.tiles import FARTHEST
from densecolor.inference.tiles import TiledPrediction
from densecolor.inference.tiles import measure_reach

NOISE = np.random.default_rng(1).uniform(0, 100, (331, 421)).astype(np.float32)


def box_model(size, strides=1):
    """Predicts a = b = the mean lightness around each pixel, by an average over `size` pixels."""
    lightness = keras.Input((None, None, 1), name="lightness")
    x = keras.layers.AveragePooling2D(size, strides=strides, padding="same")(lightness)
    ab = keras.layers.Concatenate(name="ab")([x, x])
    return keras.Model({"lightness": lightness}, {"ab": ab}, name="box")


def mean_model():
    """Predicts a = the picture's mean lightness, b = 0.1 times each pixel's own."""
    lightness = keras.Input((None, None, 1), name="lightness")
    mean = keras.layers.GlobalAveragePooling2D()(lightness)
    a = mean[:, None, None, :] + 0 * lightness
    return keras.Model({"lightness": lightness}, {"ab": keras.layers.Concatenate(name="ab")([a, 0.1 * lightness])})


def all_rows(tiles, height, band):
    return np.concatenate([tiles.rows(start, min(start + band, height)) for start in range(0, height, band)])


@pytest.mark.parametrize("name", ["unet", "dense_tiny"])
def test_tiles_equal_the_whole(name):
    options = {"unet": {"filters": (4, 8, 8)}, "dense_tiny": {"num_classes": 0}}
    keras.utils.set_random_seed(2)
    whole_model = models.create(name, **options[name])
    model = TileModel(whole_model)
    small = NOISE[:100, :90]
    outputs = predict_outputs(small, model)
    np.testing.assert_array_equal(outputs["ab"], predict_outputs(small, whole_model)["ab"])
    vectors = model.vectors_of(outputs)
    assert len(vectors) == 1

    def predict(lightness):
        return predict_outputs(lightness, model, vectors)["ab"]

    np.testing.assert_allclose(predict(small), outputs["ab"], atol=1e-5)  # its own vectors
    reach = measure_reach(predict, 64)
    assert 0 < reach < 64
    whole = predict(NOISE)
    tiles = TiledPrediction(predict, lambda start, stop: NOISE[start:stop], *NOISE.shape, reach=reach, tile=128)
    np.testing.assert_allclose(all_rows(tiles, 331, 13), whole, atol=1e-4 * np.abs(whole).max())


def test_what_a_network_draws_from_the_whole_picture_is_not_drawn_from_tiles():
    values = np.full((700, 30), 90, np.uint8)
    values[350:] = 180
    a = color.rgb2lab(colorize(values, mean_model(), native=True, working_size=20))[..., 1]
    lightness = color.rgb2lab(np.dstack([values] * 3))[..., 0]
    np.testing.assert_allclose(a, 128 * (lightness.mean() / 50 - 1), atol=1)


@pytest.mark.parametrize(("size", "reach"), [(1, 0), (9, 8), (17, 8), (41, 24)])
def test_the_reach_of_an_average(size, reach):
    model = box_model(size)
    assert measure_reach(lambda lightness: predict_outputs(lightness, model)["ab"], 64) == reach


def test_the_reach_of_a_network_that_sees_everything():
    assert measure_reach(lambda tile: np.full((*tile.shape, 2), tile.mean()), 32) == 32
    assert measure_reach(lambda tile: np.zeros((*tile.shape, 2)), 32) == 0


def test_no_seam_where_tiles_disagree():
    """Each tile says something else; what comes out changes by no more than a tile's fading allows."""
    said = iter(np.random.default_rng(4).uniform(-50, 50, 100))

    def predict(tile):
        return np.full((*tile.shape, 2), next(said), np.float32)

    tiles = TiledPrediction(predict, lambda start, stop: np.zeros((stop - start, 1500)), 1300, 1500, reach=FARTHEST)
    ab = all_rows(tiles, 1300, 100)
    assert max(np.abs(np.diff(ab, axis=axis)).max() for axis in (0, 1)) < 2 * 100 / (FARTHEST // 2)
    assert ab.max() - ab.min() > 50


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (700, 1), (512, 513), (33, 545)])
def test_sizes_of_tiles_and_pictures(shape):
    lightness = np.random.default_rng(3).uniform(0, 100, shape).astype(np.float32)

    def predict(tile):
        return np.dstack([tile, -tile])

    tiles = TiledPrediction(predict, lambda start, stop: lightness[start:stop], *shape, reach=40, tile=160)
    np.testing.assert_allclose(all_rows(tiles, shape[0], 50), predict(lightness), atol=1e-4)


def test_native_in_place_never_reads_what_it_has_written():
    model = box_model(9)
    pixels = np.ascontiguousarray(np.tile(data.astronaut(), (2, 1, 1))[:900, 100:130])
    wanted = colorize(pixels, model, native=True)
    colored = colorize_with_account(Picture(pixels), model, native=True, in_place=True)
    assert colored.rgb is pixels
    np.testing.assert_array_equal(pixels, wanted)


def test_other_runtimes_cannot_take_a_network_apart(tmp_path):
    write_image(tmp_path / "a.png", data.camera()[:20, :20])
    with pytest.raises(DensecolorError, match=r"need the runtime keras\. Received: runtime='openvino'"):
        colorize_files(tmp_path / "a.png", tmp_path / "b.png", box_model(5), native=True, runtime="openvino")


def test_files_at_full_size(tmp_path):
    model = box_model(5)
    values = data.camera()[:60, :70]
    for name in "ab":
        write_image(tmp_path / "in" / f"{name}.png", values)
    results = colorize_files(tmp_path / "in", tmp_path / "out", model, native=True, working_size=16)
    assert [result.error for result in results] == [None, None]
    for name in "ab":
        pixels = read_image(tmp_path / "out" / f"{name}.png").pixels
        np.testing.assert_array_equal(pixels, colorize(values, model, working_size=70))
