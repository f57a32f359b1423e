"""Weights of other frameworks. PyTorch and safetensors are in the extra `import`; without them these checks skip."""

import pickle

import numpy as np
import pytest
import typer.testing

from densecolor.checkpoint import import_model
from densecolor.checkpoint import load_model
from densecolor.cli.common import new_app
from densecolor.cli.import_ import import_
from densecolor.color.ab_bins import AB_BINS
from densecolor.errors import CheckpointError
from densecolor.errors import DensecolorError

torch = pytest.importorskip("torch")

# The published table: channels, and stride and dilation of each block's last and of all its convolutions.
TABLE = {
    1: ([64, 64], 2, 1),
    2: ([128, 128], 2, 1),
    3: ([256, 256, 256], 2, 1),
    4: ([512, 512, 512], 1, 1),
    5: ([512, 512, 512], 1, 2),
    6: ([512, 512, 512], 1, 2),
    7: ([512, 512, 512], 1, 1),
}


class Published(torch.nn.Module):
    """The published table in PyTorch: L to ab."""

    def __init__(self):
        super().__init__()
        before = 1
        for number, (widths, stride, dilation) in TABLE.items():
            parts = []
            for index, width in enumerate(widths, start=1):
                step = stride if index == len(widths) else 1
                parts += [torch.nn.Conv2d(before, width, 3, step, dilation, dilation), torch.nn.ReLU()]
                before = width
            setattr(self, f"model{number}", torch.nn.Sequential(*parts, torch.nn.BatchNorm2d(before)))
        enlarging = torch.nn.ConvTranspose2d(before, 256, 4, 2, 1)
        rest = [torch.nn.Conv2d(256, 256, 3, padding=1) for _ in range(2)]
        parts = [part for layer in (enlarging, *rest) for part in (layer, torch.nn.ReLU())]
        self.model8 = torch.nn.Sequential(*parts, torch.nn.Conv2d(256, 313, 1))
        self.model_out = torch.nn.Conv2d(313, 2, 1, bias=False)

    def forward(self, lightness):
        x = (lightness - 50) / 100
        for number in range(1, 9):
            x = getattr(self, f"model{number}")(x)
        ab = self.model_out(torch.softmax(x, dim=1))
        return 110 * torch.nn.functional.interpolate(ab, scale_factor=4, mode="bilinear", align_corners=False)


def draw_weights(network):
    """Random weights that keep the size of the features, and make the distributions peaked."""
    for name, tensor in network.state_dict().items():
        if tensor.ndim == 4:
            torch.nn.init.kaiming_normal_(tensor)
        elif name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5)
        elif tensor.ndim == 1:
            tensor.normal_(1.0 if name.endswith(("4.weight", "6.weight")) else 0.0, 0.1)
    network.model8[6].weight.data *= 4
    network.model_out.weight.data[:, :, 0, 0] = torch.from_numpy(AB_BINS.T.copy()) / 110


@pytest.fixture(scope="module")
def published():
    torch.manual_seed(0)
    network = Published().eval()
    with torch.no_grad():
        draw_weights(network)
    return network


@pytest.fixture(scope="module")
def path(published, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "release.pth"
    torch.save(published.state_dict(), path)
    return path


def altered(path, folder, change):
    state = torch.load(path, weights_only=True)
    change(state)
    torch.save(state, folder / "altered.pth")
    return folder / "altered.pth"


def test_the_table_has_the_published_number_of_weights(published):
    convolutions = [parameter.numel() for name, parameter in published.named_parameters() if "model_out" not in name]
    assert sum(convolutions) == 32_230_393 + 4_992


def test_imported_weights_give_the_published_colours(published, path, tmp_path):
    app = new_app()
    app.command()(import_)
    result = typer.testing.CliRunner().invoke(app, ["colorful", str(path), str(tmp_path / "out.keras")])
    assert result.exit_code == 0, result.output
    assert "Done" in result.stderr
    model = load_model(tmp_path / "out.keras")
    lightness = np.random.default_rng(0).uniform(0, 100, (2, 64, 96)).astype(np.float32)
    with torch.no_grad():
        expected = published(torch.from_numpy(lightness[:, None])).numpy().transpose(0, 2, 3, 1)
    assert np.abs(expected).max() > 20
    outputs = model.predict({"lightness": lightness[..., None] / 50 - 1}, verbose=0)
    np.testing.assert_allclose(outputs["ab"], expected / 128, atol=1e-4)
    again = typer.testing.CliRunner().invoke(app, ["colorful", str(path), str(tmp_path / "out.keras")])
    assert again.exit_code == 1
    assert "out.keras exists" in again.stderr


def test_safetensors_are_read_too(published, path, tmp_path):
    pytest.importorskip("safetensors")
    import safetensors.torch

    safetensors.torch.save_file(published.state_dict(), tmp_path / "release.safetensors")
    ours, others = import_model("colorful", tmp_path / "release.safetensors"), import_model("colorful", path)
    for mine, its in zip(ours.weights, others.weights, strict=True):
        np.testing.assert_array_equal(mine, its)
    (tmp_path / "damaged.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0text")
    with pytest.raises(CheckpointError, match=r"damaged\.safetensors is not a whole safetensors file"):
        import_model("colorful", tmp_path / "damaged.safetensors")


def test_every_difference_is_listed(path, tmp_path):
    def change(state):
        del state["model3.2.bias"]
        state["model9.0.weight"] = torch.zeros(2, 3)
        state["model1.0.weight"] = torch.zeros(64, 3, 3, 3)
        del state["model2.4.num_batches_tracked"]  # files of old versions have none

    message = (
        r"altered\.pth does not hold the weights of 'colorful', 3 differences: model3\.2\.bias is missing; "
        r"model9\.0\.weight \(2, 3\) is unknown; "
        r"model1\.0\.weight has shape \(64, 3, 3, 3\), expected \(64, 1, 3, 3\)\."
    )
    with pytest.raises(CheckpointError, match=message):
        import_model("colorful", altered(path, tmp_path, change))


def test_other_bins_and_broken_numbers_are_refused(path, tmp_path):
    def exchange(state):
        state["model_out.weight"] = state["model_out.weight"].flip(1)

    with pytest.raises(CheckpointError, match=r"not the published 313 bins .* Its first bin is \[100\.0, 0\.0\]"):
        import_model("colorful", altered(path, tmp_path, exchange))

    def spoil(state):
        state["model1.0.bias"][3] = float("nan")

    with pytest.raises(CheckpointError, match=r"NaN or infinite numbers in 'model1\.0\.bias'"):
        import_model("colorful", altered(path, tmp_path, spoil))


class Canary:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_code_in_a_file_is_never_run(tmp_path):
    canary = tmp_path / "canary"
    torch.save({"weight": Canary(canary)}, tmp_path / "new.pth")
    (tmp_path / "old.pth").write_bytes(pickle.dumps({"weight": Canary(canary)}))
    canary.unlink(missing_ok=True)
    for name in ("new.pth", "old.pth"):
        with pytest.raises(CheckpointError, match="is not a PyTorch file of tensors alone, or is damaged"):
            import_model("colorful", tmp_path / name)
    assert not canary.exists()


@pytest.mark.parametrize("content", [[torch.zeros(2)], {"state_dict": {"weight": torch.zeros(2)}}, {1: torch.zeros(2)}])
def test_files_of_other_kinds_are_refused(content, tmp_path):
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match="is not a state dict"):
        import_model("colorful", tmp_path / "other.pth")


def test_mistakes_are_named(tmp_path):
    with pytest.raises(DensecolorError, match=r"Unknown system='color'\. Choose from colorful"):
        import_model("color", tmp_path / "any.pth")
    with pytest.raises(CheckpointError, match="There is no weights file"):
        import_model("colorful", tmp_path / "any.pth")
    (tmp_path / "text.pth").write_text("no weights")
    with pytest.raises(CheckpointError, match=r"text\.pth is not a PyTorch file"):
        import_model("colorful", tmp_path / "text.pth")
