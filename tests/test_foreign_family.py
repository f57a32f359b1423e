"""Released weights of the adversarial family: real files, and colours against the published layers in NumPy."""

import itertools

import h5py
import keras
import numpy as np
import pytest

from densecolor.checkpoint import import_model
from densecolor.color.ops import lightness_to_gray
from densecolor.errors import CheckpointError

save_file = pytest.importorskip("safetensors.numpy").save_file


def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


def relu(x):
    return np.maximum(x, 0)


def convolve(x, weight, stride=1):
    """`torch.nn.functional.conv2d` without padding: (N, C, H, W) and (out, in, k, k)."""
    side = weight.shape[-1]
    windows = np.lib.stride_tricks.sliding_window_view(x, (side, side), axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwij,ocij->nohw", windows, weight, optimize=True)


def enlarge(x, weight, bias=0.0):
    """`conv_transpose2d` of a 4x4 kernel (in, out, 4, 4) with strides of 2 and a padding of 1."""
    count, _, height, width = x.shape
    result = np.zeros((count, weight.shape[1], 2 * height + 2, 2 * width + 2))
    for row, column in itertools.product(range(4), range(4)):
        part = np.einsum("nchw,co->nohw", x, weight[:, :, row, column])
        result[:, :, row : row + 2 * height : 2, column : column + 2 * width : 2] += part
    return result[:, :, 1:-1, 1:-1] + np.reshape(bias, (1, -1, 1, 1))


def normalize(x, state, name):
    values = (state[f"{name}.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias"))
    mean, variance, scale, offset = values
    return (x - mean) / np.sqrt(variance + 1e-5) * scale + offset


class Drawn(dict):
    """A state dict that draws what a network of given widths needs."""

    def __init__(self, seed=0):
        super().__init__()
        self.random = np.random.default_rng(seed)

    def kernel(self, name, *shape):
        fan = np.prod(shape[1:])
        self[name] = self.random.normal(0, np.sqrt(2 / fan), shape).astype(np.float32)

    def vector(self, name, size, mean=0.0):
        self[name] = self.random.normal(mean, 0.1, size).astype(np.float32)

    def norm(self, name, size):
        self.vector(f"{name}.weight", size, 1.0)
        self.vector(f"{name}.bias", size)
        self.vector(f"{name}.running_mean", size)
        self[f"{name}.running_var"] = self.random.uniform(0.5, 1.5, size).astype(np.float32)
        self[f"{name}.num_batches_tracked"] = np.array(7)


# The port's U-Net: a size lies inside the one before.
WIDTHS = (4, 6, 8, 8, 10)


def port_place(level):
    return "model.model" if level == 1 else "model.model.1.model" + ".3.model" * (level - 2)


def draw_port(channels):
    state, last = Drawn(), len(WIDTHS)
    for level, width in enumerate(WIDTHS, start=1):
        place, before = port_place(level), WIDTHS[level - 2] if level > 1 else 1
        state.kernel(f"{place}.{0 if level == 1 else 1}.weight", width, before, 4, 4)
        if 1 < level < last:
            state.norm(f"{place}.2", width)
        inner = width if level == last else 2 * width
        if level == 1:
            state.kernel(f"{place}.3.weight", inner, channels, 4, 4)
            state.vector(f"{place}.3.bias", channels)
        else:
            state.kernel(f"{place}.{3 if level == last else 5}.weight", inner, before, 4, 4)
            state.norm(f"{place}.{4 if level == last else 6}", before)
    return state


def run_port(state, x, level=1):
    place, last = port_place(level), len(WIDTHS)
    down = x if level == 1 else leaky(x)
    border = ((0, 0), (0, 0), (1, 1), (1, 1))
    down = convolve(np.pad(down, border), state[f"{place}.{0 if level == 1 else 1}.weight"], 2)
    if 1 < level < last:
        down = normalize(down, state, f"{place}.2")
    inner = down if level == last else run_port(state, down, level + 1)
    if level == 1:
        return np.tanh(enlarge(relu(inner), state[f"{place}.3.weight"], state[f"{place}.3.bias"]))
    up, norm = (3, 4) if level == last else (5, 6)
    made = normalize(enlarge(relu(inner), state[f"{place}.{up}.weight"]), state, f"{place}.{norm}")
    return np.concatenate([x, made], axis=1)


def gray_pictures(*shape):
    return np.random.default_rng(1).uniform(-1, 1, (*shape, 1)).astype(np.float32)


def to_torch(x):
    return np.asarray(x, np.float64).transpose(0, 3, 1, 2)


def from_torch(x):
    return x.transpose(0, 2, 3, 1)


@pytest.mark.parametrize(("channels", "output"), [(2, "ab"), (3, "rgb")])
def test_pix2pixs_port_gives_its_colours(channels, output, tmp_path):
    state = draw_port(channels)
    save_file(state, tmp_path / "net_G.safetensors")
    model = import_model("pix2pix", tmp_path / "net_G.safetensors")
    lightness = gray_pictures(2, 64, 96)
    seen = lightness if channels == 2 else 2 * np.array(lightness_to_gray(50 * lightness + 50)) - 1
    expected = from_torch(run_port(state, to_torch(seen)))
    expected = expected * 110 / 128 if channels == 2 else (expected + 1) / 2
    assert expected.std() > 0.05
    np.testing.assert_allclose(model.predict_on_batch(lightness)[output], expected, atol=1e-4)


def test_every_difference_from_the_port_is_listed(tmp_path):
    state = draw_port(2)
    del state["model.model.1.model.5.weight"]
    state["extra"] = np.zeros(3, np.float32)
    save_file(state, tmp_path / "net_G.safetensors")
    message = r"2 differences: model\.model\.1\.model\.5\.weight is missing; extra \(3,\) is unknown\."
    with pytest.raises(CheckpointError, match=message):
        import_model("pix2pix", tmp_path / "net_G.safetensors")


# SCGAN: (name, input channels, output channels, kernel size, is normalised), as the authors' network has them.
START, GLOBAL, LATENT = 4, 6, 3
DOWN = [(1, 4, 7, False), (4, 8, 3, True), (8, 12, 3, True), (12, 16, 3, True), (16, 16, 3, True), (16, 16, 3, True)]
DOWN += [(16 + GLOBAL, 16, 3, True), (16, 16, 3, True), (16, 16, 3, False)]
UP = [(16, 16), (32, 16), (32, 16), (32, 16), (32, 16), (32, 12), (24, 8), (16, 4)]
FEATURES = [("conv1_1", 1, 1), ("conv1_2", 2, 1), ("conv2_1", 1, 2), ("conv2_2", 2, 2)]
FEATURES += [("conv3_1", 1, 3), ("conv3_2", 1, 3), ("conv3_3", 2, 3), ("conv4_1", 1, 4), ("conv4_2", 1, 4)]
FEATURES += [("conv4_3", 2, 4), ("conv5_1", 1, 5), ("conv5_2", 1, 5), ("conv5_3", 1, 5), ("pool5", 2, 5)]
FEATURE_WIDTHS = {1: 3, 2: 4, 3: 5, 4: 5, 5: GLOBAL}
SALIENCY = {"conv11.conv2d": (16, 3), "conv12.conv2d": (3, 3), "conv2.conv2d": (12, 3), "conv3": (8, 3)}
SALIENCY |= {"conv4.conv2d": (9, 3), "final": (3, 1)}


class SCGAN(Drawn):
    """The released network with few channels: draws its tensors, and runs them."""

    def __init__(self, has_saliency=True):
        super().__init__()
        before = 1
        for name, _, level in FEATURES:
            self.block(f"global_feature_network.{name}", before, FEATURE_WIDTHS[level], normalized=name != "conv1_1")
            before = FEATURE_WIDTHS[level]
        for place, (before, after, size, normalized) in enumerate(DOWN, start=1):
            self.block(f"down{place}", before, after, size, normalized)
        for place, (before, after) in enumerate(UP, start=1):
            self.block(f"up{place}.conv2d", before, after)
        self.block("up9", 8, 3, normalized=False)
        if has_saliency:
            for name, (before, after) in SALIENCY.items():
                self.block(f"attention_prediction_network.{name}", before, after, normalized=name != "final")

    def block(self, name, before, after, size=3, normalized=True):
        self.kernel(f"{name}.conv2d.module.weight_bar", after, before, size, size)
        self.vector(f"{name}.conv2d.module.weight_u", after)
        self.vector(f"{name}.conv2d.module.weight_v", before * size**2)
        if normalized:
            self.norm(f"{name}.norm", after)

    def layer(self, x, name, stride=1, activation=leaky):
        module = f"{name}.conv2d.module"
        weight = self[f"{module}.weight_bar"].astype(np.float64)
        matrix = weight.reshape(len(weight), -1)
        v = matrix.T @ self[f"{module}.weight_u"]
        v /= np.linalg.norm(v)
        u = matrix @ v
        u /= np.linalg.norm(u)
        side = weight.shape[-1] // 2
        x = np.pad(x, ((0, 0), (0, 0), (side, side), (side, side)), mode="reflect")
        x = convolve(x, weight / (u @ matrix @ v), stride)
        return activation(normalize(x, self, f"{name}.norm") if f"{name}.norm.weight" in self else x)

    def up(self, x, name):
        return self.layer(x.repeat(2, axis=2).repeat(2, axis=3), f"{name}.conv2d")

    def run(self, gray):
        features = gray
        for name, stride, _ in FEATURES:
            features = self.layer(features, f"global_feature_network.{name}", stride)
        downs, x = [], gray
        for place in range(1, 10):
            x = np.concatenate([x, features], axis=1) if place == 7 else x
            x = self.layer(x, f"down{place}", 1 if place == 1 else 2)
            downs.append(x)
        ups = []
        for place, skip in enumerate(reversed(downs[:-1]), start=1):
            ups.append(self.up(x, f"up{place}"))
            x = np.concatenate([skip, ups[-1]], axis=1)
        return self.layer(x, "up9", activation=np.tanh), self.saliency(ups)

    def saliency(self, ups):
        branch = "attention_prediction_network"
        if f"{branch}.final.conv2d.module.weight_bar" not in self:
            return None
        first = self.up(self.up(ups[4], f"{branch}.conv11"), f"{branch}.conv12")
        joined = np.concatenate([first, self.up(ups[5], f"{branch}.conv2"), self.layer(ups[6], f"{branch}.conv3")], 1)
        return self.layer(
            self.up(joined, f"{branch}.conv4"), f"{branch}.final", activation=lambda x: 1 / (1 + np.exp(-x))
        )


@pytest.mark.parametrize("has_saliency", [True, False])
def test_scgans_release_gives_its_colours(has_saliency, tmp_path):
    state = SCGAN(has_saliency)
    save_file(dict(state), tmp_path / "scgan.safetensors")
    model = import_model("scgan", tmp_path / "scgan.safetensors")
    lightness = gray_pictures(1, 256, 256)
    rgb, mask = state.run(to_torch(lightness_to_gray(50 * lightness + 50)))
    outputs = model.predict_on_batch(lightness)
    assert rgb.std() > 0.02
    np.testing.assert_allclose(outputs["rgb"], from_torch(rgb), atol=2e-4)
    assert ("mask" in outputs) == has_saliency
    if has_saliency:
        np.testing.assert_allclose(outputs["mask"], from_torch(mask), atol=2e-4)


# ChromaGAN: the authors' graph for one size, by plain Keras layers of the same order, and a file as Keras 2 writes it.
WIDTH, SIDE, CLASSES = 1 / 16, 64, 7
VGG = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512))


def build_chromagan():
    def of(count):
        return round(count * WIDTH)

    made, numbers = {}, dict.fromkeys(("conv2d", "batch_normalization", "dense"), 0)

    def numbered(kind, layer):
        numbers[kind] += 1
        made[f"{kind}_{numbers[kind]}"] = layer
        return layer

    def convolution(x, filters, strides=1, size=3, activation="relu", normalized=False):
        layer = keras.layers.Conv2D(of(filters), size, strides=strides, padding="same", activation=activation)
        x = numbered("conv2d", layer)(x)
        return numbered("batch_normalization", keras.layers.BatchNormalization())(x) if normalized else x

    def dense(x, units, activation=None):
        return numbered("dense", keras.layers.Dense(units, activation=activation))(x)

    picture = x = keras.Input((SIDE, SIDE, 3))
    for block, widths in enumerate(VGG, start=1):
        x = keras.layers.MaxPooling2D()(x) if block > 1 else x
        for index, width in enumerate(widths, start=1):
            made[f"block{block}_conv{index}"] = keras.layers.Conv2D(of(width), 3, padding="same", activation="relu")
            x = made[f"block{block}_conv{index}"](x)
    whole = x
    for strides in (2, 1, 2, 1):
        whole = convolution(whole, 512, strides, normalized=True)
    flat = keras.layers.Flatten()(whole)
    vector = dense(dense(dense(flat, of(1024)), of(512)), of(256))
    vector = keras.layers.Reshape((SIDE // 8, SIDE // 8, of(256)))(keras.layers.RepeatVector((SIDE // 8) ** 2)(vector))
    classes = dense(dense(dense(flat, of(4096)), of(4096)), CLASSES, "softmax")
    x = convolution(convolution(x, 512, normalized=True), 256, normalized=True)
    x = convolution(convolution(keras.layers.Concatenate()([x, vector]), 256, size=1), 128)
    x = convolution(convolution(keras.layers.UpSampling2D()(x), 64), 64)
    x = convolution(keras.layers.UpSampling2D()(x), 32)
    last = keras.layers.Conv2D(2, 3, padding="same", activation="sigmoid")
    x = keras.layers.UpSampling2D()(numbered("conv2d", last)(x))
    return keras.Model(picture, [x, classes]), made


def write_keras2(path, made, first):
    """As `model.save` of Keras 2 does; the numbers of layers go on from those of what was built before."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"2.2.4"
        weights = file.create_group("model_weights")
        for name, layer in made.items():
            kind, _, number = name.rpartition("_")
            called = name if name.startswith("block") else f"{kind}_{int(number) + first}"
            group = weights.require_group("model_2" if name.startswith("block") else called)
            for variable in layer.weights:
                group.create_dataset(f"{called}/{variable.name}:0", data=np.array(variable))
        optimizer = file.create_group("optimizer_weights")
        optimizer.create_dataset("Adam/iterations:0", data=np.int64(9))


@pytest.fixture(scope="module")
def chromagan(tmp_path_factory):
    keras.utils.set_random_seed(0)
    network, made = build_chromagan()
    random = np.random.default_rng(0)
    for variable in network.weights:
        if len(variable.shape) == 1:
            low, high = (0.5, 1.5) if variable.name in ("gamma", "moving_variance") else (-0.2, 0.2)
            variable.assign(random.uniform(low, high, variable.shape))
    path = tmp_path_factory.mktemp("chromagan") / "my_model_colorization.h5"
    write_keras2(path, made, first=5)
    return network, path


def test_chromagans_release_gives_its_colours(chromagan):
    network, path = chromagan
    model = import_model("chromagan", path)
    lightness = gray_pictures(2, SIDE, SIDE)
    ab, classes = network.predict_on_batch(np.repeat((lightness + 1) / 2, 3, axis=-1))
    outputs = model.predict_on_batch(lightness)
    assert ab.std() > 0.01
    np.testing.assert_allclose(outputs["ab"], (255 * ab - 128) / 128, atol=1e-4)
    np.testing.assert_allclose(outputs["label"], classes, atol=1e-4)


def test_other_hdf5_files_are_refused(chromagan, tmp_path):
    def changed(change):
        path = tmp_path / "changed.h5"
        path.write_bytes(chromagan[1].read_bytes())
        with h5py.File(path, "a") as file:
            change(file)
        return path

    def remove(file):
        del file["model_weights/dense_9/dense_9/bias:0"]

    def link(file):
        file["model_weights/away"] = h5py.ExternalLink("/etc/passwd", "/")

    def repeat(file):
        file["again/block1_conv1/kernel:0"] = np.zeros(3)

    for change, message in (
        (remove, r"1 differences: class_fc1/bias:0 is missing\."),
        (link, "holds what Keras never writes: a link that leads elsewhere, /model_weights/away"),
        (repeat, "has two arrays of the name 'block1_conv1/kernel:0'"),
    ):
        with pytest.raises(CheckpointError, match=message):
            import_model("chromagan", changed(change))
    (tmp_path / "text.h5").write_text("no weights")
    with pytest.raises(CheckpointError, match=r"text\.h5 is not a whole HDF5 file"):
        import_model("chromagan", tmp_path / "text.h5")
