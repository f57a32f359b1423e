"""Foregrounds on plain backgrounds, and tests between systems."""

import math

import numpy as np
import pytest
import scipy.stats
import skimage.metrics
from conftest import write_packed

from densecolor.checkpoint import save_model
from densecolor.color import lab_to_srgb
from densecolor.dataset import iterate
from densecolor.errors import DensecolorError
from densecolor.errors import ShardError
from densecolor.evaluation import evaluate
from densecolor.evaluation.backgrounds import background_measures
from densecolor.evaluation.paired import holm

METRICS = ("mae", "psnr", "ssim")


@pytest.fixture(scope="module")
def slices(tmp_path_factory, crops):
    """Twelve pictures whose masks are their lightness; the first has an empty mask."""
    pictures = crops[:12].copy()
    pictures[0] = 0
    folder = tmp_path_factory.mktemp("slices") / "packed"
    return write_packed(folder, {"test": (pictures, np.full(12, -1))}, with_mask=True)


def warm(lightness):
    return {"ab": np.stack([np.full(lightness.shape[:3], 0.05), np.full(lightness.shape[:3], 0.1)], axis=-1)}


def cold(lightness):
    return {"ab": np.full((*lightness.shape[:3], 2), -0.15, np.float32)}


@pytest.fixture(scope="module")
def result(slices):
    return evaluate([warm, cold], slices, split="test", backgrounds="black,white,#4080c0", against="grayscale")


def on(rgb, mask, background):
    weight = mask[..., None] / 255
    return np.floor(rgb * weight + np.array(background) * (1 - weight) + 0.5 - 1e-9).astype(np.uint8)


def by_scikit_image(true, predicted):
    return {
        "mae": np.abs(true / 255 - predicted / 255).mean(),
        "psnr": skimage.metrics.peak_signal_noise_ratio(true, predicted),
        "ssim": skimage.metrics.structural_similarity(true, predicted, channel_axis=-1),
    }


def test_figures_on_backgrounds_are_scikit_images_of_the_composites(result, slices):
    backgrounds = {"black": (0, 0, 0), "white": (255,) * 3, "4080c0": (0x40, 0x80, 0xC0)}
    columns = result.columns["cold"]
    for i, record in enumerate(iterate(slices, "test")):
        if not record.mask.any():
            continue
        lightness = record.L * np.float32(100 / 255)
        true = lab_to_srgb(np.dstack([lightness, record.ab]).astype(np.float32))
        predicted = lab_to_srgb(np.dstack([lightness, np.full((32, 32, 2), -0.15 * 128)]).astype(np.float32))
        expected = {
            name: by_scikit_image(on(true, record.mask, colour), on(predicted, record.mask, colour))
            for name, colour in backgrounds.items()
        }
        for metric in METRICS:
            for name in backgrounds:
                assert columns[f"{metric}_on_{name}"][i] == pytest.approx(expected[name][metric], abs=1e-5)
            mean = np.mean([expected[name][metric] for name in backgrounds])
            assert columns[f"{metric}_on_average"][i] == pytest.approx(mean, abs=1e-5)


def test_pictures_without_a_foreground_have_no_such_figures(result):
    assert result.results["warm"]["mae_on_black"].count == result.results["warm"]["mae_inside"].count == 11
    assert math.isnan(result.columns["warm"]["psnr_on_white"][0])
    assert any("1 pictures have an empty mask" in note for note in result.notes())


def test_tests_are_scipys_with_holms_correction(result):
    others = ("warm", "cold", "mean colour")
    for measure in ("psnr", "mae_on_white", "info_loss"):
        p_values = {}
        for system in others:
            difference = result.judged(system, measure) - result.judged("grayscale", measure)
            difference = difference[np.isfinite(difference)]
            test = result.tests[system][measure]
            if difference.any():
                p_values[system] = scipy.stats.wilcoxon(difference).pvalue
            else:
                p_values[system] = 1.0
            assert test.p == pytest.approx(p_values[system])
            assert test.mean == pytest.approx(difference.mean())
            assert test.count == len(difference)
        smallest = min(others, key=p_values.get)
        assert result.tests[smallest][measure].p_holm == pytest.approx(min(1, 3 * p_values[smallest]))
    assert "grayscale" not in result.tests
    assert "accuracy" not in result.tests["warm"]


def test_holms_correction_by_hand():
    assert holm([0.01, 0.04, None, 0.03]) == pytest.approx([0.03, 0.06, None, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]


def test_the_table_shows_backgrounds_and_p(result):
    import rich.console

    console = rich.console.Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(result.table())
    text = console.export_text()
    for shown in ("PSNR on black, dB", "SSIM on average", "MAE in mask", "p, against grayscale", "Wilcoxon"):
        assert shown in text


def test_a_checkpoint_to_test_against_joins_the_models(slices, tmp_path):
    from densecolor import models

    save_model(models.create("unet", filters=(4, 8), working_size=32), tmp_path / "other.keras")
    result = evaluate(warm, slices, split="test", against=tmp_path / "other.keras", limit=3)
    assert result.systems == ["warm", "other", "grayscale", "mean colour"]
    assert set(result.tests) == {"warm", "grayscale", "mean colour"}
    assert result.about["against"] == "other"


def test_a_hex_colour_has_a_name_of_its_own():
    assert list(background_measures("#0a0b0c")) == [
        "mae_on_0a0b0c", "psnr_on_0a0b0c", "ssim_on_0a0b0c", "mae_inside", "psnr_inside", "ssim_inside",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"backgrounds": "pink"}, "'pink' is no background. Choose from black, white, gray"),
        ({"backgrounds": "black,black"}, "comes twice"),
        ({"against": "nobody"}, "no system 'nobody' to test against. There are warm, grayscale, mean colour"),
        ({"measures": "psnr,beauty"}, "no measure 'beauty'. Choose from default, all, psnr"),
        ({"measures": ""}, "no measure ''"),
        ({"measures": "ab_auc_rebalanced"}, "Add a measure of single pictures"),
    ],
)
def test_what_cannot_be_measured_is_refused(slices, options, complaint):
    with pytest.raises(DensecolorError, match=complaint):
        evaluate(warm, slices, split="test", **options)


def test_data_without_masks_are_refused(packed):
    with pytest.raises(ShardError, match="has no masks"):
        evaluate(warm, packed, backgrounds="black")
