import keras
import pytest

from densecolor.errors import DensecolorError
from densecolor.errors import failed_downloads_named


def test_a_download_that_fails_is_one_error_that_says_what_to_do(tmp_path):
    nobody = "http://127.0.0.1:9/vgg16.weights.h5"  # the port for what is to be thrown away
    with (
        pytest.raises(DensecolorError, match=r"weights of vgg16 cannot be downloaded \(URL fetch.*Give the path"),
        failed_downloads_named("vgg16"),
    ):
        keras.utils.get_file("vgg16.weights.h5", nobody, cache_dir=tmp_path)


def test_other_errors_stay_as_they_are():
    with pytest.raises(ZeroDivisionError), failed_downloads_named("vgg16"):
        1 / 0  # noqa: B018
