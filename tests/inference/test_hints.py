"""Hints: the pixel has its colour, what is behind an edge or far away keeps the model's, bad ones are named."""

import json
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import typer.testing
from PIL import Image
from skimage import color

import densecolor
from densecolor.cli.colorize import colorize as colorize_command
from densecolor.cli.common import new_app
from densecolor.errors import DensecolorError
from densecolor.errors import ImageError
from densecolor.image_io import read_image
from densecolor.image_io import write_image
from densecolor.inference import Hints
from densecolor.inference import colorize
from densecolor.inference import colorize_files
from densecolor.inference import read_hints
from densecolor.inference.hinted import spread

RED = "#a05848"  # a moderate colour that sRGB can show at the lightness of what it is put on


def ab_of(hexadecimal):
    return color.rgb2lab(np.array(list(bytes.fromhex(hexadecimal[1:]))) / 255)[1:]


@pytest.fixture(scope="module")
def model():
    """Predicts a = -8, b = 12 everywhere."""
    lightness = keras.Input((None, None, 1), name="lightness")
    bias = keras.initializers.Constant([-8 / 128, 12 / 128])
    ab = keras.layers.Conv2D(2, 1, kernel_initializer="zeros", bias_initializer=bias, name="ab")(lightness)
    return keras.Model({"lightness": lightness}, {"ab": ab}, name="constant")


@pytest.fixture(scope="module")
def room():
    """A gray wall with a bright window, and noise over both; 90 x 120."""
    gray = np.full((90, 120), 110.0)
    gray[30:70, 60:100] = 190
    return np.clip(gray + np.random.default_rng(0).normal(0, 1.5, gray.shape), 0, 255).astype(np.uint8)


def test_a_point_colours_what_belongs_to_it(room, model):
    plain = color.rgb2lab(colorize(room, model))
    hinted_rgb = colorize(room, model, hints=[f"20,50,{RED}"])
    hinted = color.rgb2lab(hinted_rgb)
    np.testing.assert_allclose(hinted[..., 0], plain[..., 0], atol=0.7)  # an 8-bit step
    np.testing.assert_allclose(hinted[50, 20, 1:], ab_of(RED), atol=1.5)
    np.testing.assert_allclose(hinted[45:55, 12:28, 1:].mean((0, 1)), ab_of(RED), atol=1.5)
    window = hinted_rgb[34:66, 64:96], colorize(room, model)[34:66, 64:96]
    np.testing.assert_array_equal(*window)


def test_far_away_all_stays(model):
    wide = np.full((40, 900), 120, np.uint8)
    plain, hinted = colorize(wide, model), colorize(wide, model, hints=[f"5,20,{RED}"])
    side = (40 * 900) ** 0.5
    changed = np.flatnonzero((plain != hinted).any((0, 2)))
    assert changed.min() == 0
    assert side / 4 < changed.max() < side  # 0.75 is where hints end
    redness = color.rgb2lab(hinted)[20, :, 1]
    assert (np.diff(redness[10:]) < 0.7).all()  # fades, but for rounding to 8 bits


@pytest.mark.parametrize("options", [{}, {"upsampling": "bilinear"}, {"native": True}, {"saturation": 0.5}])
def test_with_every_way_to_predict(model, options):
    large = np.full((300, 401), 120, np.uint8)  # larger than the grid on which hints spread
    large[:, 200:] = 200
    hinted = color.rgb2lab(colorize(large, model, hints=[f"60,100,{RED}"], **options))
    plain = color.rgb2lab(colorize(large, model, **options))
    np.testing.assert_allclose(hinted[100, 60, 1:], ab_of(RED), atol=1.5)
    np.testing.assert_allclose(hinted[:, 205:], plain[:, 205:], atol=1e-6)


def test_each_of_several_hints_has_its_colour(room, model):
    hints = [f"10,10,{RED}", "12,10,#506fa0", "80,50,#b8c0a0"]
    hinted = color.rgb2lab(colorize(room, model, hints=hints))
    for hint in hints:
        x, y, hexadecimal = hint.split(",")
        np.testing.assert_allclose(hinted[int(y), int(x), 1:], ab_of(hexadecimal), atol=3)


def test_colours_outside_of_the_gamut_are_brought_in(model):
    dark = np.full((20, 20), 30, np.uint8)
    hinted = color.rgb2lab(colorize(dark, model, hints=["10,10,#ffff00"]))[10, 10]
    a, b = ab_of("#ffff00")
    assert abs(hinted[0] - color.rgb2lab(np.full((1, 1, 3), 30 / 255))[0, 0, 0]) < 0.7
    assert np.hypot(*hinted[1:]) < 0.5 * np.hypot(a, b)
    assert abs(np.arctan2(hinted[2], hinted[1]) - np.arctan2(b, a)) < 0.1


def test_many_colours_fall_into_few_groups():
    random = np.random.default_rng(0)
    lightness = np.full((30, 40), 50, np.float32)
    cells = np.sort(random.choice(1200, 200, replace=False))
    ab = random.uniform(-80, 80, (200, 2)).astype(np.float32)
    shares = spread(lightness, cells, ab).reshape(-1, 3)
    assert (shares[:, 2] > 0.95).all()
    np.testing.assert_allclose(shares[cells, :2], ab, atol=0.1)
    low, high = ab.min(0), ab.max(0)
    assert ((shares[:, :2] > low - 0.01) & (shares[:, :2] < high + 0.01)).all()


def sketch(height, width, strokes, mode="RGBA"):
    """A transparent picture with filled rectangles (left, top, right, bottom, colour)."""
    image = Image.new(mode, (width, height))
    for *box, colour in strokes:
        image.paste(colour, tuple(box))
    return image


def test_a_sketch_is_as_its_points(room, model, tmp_path):
    path = tmp_path / "sketch.png"
    sketch(90, 120, [(20, 50, 22, 51, (160, 88, 72, 255)), (5, 5, 9, 9, (0, 255, 0, 100))]).save(path)
    drawn = colorize(room, model, hints=path)
    np.testing.assert_array_equal(drawn, colorize(room, model, hints=[f"20,50,{RED}", f"21,50,{RED}"]))
    np.testing.assert_array_equal(drawn, colorize(room, model, hints=str(path)))
    np.testing.assert_array_equal(drawn, colorize(room, model, hints=np.array(Image.open(path))))


def test_gray_hints_take_colour_away(room, model, tmp_path):
    sketch(90, 120, [(20, 50, 22, 51, (128, 255))], "LA").save(tmp_path / "sketch.png")
    hinted = color.rgb2lab(colorize(room, model, hints=tmp_path / "sketch.png"))
    assert np.abs(hinted[50, 20, 1:]).max() < 0.5


@pytest.mark.parametrize("nothing", [None, [], ()])
def test_no_hints_change_nothing(room, model, nothing):
    np.testing.assert_array_equal(colorize(room, model), colorize(room, model, hints=nothing))


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (70, 1), (3, 2000)])
def test_any_size(shape, model):
    rgb = colorize(np.full(shape, 120, np.uint8), model, hints=[f"0,0,{RED}"])
    np.testing.assert_allclose(color.rgb2lab(rgb)[0, 0, 1:], ab_of(RED), atol=1.5)


def test_orientation_is_that_of_the_picture_as_shown(model, tmp_path):
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise: 30 x 50 becomes 50 x 30
    Image.fromarray(np.full((30, 50), 120, np.uint8)).save(path, exif=exif)
    (result,) = colorize_files(path, tmp_path / "out.png", model, hints=[f"2,45,{RED}"])
    assert result.error is None
    hinted = color.rgb2lab(read_image(tmp_path / "out.png").pixels)
    assert hinted.shape[:2] == (50, 30)
    np.testing.assert_allclose(hinted[45, 2, 1:], ab_of(RED), atol=1.5)


@pytest.mark.parametrize(
    "text", ["", "1,2", "1,2,red", "1,2,#12345", "1,2,#1234567", "1.5,2,#123456", "x,2,#123456", "1;2;#123456"]
)
def test_malformed_points(text):
    with pytest.raises(DensecolorError, match=f"^{re.escape(repr(text))} is no hint. Write x,y,#rrggbb"):
        read_hints([text])


@pytest.mark.parametrize("point", ["120,0", "0,90", "-1,5", "5,-1", "999999999,0"])
def test_points_outside(room, model, point):
    with pytest.raises(ImageError, match=f"hint at {point} is outside of the picture of 120 x 90 pixels"):
        colorize(room, model, hints=[f"3,3,{RED}", f"{point},{RED}"])


def test_bad_sketches(room, model, tmp_path):
    path = tmp_path / "sketch.png"
    sketch(90, 121, [(0, 0, 9, 9, (255, 0, 0, 255))]).save(path)
    with pytest.raises(ImageError, match=r"sketch\.png: these hints are 121 x 90 pixels, the picture .* is 120 x 90"):
        colorize(room, model, hints=path)
    sketch(90, 120, [(0, 0, 9, 9, (255, 0, 0, 90))]).save(path)
    with pytest.raises(ImageError, match=r"sketch\.png: this picture of hints has no opaque pixel"):
        colorize(room, model, hints=path)
    Image.new("RGB", (120, 90)).save(path)
    with pytest.raises(ImageError, match=r"sketch\.png: this picture of hints has no transparency"):
        colorize(room, model, hints=path)
    with pytest.raises(ImageError, match=r"uint8 or uint16 \(H, W, 4\)"):
        colorize(room, model, hints=np.zeros((90, 120, 3), np.uint8))
    with pytest.raises(DensecolorError, match="Only one picture of hints"):
        read_hints([Path("a.png"), Path("b.png")])


def run(*arguments):
    app = new_app()
    app.command()(colorize_command)
    return typer.testing.CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command(room, tiny_checkpoint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_image("room.png", room)
    sketch(90, 120, [(62, 32, 70, 40, (80, 111, 160, 255))]).save("sketch.png")
    arguments = ["room.png", "-o", "out.png", "-m", tiny_checkpoint, "--hints", "sketch.png", "--hint", f"20,50,{RED}"]
    assert run(*arguments, "--sidecar").exit_code == 0
    model = densecolor.load_model(tiny_checkpoint)
    wanted = colorize(room, model, hints=[f"20,50,{RED}", Path("sketch.png")])
    np.testing.assert_array_equal(read_image("out.png").pixels, wanted)
    assert json.loads(Path("out.png.json").read_text())["settings"]["hints"]["points"] == [f"20,50,{RED}"]


def test_other_hints_are_other_settings(room, model, tmp_path):
    write_image(tmp_path / "room.png", room)

    def run_with(**options):
        (result,) = colorize_files(tmp_path / "room.png", tmp_path / "out", model, **options)
        return result.skipped

    assert not run_with(hints=[f"20,50,{RED}"])
    assert run_with(hints=Hints(((20, 50, (160, 88, 72)),)), resume=True)
    assert not run_with(hints=[f"21,50,{RED}"], resume=True, overwrite=True)
    assert not run_with(resume=True, overwrite=True)


def test_commands_that_hints_do_not_fit(room, tiny_checkpoint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("scans/a.png", "scans/b.png"):
        write_image(name, room)
    hint = ["-m", tiny_checkpoint, "--hint", f"20,50,{RED}"]
    for arguments, complaint in (
        (["scans", "-o", "out", *hint], "`hints` belong to one picture. Received: 2 pictures."),
        (["scans/a.png", "-o", "out.png", *hint, "--compare", tiny_checkpoint], "do not go with `compare`"),
        (
            ["scans/a.png", "-o", "out.png", *hint, "--hint", "200,5,#123456"],
            "scans/a.png: The hint at 200,5 is outside",
        ),
        (["scans/a.png", "-o", "out.png", *hint, "--hints", "missing.png"], "missing.png"),
    ):
        result = run(*arguments)
        assert result.exit_code == 1
        assert complaint in result.stderr
        assert not Path("out.png").exists()
        assert not Path("out").exists()
