"""Pictures in folders, as any system writes them."""

import math

import cv2
import numpy as np
import pytest
import skimage.color
import skimage.metrics

from densecolor.errors import DensecolorError
from densecolor.errors import ImageError
from densecolor.evaluation import evaluate
from densecolor.evaluation import evaluate_folders


def write(path, rgb):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), rgb[..., ::-1] if rgb.ndim == 3 else rgb)


def dull(rgb, share=0.5):
    gray = rgb.mean(axis=-1, keepdims=True)
    return np.rint(gray + share * (rgb - gray)).astype(np.uint8)


@pytest.fixture(scope="module")
def folders(tmp_path_factory, photographs):
    """Truths in two subfolders, the same duller (as PNG and deeper still), and far duller."""
    root = tmp_path_factory.mktemp("folders")
    for i, (name, photograph) in enumerate(photographs.items()):
        small = cv2.resize(photograph, (60 + i, 50), interpolation=cv2.INTER_AREA)
        place = f"{'living' if 'rocket' not in name else 'things'}/{name.split('.')[0]}"
        write(root / "truth" / f"{place}.png", small)
        write(root / "good" / f"{place}.tif", dull(small, 0.8))
        write(root / "bad" / f"{place}.png", dull(small, 0.2))
        write(root / "masks" / f"{place}_mask.png", np.where(small[..., 0] > 100, 255, 0).astype(np.uint8))
    return root


@pytest.fixture(scope="module")
def result(folders):
    return evaluate_folders([folders / "good", folders / "bad"], folders / "truth", measures="all", against="bad")


def test_figures_are_scikit_images_of_the_files(result, folders):
    assert result.systems == ["good", "bad", "grayscale", "mean colour"]
    for i, key in enumerate(result.keys):
        true = cv2.imread(str(folders / "truth" / f"{key}.png"))[..., ::-1]
        pred = cv2.imread(str(folders / "good" / f"{key}.tif"))[..., ::-1]
        lab_true, lab_pred = skimage.color.rgb2lab(true), skimage.color.rgb2lab(pred)
        expected = {
            "psnr": skimage.metrics.peak_signal_noise_ratio(true, pred),
            "ssim": skimage.metrics.structural_similarity(true, pred, channel_axis=-1),
            "mae": np.abs(true / 255 - pred / 255).mean(),
            "delta_e76": skimage.color.deltaE_cie76(lab_true, lab_pred).mean(),
            "ciede2000": skimage.color.deltaE_ciede2000(lab_true, lab_pred).mean(),
            "mean_chroma": np.hypot(lab_pred[..., 1], lab_pred[..., 2]).mean(),
        }
        for measure, value in expected.items():
            assert result.columns["good"][measure][i] == pytest.approx(value, rel=2e-3, abs=2e-3), measure


def test_better_pictures_come_out_better(result):
    for measure in ("psnr", "ssim", "ab_auc"):
        assert result.results["good"][measure].mean > result.results["bad"][measure].mean
    for measure in ("mae", "info_loss", "ciede2000", "colorfulness_gap"):
        assert result.results["good"][measure].mean < result.results["bad"][measure].mean
    assert result.pooled["good"]["ab_auc_rebalanced"] > result.pooled["bad"]["ab_auc_rebalanced"]
    assert result.tests["good"]["psnr"].p == pytest.approx(2 / 2**5)  # 5 of 5 better


def test_subfolders_are_classes(result):
    assert result.about["class_names"] == ["living", "things"]
    assert result.figures.labels.tolist() == [0, 0, 0, 0, 1]


def test_grayscale_of_a_folder_is_the_gray_of_each_truth(result, folders):
    key = result.keys[0]
    true = cv2.imread(str(folders / "truth" / f"{key}.png"))[..., ::-1]
    lab = skimage.color.rgb2lab(true)
    lab[..., 1:] = 0
    gray = np.rint(skimage.color.lab2rgb(lab) * 255).astype(np.uint8)
    expected = skimage.metrics.peak_signal_noise_ratio(true, gray)
    assert result.columns["grayscale"]["psnr"][0] == pytest.approx(expected, abs=0.02)


def test_masks_of_a_folder(folders):
    result = evaluate_folders(folders / "good", folders / "truth", masks=folders / "masks", backgrounds="white")
    for i, key in enumerate(result.keys):
        true, pred = (cv2.imread(str(next((folders / d).glob(f"{key}.*")))) for d in ("truth", "good"))
        mask = cv2.imread(str(folders / "masks" / f"{key}_mask.png"), cv2.IMREAD_GRAYSCALE) > 0
        true[~mask] = pred[~mask] = 255
        expected = skimage.metrics.peak_signal_noise_ratio(true, pred)
        assert result.columns["good"]["psnr_on_white"][i] == pytest.approx(expected, abs=1e-6)


def test_lightness_can_be_put_back(folders, tmp_path):
    for path in (folders / "truth").rglob("*.png"):
        picture = cv2.imread(str(path))
        darker = np.rint(picture * 0.7).astype(np.uint8)
        write(tmp_path / "dark" / path.relative_to(folders / "truth"), darker[..., ::-1])
    plain = evaluate_folders(tmp_path / "dark", folders / "truth").results["dark"]["psnr"].mean
    kept = evaluate_folders(tmp_path / "dark", folders / "truth", keep_lightness=True).results["dark"]["psnr"].mean
    assert kept > plain + 3


def test_depths_and_gray_truths(tmp_path, photographs):
    small = cv2.resize(photographs["coffee.png"], (40, 30), interpolation=cv2.INTER_AREA)
    write(tmp_path / "truth" / "deep.png", small.astype(np.uint16) * 257)
    write(tmp_path / "out" / "deep.png", small)
    write(tmp_path / "truth" / "gray.png", small[..., 1])
    write(tmp_path / "out" / "gray.png", small)
    result = evaluate_folders(tmp_path / "out", tmp_path / "truth")
    assert result.columns["out"]["psnr"][0] == math.inf
    assert result.colorless.tolist() == [False, True]
    assert result.equal_pairs["out"] == 1
    assert result.results["out"]["psnr"].count == 0
    assert result.columns["grayscale"]["mae"][1] == 0


def test_tiny_and_plain_pictures(tmp_path):
    for folder, value in (("truth", 90), ("out", 120)):
        write(tmp_path / folder / "pixel.png", np.full((1, 1, 3), value, np.uint8))
        write(tmp_path / folder / "plain.png", np.uint8([[[value, 20, 200]]]).repeat(9, axis=0).repeat(9, axis=1))
    result = evaluate_folders(tmp_path / "out", tmp_path / "truth", measures="all")
    assert np.isnan(result.columns["out"]["ssim"]).tolist() == [True, False]
    assert np.isnan(result.columns["out"]["ssim_gaussian"]).all()
    assert result.columns["out"]["info_loss"].tolist() == [0, 0]
    assert result.results["out"]["color_bleeding"].count == 0
    assert "1 pictures are smaller than 7 x 7 pixels and have no ssim." in result.notes()


def test_what_has_no_partner_is_named(folders, tmp_path, photographs):
    write(tmp_path / "out" / "living" / "coffee.png", photographs["coffee.png"])
    write(tmp_path / "out" / "stranger.png", photographs["coffee.png"])
    with pytest.raises(ImageError, match=r"living/astronaut: it has no prediction.*and 2 more.*--skip-damaged"):
        evaluate_folders(tmp_path / "out", folders / "truth")
    with pytest.raises(DensecolorError, match=r"every picture was left out.*600 x 400 pixels"):
        evaluate_folders(tmp_path / "out", folders / "truth", skip_damaged=True)


def test_what_is_damaged_can_be_left_out_and_is_named(folders, tmp_path):
    for path in (folders / "good").rglob("*.tif"):
        target = tmp_path / "out" / path.relative_to(folders / "good")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    broken = tmp_path / "out" / "living" / "chelsea.tif"
    broken.write_bytes(broken.read_bytes()[:900])
    with pytest.raises(ImageError, match=r"chelsea\.tif"):
        evaluate_folders(tmp_path / "out", folders / "truth")
    result = evaluate_folders(tmp_path / "out", folders / "truth", skip_damaged=True)
    assert len(result.keys) == 4
    ((key, reason),) = result.about["left_out"]
    assert key == "living/chelsea"
    assert "chelsea.tif" in reason
    assert any("1 were left out" in note for note in result.notes())


def test_other_sizes_are_refused_with_both(folders, tmp_path, photographs):
    for path in (folders / "truth").rglob("*.png"):
        write(tmp_path / "out" / path.relative_to(folders / "truth"), photographs["coffee.png"][:20, :30])
    with pytest.raises(ImageError, match=r"is 30 x 20 pixels, its truth 6\d x 50"):
        evaluate_folders(tmp_path / "out", folders / "truth")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"predictions": "nowhere"}, "no folder nowhere"),
        ({"predictions": []}, "no folder of predictions"),
        ({"backgrounds": "black"}, "Backgrounds need masks"),
        ({"predictions": {"truth": "x"}}, "'truth' is kept for a baseline"),
    ],
)
def test_what_cannot_be_compared_is_refused(folders, options, complaint):
    with pytest.raises(DensecolorError, match=complaint):
        evaluate_folders(**{"predictions": folders / "good", "truth": folders / "truth"} | options)


def test_an_empty_folder_is_refused(folders, tmp_path):
    with pytest.raises(ImageError, match="holds no picture"):
        evaluate_folders(tmp_path, folders / "truth")


def test_shards_and_folders_agree(packed, tmp_path):
    """The same pictures and colours, once as arrays and once as files."""
    from densecolor.color import lab_to_srgb
    from densecolor.dataset import iterate

    colour = np.float32([12, 30])
    for record in iterate(packed, "validation"):
        lightness = record.L * np.float32(100 / 255)
        name = record.key.replace("/", "-")
        write(tmp_path / "truth" / name, lab_to_srgb(np.dstack([lightness, record.ab]).astype(np.float32)))
        plain = np.broadcast_to(colour, (32, 32, 2))
        write(tmp_path / "one" / name, lab_to_srgb(np.dstack([lightness, plain]).astype(np.float32)))
    files = evaluate_folders(tmp_path / "one", tmp_path / "truth")
    arrays = evaluate({"one": lambda x: {"ab": np.broadcast_to(colour / 128, (*x.shape[:3], 2))}}, packed)
    for measure in ("psnr", "ssim", "mae", "colorfulness"):
        np.testing.assert_allclose(files.columns["one"][measure], arrays.columns["one"][measure], rtol=1e-9)
