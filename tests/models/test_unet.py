from colorizer_checks import check_colorizer

from densecolor import models


def test_colorizer_contract(tmp_path):
    check_colorizer("unet", {"filters": (4, 6, 8)}, tmp_path)


def test_parameters():
    convolutions = 9 * (1 * 32 + 32**2 + 32 * 64 + 64**2 + 64 * 128 + 128**2 + 128 * 256 + 256**2)
    convolutions += 9 * (384 * 128 + 192 * 64 + 96 * 32)
    normalisations = 4 * (2 * (32 + 64 + 128 + 256) + 128 + 64 + 32)
    assert models.create("unet").count_params() == convolutions + normalisations + 257 * 256 + (9 * 32 + 1) * 2
