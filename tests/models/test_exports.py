"""Every system is exported to every format, and gives there the colours that it gives in Keras."""

import keras
import pytest
from test_other_backends import SMALL
from test_other_backends import move_all_weights

import densecolor
from densecolor import models
from densecolor.errors import ExportError
from densecolor.inference.exporting import FORMATS

# docs/exporting.md says why.
REFUSED = {
    ("chromagan", "onnx"): "cannot take",
    ("hypercolumn", "litert"): "Select TensorFlow op",
    ("iizuka", "onnx"): "instead of",
    ("pix2pix", "openvino"): "differs from Keras",
}


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", SMALL)
def test_every_system_can_be_exported(name, format, tmp_path):
    keras.utils.set_random_seed(0)
    model = models.create(name, **SMALL[name])
    move_all_weights(model)
    if (name, format) in REFUSED:
        with pytest.raises(ExportError, match=REFUSED[name, format]):
            densecolor.export(model, tmp_path / f"a{FORMATS[format].ending}", format)
        return
    exported = densecolor.export(model, tmp_path / f"a{FORMATS[format].ending}", format)
    assert max(exported.differences.values()) < 0.01
