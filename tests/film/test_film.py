"""Films from file to file: pictures in colour, sound, times and shape as they were, and whole after interruptions."""

import json
import re
import sys
from fractions import Fraction
from pathlib import Path

import av
import keras
import numpy as np
import pytest
import typer.testing
from made_films import packets_of
from made_films import panned
from made_films import shown
from made_films import write_film
from made_pictures import mutate
from skimage import color

from densecolor.cli.colorize import colorize
from densecolor.cli.common import new_app
from densecolor.errors import DensecolorError
from densecolor.errors import FilmError
from densecolor.film import colorize as film_module
from densecolor.film import colorize_film
from densecolor.film import measure_flicker

HEIGHT, WIDTH = 48, 64


@pytest.fixture(scope="module")
def model():
    """Predicts a = 14, b = -9 everywhere."""
    lightness = keras.Input((None, None, 1), name="lightness")
    bias = keras.initializers.Constant([14 / 128, -9 / 128])
    ab = keras.layers.Conv2D(2, 1, kernel_initializer="zeros", bias_initializer=bias, name="ab")(lightness)
    return keras.Model({"lightness": lightness}, {"ab": ab}, name="constant")


@pytest.fixture(scope="module")
def restless():
    """Predicts colours that hang on how light the frame is, strongly."""
    lightness = keras.Input((None, None, 1), name="lightness")
    mean = keras.layers.GlobalAveragePooling2D(keepdims=True)(lightness)
    swing = keras.layers.Rescaling(1.0)(mean)
    ab = keras.layers.Concatenate(name="ab")([keras.layers.Add()([keras.layers.Rescaling(0.0)(lightness), swing])] * 2)
    return keras.Model({"lightness": lightness}, {"ab": ab}, name="restless")


@pytest.fixture
def film(tmp_path):
    """24 gray frames with two streams of sound."""
    write_film(tmp_path / "film.mp4", panned(24, HEIGHT, WIDTH), sound=2)
    return tmp_path / "film.mp4"


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_colours_lightness_sound_and_times(film, model, suffix):
    output = film.with_name(f"colour{suffix}")
    steps = []
    result = colorize_film(film, output, model, progress=lambda *step: steps.append(step))
    assert (result.frames, result.resumed, result.cuts, result.damaged) == (24, 0, 0, ())
    assert steps == [(number, 24) for number in range(1, 25)]
    before, after = shown(film), shown(output)
    shift = after[0][0] - before[0][0]
    if suffix != ".mkv":  # which knows no times before 0, where AAC begins
        assert shift == 0
    assert [time - shift for time, _ in after] == pytest.approx([time for time, _ in before], abs=1e-3)
    for (_, gray), (_, rgb) in zip(before, after, strict=True):
        wanted, lab = color.rgb2lab(gray), color.rgb2lab(rgb)
        assert np.abs(lab[..., 0] - wanted[..., 0]).mean() < 1.5
        np.testing.assert_allclose(lab[..., 1:].mean((0, 1)), (14, -9), atol=1.5)
    sound = packets_of(output, "audio")
    assert [[data for data, _ in stream] for stream in sound] == [
        [data for data, _ in stream] for stream in packets_of(film, "audio")
    ]
    assert len(sound) == 2
    assert sound[0] != sound[1]
    heard = [[time for _, time in stream] for stream in packets_of(film, "audio")]
    for stream, times in zip(sound, heard, strict=True):
        assert [time - shift for _, time in stream] == pytest.approx(times, abs=1e-3)
    assert sorted(path.name for path in film.parent.iterdir()) == sorted([film.name, output.name])


def test_frames_at_any_time(tmp_path, model):
    times = np.cumsum([0, 400, 512, 100, 3000, 512, 512, 30000, 1, 512])
    write_film(tmp_path / "film.mp4", panned(10, HEIGHT, WIDTH), times)
    colorize_film(tmp_path / "film.mp4", tmp_path / "colour.mp4", model)
    after = shown(tmp_path / "colour.mp4")
    assert [round(time * 12800) for time, _ in after] == times.tolist()


@pytest.mark.parametrize("shape", [(47, 63), (47, 64), (48, 63), (20, 22)])
def test_odd_sizes(tmp_path, model, shape):
    write_film(tmp_path / "film.mkv", panned(3, *shape), time_base=Fraction(1, 1000))
    assert colorize_film(tmp_path / "film.mkv", tmp_path / "colour.mp4", model).frames == 3
    assert [rgb.shape[:2] for _, rgb in shown(tmp_path / "colour.mp4")] == [shape] * 3


def test_one_frame_without_sound(tmp_path, model):
    write_film(tmp_path / "film.mp4", panned(1, HEIGHT, WIDTH))
    result = colorize_film(tmp_path / "film.mp4", tmp_path / "colour.mp4", model)
    assert (result.frames, result.flicker) == (1, 0)
    assert len(shown(tmp_path / "colour.mp4")) == 1


def test_pixels_that_are_not_square(tmp_path, model):
    write_film(tmp_path / "film.mp4", panned(3, HEIGHT, WIDTH), aspect=Fraction(16, 11))
    for suffix in (".mp4", ".mkv"):
        colorize_film(tmp_path / "film.mp4", tmp_path / f"colour{suffix}", model)
        with av.open(str(tmp_path / f"colour{suffix}")) as container:
            assert container.streams.video[0].sample_aspect_ratio == Fraction(16, 11)


def turn_clockwise(path):
    """Let an MP4 file ask for a quarter turn, as phones do: by the matrix of its first track."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 4 + 20 + 8 + 8
    one = 1 << 16
    turned = (0, one, 0, -one, 0, 0, 0, 0, 1 << 30)
    data[matrix : matrix + 36] = b"".join(number.to_bytes(4, "big", signed=True) for number in turned)
    path.write_bytes(data)


def test_turned_films_are_written_upright(tmp_path, model):
    frames = panned(3, HEIGHT, WIDTH)
    frames[:, :10, :10] = 250  # the upper left, which is shown at the upper right
    write_film(tmp_path / "film.mp4", frames, aspect=Fraction(2, 3))
    turn_clockwise(tmp_path / "film.mp4")
    colorize_film(tmp_path / "film.mp4", tmp_path / "colour.mp4", model)
    with av.open(str(tmp_path / "colour.mp4")) as container:
        (first, *_) = container.decode(video=0)
        assert first.rotation == 0
        assert container.streams.video[0].sample_aspect_ratio == Fraction(3, 2)
    rgb = first.to_ndarray(format="rgb24")
    assert rgb.shape == (WIDTH, HEIGHT, 3)
    lightness = color.rgb2lab(rgb)[..., 0]
    assert lightness[2:8, -8:-2].min() > 90
    gray = color.rgb2lab(np.dstack([np.rot90(frames[0], -1)] * 3))[..., 0]
    assert np.abs(lightness - gray).mean() < 1.5


def test_steady_colours_flicker_less(tmp_path, restless):
    frames = panned(20, HEIGHT, WIDTH)
    frames = np.clip(frames + np.random.default_rng(0).normal(0, 6, (20, 1, 1)), 0, 255).astype(np.uint8)
    write_film(tmp_path / "film.mp4", frames)
    result = colorize_film(tmp_path / "film.mp4", tmp_path / "steady.mp4", restless)
    alone = colorize_film(tmp_path / "film.mp4", tmp_path / "alone.mp4", restless, steady=False)
    assert result.cuts == 0
    assert alone.cuts is None
    assert result.flicker < 0.5 * result.flicker_alone
    assert alone.flicker == alone.flicker_alone == pytest.approx(result.flicker_alone)
    for made in (result, alone):  # what was written, encoded and read again
        assert measure_flicker(made.output, tmp_path / "film.mp4") == pytest.approx(
            made.flicker, rel=0.25, abs=0.6
        )  # 8 bits and H.264


class EnoughError(Exception):
    pass


def stop_after(count):
    def progress(done, _):
        if done == count:
            raise EnoughError

    return progress


def test_going_on_gives_the_same_film(film, restless, monkeypatch):
    monkeypatch.setattr(film_module, "PART_FRAMES", 7)
    output = film.with_name("colour.mp4")
    wanted = colorize_film(film, film.with_name("whole.mp4"), restless)
    with pytest.raises(EnoughError):
        colorize_film(film, output, restless, progress=stop_after(17))
    assert not output.exists()
    with pytest.raises(FilmError, match=r"An interrupted run has left parts of .*colour\.mp4 .* Use --resume"):
        colorize_film(film, output, restless)
    with pytest.raises(FilmError, match="another model, other settings"):
        colorize_film(film, output, restless, saturation=0.5, resume=True)
    result = colorize_film(film, output, restless, resume=True)
    assert (result.frames, result.resumed) == (24, 14)
    assert result.flicker == wanted.flicker
    assert packets_of(output, "video") == packets_of(film.with_name("whole.mp4"), "video")
    assert sorted(path.name for path in film.parent.iterdir()) == ["colour.mp4", "film.mp4", "whole.mp4"]


def test_beginning_anew(film, model, monkeypatch):
    monkeypatch.setattr(film_module, "PART_FRAMES", 7)
    output = film.with_name("colour.mp4")
    with pytest.raises(EnoughError):
        colorize_film(film, output, model, progress=stop_after(3))
    assert [path.name for path in film.parent.iterdir()] == ["film.mp4"]  # nothing that would be worth going on with
    with pytest.raises(EnoughError):
        colorize_film(film, output, model, progress=stop_after(10))
    assert colorize_film(film, output, model, overwrite=True).resumed == 0
    with pytest.raises(FilmError, match=r"colour\.mp4 would be overwritten"):
        colorize_film(film, output, model)
    assert colorize_film(film, output, model, resume=True, overwrite=True).frames == 24


@pytest.mark.parametrize(("name", "options"), [("film.mp4", {"movflags": "faststart"}), ("film.mkv", {})])
def test_a_film_that_is_cut_short(tmp_path, model, name, options):
    path = tmp_path / name
    write_film(path, panned(60, HEIGHT, WIDTH), sound=1, options=options)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])
    with pytest.raises(FilmError, match=r"film\.m..: damaged or cut short at frame \d+, [\d.]+ s after") as error:
        colorize_film(path, tmp_path / "colour.mp4", model)
    assert not (tmp_path / "colour.mp4").exists()
    whole = int(re.search(r"at frame (\d+)", str(error.value))[1])
    result = colorize_film(path, tmp_path / "colour.mp4", model, resume=True, skip_damaged=True)
    assert 20 < whole <= result.frames < 60
    assert len(result.damaged) >= 1
    assert len(shown(tmp_path / "colour.mp4")) == result.frames


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.avi"])
def test_what_is_no_film(tmp_path, model, name):
    path = tmp_path / name
    for content in (b"", b"no film at all" * 100, np.random.default_rng(0).bytes(5000)):
        path.write_bytes(content)
        with pytest.raises(FilmError, match=f"{name}: "):
            colorize_film(path, tmp_path / "colour.mp4", model)
    with pytest.raises(OSError, match=r"missing\.mp4"):
        colorize_film(tmp_path / "missing.mp4", tmp_path / "colour.mp4", model)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts"])
def test_films_that_something_changed(tmp_path, model, suffix):
    path = tmp_path / f"film{suffix}"
    codec, clock = ("libx264", 12800) if suffix in (".mp4", ".mkv") else ("mpeg4", 25)
    options = {"movflags": "faststart"} if suffix == ".mp4" else {}
    write_film(path, panned(8, HEIGHT, WIDTH), sound=1, options=options, codec=codec, time_base=Fraction(1, clock))
    data = path.read_bytes()
    random = np.random.default_rng(0)
    for _ in range(20):
        path.write_bytes(mutate(data, random))
        for skip_damaged in (False, True):
            output = tmp_path / "colour.mkv"
            output.unlink(missing_ok=True)
            error = None
            try:
                result = colorize_film(path, output, model, overwrite=True, skip_damaged=skip_damaged)
            except FilmError as caught:
                error = caught
            if error is None:
                assert len(shown(output)) == result.frames
            else:
                assert str(path) in str(error) or str(output) in str(error)
                assert not output.exists()


def test_sound_alone(tmp_path, model):
    with av.open(str(tmp_path / "song.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=24000)
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 24000), np.float32), format="fltp", layout="stereo")
        frame.sample_rate = 24000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(FilmError, match=r"song\.mp4: this film has no pictures"):
        colorize_film(tmp_path / "song.mp4", tmp_path / "colour.mp4", model)


def run(*arguments):
    app = new_app()
    app.command()(colorize)
    return typer.testing.CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command(film, tiny_checkpoint):
    result = run(film, "-o", film.with_name("colour.mp4"), "-m", tiny_checkpoint, "--json")
    assert result.exit_code == 0, result.output
    told = r"24 frames colorized into \S+colour.mp4. Flicker: \d+.\d\d, against \d+.\d\d frame by frame; 0 cuts."
    assert re.search(told, result.stderr)
    assert json.loads(result.stdout)["frames"] == 24
    result = run(film, "-o", film.with_name("colour.mp4"), "-m", tiny_checkpoint, "--no-steady", "--overwrite")
    assert re.search(r"Flicker: \d+.\d\d, frame by frame", result.stderr)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ["film.mp4", "-o", "colour.avi"],
            "colour.avi cannot be written. Choose a suffix from .mp4, .m4v, .mov, .mkv.",
        ),
        (["film.mp4", "-o", "film.mp4"], "film.mp4 would replace the film itself"),
        (["film.mp4", "photo.png", "-o", "colour.mp4"], "Films are colorized one at a time"),
        (["film.mp4", "-o", "colour.mp4", "--native"], "--native is for pictures"),
        (["film.mp4", "-o", "colour.mp4", "--hint", "1,1,#123456"], "--hint is for pictures"),
    ],
)
def test_mistakes(film, tiny_checkpoint, monkeypatch, arguments, complaint):
    monkeypatch.chdir(film.parent)
    result = run(*arguments, "-m", tiny_checkpoint)
    assert result.exit_code == 1
    assert complaint in result.stderr
    assert [path.name for path in Path().iterdir()] == ["film.mp4"]


def test_sound_that_a_container_cannot_hold(tmp_path, model):
    with av.open(str(tmp_path / "film.mkv"), "w") as container:
        pictures = container.add_stream("libx264", rate=25)
        pictures.width, pictures.height = WIDTH, HEIGHT
        sound = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(sound.encode(frame))
        for picture in panned(2, HEIGHT, WIDTH):
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(picture, format="gray")))
        container.mux(pictures.encode(None))
    colorize_film(tmp_path / "film.mkv", tmp_path / "colour.mkv", model)
    assert packets_of(tmp_path / "colour.mkv", "audio") == packets_of(tmp_path / "film.mkv", "audio")


def test_without_pyav(film, model, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(DensecolorError, match=r'av is not installed. .* pip install "densecolor\[film\]"'):
        colorize_film(film, film.with_name("colour.mp4"), model)
