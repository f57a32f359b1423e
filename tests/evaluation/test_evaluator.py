import csv
import functools
import json
import math

import h5py
import keras
import numpy as np
import pytest
import scipy.stats
import skimage.color
import skimage.metrics
from conftest import write_packed

from densecolor import models
from densecolor.checkpoint import save_model
from densecolor.color import map_to_gamut
from densecolor.dataset import iterate
from densecolor.errors import CheckpointError
from densecolor.errors import DensecolorError
from densecolor.errors import ShardError
from densecolor.evaluation import Evaluation
from densecolor.evaluation import evaluate
from densecolor.shards import open_dataset

COMPARED = ("psnr", "ssim", "mae", "rmse", "info_loss", "joint_info_loss")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return models.create("dense_tiny", num_classes=3, working_size=32)


@pytest.fixture(scope="module")
def oracle(packed):
    """A function that knows the answers."""
    answers = {record.L.tobytes(): record.ab for record in iterate(packed, "validation")}

    def perfect(lightness):
        stored = np.rint((lightness[..., 0] + 1) * 127.5).astype(np.uint8)
        return {"ab": np.stack([answers[picture.tobytes()] for picture in stored]) / np.float32(128)}

    return perfect


@pytest.fixture(scope="module")
def report(model, packed, tmp_path_factory):
    """The evaluation of an untrained model and the folder of its report."""
    folder = tmp_path_factory.mktemp("reports") / "tiny"
    return evaluate({"tiny": model}, packed, report=folder, batch_size=4), folder


def read_rows(folder):
    with open(folder / "per_image.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def of_system(rows, system, measure):
    return np.array([float(row[measure] or "nan") for row in rows if row["system"] == system])


def srgb(lightness, ab):
    """What scikit-image shows of colours that sRGB has."""
    lab = map_to_gamut(np.dstack([lightness / 2.55, ab]))
    return np.rint(skimage.color.lab2rgb(lab) * 255).astype(np.uint8)


def entropy(ab):
    channels = np.rint(ab).reshape(-1, 2).T
    return sum(scipy.stats.entropy(np.unique(channel, return_counts=True)[1], base=2) for channel in channels)


def test_per_image_figures_are_those_of_scikit_image(report, model, packed):
    rows = {row["key"]: row for row in read_rows(report[1]) if row["system"] == "tiny"}
    records = list(iterate(packed, "validation"))
    lightness = np.stack([record.L for record in records])[..., None] / np.float32(127.5) - 1
    predicted = np.clip(np.asarray(model(lightness)["ab"]) * 128, -128, 127)
    assert list(rows) == [record.key for record in records]
    for record, ab in zip(records, predicted, strict=True):
        row = {name: float(rows[record.key][name]) for name in COMPARED}
        truth, prediction = srgb(record.L, record.ab), srgb(record.L, ab)
        psnr = skimage.metrics.peak_signal_noise_ratio(truth, prediction)
        ssim = skimage.metrics.structural_similarity(truth, prediction, channel_axis=-1)
        # OpenCV and scikit-image now and then round a pixel differently.
        assert row["psnr"] == pytest.approx(psnr, abs=0.02)
        assert row["ssim"] == pytest.approx(ssim, abs=1e-3)
        assert row["rmse"] == pytest.approx(10 ** (-psnr / 20), rel=3e-3)
        assert row["mae"] == pytest.approx(np.abs(truth / 255 - prediction / 255).mean(), rel=3e-3)
        assert row["info_loss"] == pytest.approx(abs(entropy(record.ab) - entropy(ab)), abs=0.02)


def test_metrics_json_follows_from_per_image_csv(report):
    rows = read_rows(report[1])
    document = json.loads((report[1] / "metrics.json").read_text(encoding="utf-8"))
    colorless = np.isinf(of_system(rows, "grayscale", "psnr"))
    assert document["colorless_pictures"] == colorless.sum()
    for system in ("tiny", "grayscale", "mean colour"):
        for measure in COMPARED:
            values = of_system(rows, system, measure)
            values = values[~colorless] if measure == "psnr" else values
            summary = document["results"][system][measure]
            assert summary["count"] == len(values)
            assert summary["mean"] == pytest.approx(values.mean())
            assert summary["median"] == pytest.approx(np.median(values))
            assert summary["low"] <= summary["mean"] <= summary["high"]
    gains = of_system(rows, "tiny", "psnr") - of_system(rows, "grayscale", "psnr")
    assert document["psnr_gains"]["tiny"]["grayscale"]["mean"] == pytest.approx(gains[~colorless].mean())


def test_the_report_says_what_it_was_made_of(report, packed):
    document = json.loads((report[1] / "metrics.json").read_text(encoding="utf-8"))
    manifest = json.loads((packed / "manifest.json").read_text(encoding="utf-8"))
    shards = {s["name"]: s["sha256"] for s in manifest["shards"] if s["split"] == "validation"}
    assert document["data"]["sha256"] == shards
    assert (document["data"]["pictures"], document["data"]["split"]) == (9, "validation")
    assert document["measures"]["psnr"]["unit"] == "dB"
    assert document["systems"]["tiny"]["kind"] == "model"
    assert str(packed.parent) not in json.dumps(document)


def test_evaluating_again_gives_the_same_report(report, model, packed, tmp_path):
    evaluate({"tiny": model}, packed, report=tmp_path / "again", batch_size=4)
    for name in ("metrics.json", "per_image.csv", "pictures.png", "info_loss.png"):
        assert (tmp_path / "again" / name).read_bytes() == (report[1] / name).read_bytes(), name


def test_batch_size_does_not_change_the_figures(report, model, packed):
    whole = evaluate({"tiny": model}, packed, batch_size=9)
    for measure in COMPARED:
        np.testing.assert_allclose(
            whole.columns["tiny"][measure], report[0].columns["tiny"][measure], rtol=1e-3, err_msg=measure
        )


def test_rows_may_come_from_several_workers(report):
    whole = report[0]
    by_system = sorted(whole.rows, key=lambda row: row.system)  # stable: pictures stay in order
    assert Evaluation(by_system, whole.about).to_json() == whole.to_json()


def test_accuracy_is_over_the_labelled_pictures(model, packed):
    result = evaluate(model, packed, split="train")
    records = list(iterate(packed, "train"))
    lightness = np.stack([record.L for record in records])[..., None] / np.float32(127.5) - 1
    guesses = np.asarray(model(lightness)["label"]).argmax(axis=-1)
    hits = [guess == record.label for guess, record in zip(guesses, records, strict=True) if record.label >= 0]
    summary = result.results[model.name]["accuracy"]
    assert summary.count == len(hits) == 20
    assert summary.mean == pytest.approx(np.mean(hits))


def test_a_model_of_other_classes_is_not_judged_by_them(packed):
    other = models.create("dense_tiny", num_classes=5, working_size=32)
    assert evaluate(other, packed, limit=2).results[other.name]["accuracy"].count == 0


def test_a_perfect_system_has_infinite_psnr_counted_and_left_out(oracle, packed):
    result = evaluate(oracle, packed)
    assert result.equal_pairs == {"perfect": 9, "grayscale": 0, "mean colour": 0}
    assert result.results["perfect"]["psnr"] == (0, None, None, None, None)
    assert result.results["perfect"]["ssim"].mean == pytest.approx(1)
    for measure in ("mae", "rmse", "info_loss", "joint_info_loss"):
        assert result.results["perfect"][measure].mean == 0
    for measure in ("colorfulness", "mean_chroma"):
        assert result.results["perfect"][measure] == result.results["truth"][measure]
    assert any("perfect equals the truth on 9 pictures" in note for note in result.notes())
    json.loads(result.to_json(), parse_constant=pytest.fail)


def test_pictures_without_colour_are_left_out_of_every_psnr(crops, tmp_path):
    gray = np.repeat(crops[:2, ..., :1], 3, axis=-1)
    labels = np.full(6, -1)
    folder = write_packed(tmp_path / "packed", {"test": (np.concatenate([gray, crops[2:6]]), labels)})
    result = evaluate({"tinted": tinted}, folder, split="test")
    assert result.colorless.tolist() == [True, True, False, False, False, False]
    assert result.equal_pairs["grayscale"] == 0
    for system in ("tinted", "grayscale", "mean colour"):
        assert result.results[system]["psnr"].count == 4
        assert result.results[system]["mae"].count == 6
    assert result.psnr_gains["tinted"]["grayscale"].count == 4
    assert set(result.examples().values()) <= {2, 3, 4, 5}
    assert any("2 pictures have no colour" in note for note in result.notes())


def test_a_split_without_any_colour(tmp_path, crops):
    gray = np.repeat(crops[:3, ..., :1], 3, axis=-1)
    folder = write_packed(tmp_path / "packed", {"validation": (gray, np.full(3, -1))})
    result = evaluate(tinted, folder, report=tmp_path / "report")
    assert result.results["tinted"]["psnr"].count == result.results["grayscale"]["psnr"].count == 0
    assert result.results["grayscale"]["mae"].mean == 0
    assert (tmp_path / "report" / "pictures.png").is_file()


def test_a_single_picture_has_figures_without_intervals(oracle, packed):
    summary = evaluate(oracle, packed, limit=1).results["grayscale"]["psnr"]
    assert summary.count == 1
    assert summary.low is None


def test_the_mean_colour_is_the_training_splits(packed):
    result = evaluate(tinted, packed)
    mean = np.mean([record.ab.mean(axis=(0, 1)) for record in iterate(packed, "train")], axis=0)
    about = result.about["systems"]["mean colour"]
    np.testing.assert_allclose(about["ab"], mean, atol=1e-3)
    assert (about["from_split"], about["pictures"]) == ("train", 21)
    np.testing.assert_allclose(result.columns["mean colour"]["mean_chroma"], np.hypot(*mean), rtol=1e-4)


def test_a_single_shard_takes_its_own_mean_colour(packed):
    shard = open_dataset(packed, "validation").paths[0]
    result = evaluate(tinted, shard)
    assert result.about["systems"]["mean colour"]["from_split"] == "validation"
    assert result.about["data"]["pictures"] == open_dataset(shard, None).count


def test_limit_spreads_over_the_split(packed):
    keys = [record.key for record in iterate(packed, "validation")]
    assert evaluate(tinted, packed, limit=3).keys == [keys[0], keys[3], keys[6]]
    assert evaluate(tinted, packed, limit=100).keys == keys


def test_progress_is_told_of_every_batch(packed):
    told = []
    evaluate(tinted, packed, batch_size=4, progress=lambda done, total: told.append((done, total)))
    assert told == [(4, 9), (8, 9), (9, 9)]


def test_models_by_path_are_named_by_file_or_run(model, packed, tmp_path):
    (tmp_path / "first").mkdir()
    save_model(model, tmp_path / "first" / "best.keras")
    save_model(model, tmp_path / "first" / "final.keras")
    save_model(model, tmp_path / "tiny.keras")
    result = evaluate([tmp_path / "first", tmp_path / "tiny.keras"], packed, limit=2)
    about = result.about["systems"]
    assert about["tiny"]["checkpoint"] == f"{tmp_path.name}/tiny.keras"
    assert about["tiny"]["weights_sha256"] == about["first"]["weights_sha256"]
    assert result.systems == ["first", "tiny", "grayscale", "mean colour"]
    assert result.columns["first"]["psnr"].tolist() == result.columns["tiny"]["psnr"].tolist()
    both = [tmp_path / "first" / "best.keras", tmp_path / "first" / "final.keras"]
    assert evaluate(both, packed, limit=1).systems[:2] == [str(path) for path in both]


def test_colour_is_predicted_at_the_working_size(packed):
    seen = []

    def watching(lightness):
        seen.append(lightness.shape)
        return tinted(lightness)

    evaluate(watching, packed, limit=2, working_size=16)
    evaluate(watching, packed, limit=2, working_size=64)
    assert seen == [(2, 16, 16, 1), (2, 32, 32, 1)]


def test_colours_far_outside_are_clipped_before_they_are_measured(packed):
    result = evaluate({"wild": lambda lightness: {"ab": np.full((*lightness.shape[:3], 2), -50.0)}}, packed, limit=2)
    np.testing.assert_allclose(result.columns["wild"]["mean_chroma"], math.hypot(128, 128), rtol=1e-6)


def tinted(lightness):
    return {"ab": np.full((*lightness.shape[:3], 2), 0.1, np.float32)}


def nan(lightness):
    return {"ab": np.full((*lightness.shape[:3], 2), np.nan)}


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (nan, "nan predicts NaN"),
        ({"odd": lambda lightness: {"ab": lightness}}, r"odd gives ab of shape \(9, 32, 32, 1\)"),
        ({"bare": lambda lightness: lightness}, "bare is no colorizer"),
        ({"grayscale": tinted}, "'grayscale' is kept for a baseline"),
        ([tinted, tinted], "'tinted' comes twice"),
        ([], "There is no model"),
        (functools.partial(tinted), r"functools.partial\(.* has no name. Give a dict of names"),
    ],
)
def test_what_is_no_model_is_refused(broken, complaint, packed):
    with pytest.raises(DensecolorError, match=complaint):
        evaluate(broken, packed)


@pytest.mark.parametrize(("option", "value"), [("limit", 0), ("batch_size", 0), ("working_size", -1)])
def test_numbers_must_be_positive(option, value, packed):
    with pytest.raises(DensecolorError, match=f"`{option}` must be at least 1. Received: {value}"):
        evaluate(tinted, packed, **{option: value})


def test_what_is_not_there_is_named(packed, tmp_path):
    with pytest.raises(ShardError, match=r"no split 'test'. It has train \(21\), validation \(9\)"):
        evaluate(tinted, packed, split="test")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        evaluate(tinted, tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match=r"missing\.keras"):
        evaluate(tmp_path / "missing.keras", packed)


def test_pictures_too_small_for_ssim_are_refused(tmp_path, crops):
    folder = write_packed(tmp_path / "packed", {"validation": (crops[:2, :6, :6], np.full(2, -1))})
    with pytest.raises(DensecolorError, match="7 x 7 pixels or more"):
        evaluate(tinted, folder)


def test_damage_is_told_with_its_place(tmp_path, crops):
    folder = write_packed(tmp_path / "packed", {"validation": (crops[:4], np.full(4, -1))})
    (shard,) = open_dataset(folder, "validation").paths
    with h5py.File(shard) as file:
        chunk = file["ab"].id.get_chunk_info_by_coord((2, 0, 0, 0))
    with open(shard, "r+b") as file:
        file.seek(chunk.byte_offset)
        file.write(bytes(chunk.size))
    with pytest.raises(ShardError, match=rf"{shard.name} is damaged: 'ab' of image 2 \(validation/2\.png\)"):
        evaluate(tinted, folder)
