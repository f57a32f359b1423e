"""How long colorizing takes: networks by themselves, and whole pictures.

    python tools/benchmark_inference.py networks [--names yardstick unet dense_tiny] [--size 256] [--rounds 5]
    python tools/benchmark_inference.py pictures [--names dense_tiny default] [--megapixels 1 12] [--rounds 5]

`networks` runs one picture through each network: by Keras layer by layer ("eager"), by Keras' compiled `predict`, by
onnxruntime, and by OpenVINO in float32 and in its default precision; beside it the time that its multiplications and
additions would take at the rate of a large matrix product in the same run, in float32 and bfloat16. "yardstick" is the
plain dense network of `tools/yardstick.py`. The weights are random, which changes no time.

`pictures` colorizes a JPEG file into a JPEG file and compares with what OpenCV takes to decode it, convert it to Lab in
float32 and back, and encode it.

Rounds go through all ways in turn, so that what else the machine does meets all of them. Medians are printed for
networks, the least for pictures, where memory makes single rounds slow.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import keras
import numpy as np
import skimage
import tensorflow as tf
from yardstick import create_yardstick

import densecolor
from densecolor import models
from densecolor.checkpoint import shipped_models
from densecolor.image_io import read_image
from densecolor.image_io import write_image
from densecolor.inference.runtimes import load
from densecolor.inference.runtimes.openvino_model import shared_core

MATRIX = 3072


def main():
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, function in (("networks", print_networks), ("pictures", print_pictures)):
        command = commands.add_parser(name)
        command.set_defaults(run=function)
        command.add_argument("--rounds", type=int, default=5)
    commands.choices["networks"].add_argument("--names", nargs="+", default=["yardstick", "unet", "dense_tiny"])
    commands.choices["networks"].add_argument("--size", type=int, default=256)
    commands.choices["pictures"].add_argument("--names", nargs="+", default=["dense_tiny", "default"])
    commands.choices["pictures"].add_argument("--megapixels", nargs="+", type=float, default=[1, 12])
    arguments = parser.parse_args()
    arguments.run(arguments)


def print_networks(arguments):
    """A line for each network and way."""
    lightness = np.random.default_rng(0).uniform(-1, 1, (1, arguments.size, arguments.size, 1)).astype(np.float32)
    ways, counts, differences = {}, {}, {}
    for name in arguments.names:
        model = create(name)
        counts[name] = count_operations(model, arguments.size)
        expected = np.asarray(model(lightness, training=False)["ab"])
        ways[name, "Keras eager"] = lambda model=model: model(lightness, training=False)["ab"]
        for way, runner in runtimes(model).items():
            ways[name, way] = lambda runner=runner: runner.predict_on_batch({"lightness": lightness})["ab"]
            differences[name, way] = 128 * np.abs(ways[name, way]() - expected).max()
    for dtype in ("float32", "bfloat16"):
        ways["matrix product", dtype] = matrix_product(dtype)
    seconds = measure(ways, arguments.rounds)
    products = 2 * MATRIX**3 / 1e9
    rates = {dtype: products / seconds["matrix product", dtype] for dtype in ("float32", "bfloat16")}
    print("matrix products:", ", ".join(f"{rate:.0f} GFLOP/s {dtype}" for dtype, rate in rates.items()))
    print(f"OpenVINO's precisions here: {', '.join(capabilities())}")
    reference = seconds.get(("yardstick", "Keras predict"))
    print("| network | way | s | of the yardstick in Keras predict | of the float32 limit | a and b differ by |")
    print("|---|---|---|---|---|---|")
    for (name, way), value in seconds.items():
        if name in counts:
            share = f"{value / reference:.2f}" if reference else ""
            limit = counts[name] / rates["float32"]
            difference = f"{differences[name, way]:.1e}" if (name, way) in differences else ""
            print(f"| {name} | {way} | {value:.4f} | {share} | {value / limit:.1f} | {difference} |")
    for name, count in counts.items():
        limits = ", ".join(f"{count / rate:.4f} s {dtype}" for dtype, rate in rates.items())
        print(f"{name}: {count:.2f} GFLOP, limit {limits}")


def print_pictures(arguments):
    """A line for each size, network and way."""
    print("| megapixels | network | way | s | of OpenCV without network |")
    print("|---|---|---|---|---|")
    networks = {name: runtimes(create(name)) for name in arguments.names}
    with tempfile.TemporaryDirectory() as folder:
        for megapixels in arguments.megapixels:
            path = Path(folder, "in.jpg")
            write_photograph(path, megapixels)
            ways = {("OpenCV", "no network"): lambda path=path: through_opencv(path)}
            for name, runners in networks.items():
                for way, runner in runners.items():
                    ways[name, way] = lambda path=path, runner=runner: through_densecolor(path, runner)
            seconds = measure(ways, arguments.rounds, min)
            least = seconds["OpenCV", "no network"]
            for (name, way), value in seconds.items():
                print(f"| {megapixels:g} | {name} | {way} | {value:.3f} | {value / least:.2f} |", flush=True)


def create(name):
    """The yardstick, a model that comes with the package, or a preset without classes."""
    keras.utils.set_random_seed(0)
    if name == "yardstick":
        return create_yardstick()
    if name in shipped_models():
        return densecolor.load_model(name)
    return models.create(name, **({"num_classes": 0} if "num_classes" in models.model_options(name) else {}))


def runtimes(model):
    """What can run the model, by the table's names."""
    ways = {"Keras predict": model, "onnxruntime": load(model, "onnx")}
    ways["OpenVINO float32"] = load(model, "openvino", precision="float32")
    if "BF16" in capabilities():
        ways["OpenVINO bfloat16"] = load(model, "openvino")
    return ways


def capabilities():
    """What OpenVINO can compute in on this processor."""
    return shared_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def count_operations(model, size):
    """GFLOP, two for a multiplication with its addition, of one picture's convolutions and matrix products."""
    traced = tf.function(lambda x: model({"lightness": x}, training=False))
    graph = traced.get_concrete_function(tf.TensorSpec((1, size, size, 1))).graph
    options = tf.compat.v1.profiler.ProfileOptionBuilder(tf.compat.v1.profiler.ProfileOptionBuilder.float_operation())
    options = options.with_empty_output().build()
    nodes = tf.compat.v1.profiler.profile(graph, options=options)
    return nodes.total_float_ops / 1e9


def matrix_product(dtype):
    """A function that multiplies two large matrices."""
    left, right = (tf.cast(tf.random.uniform((MATRIX, MATRIX)), dtype) for _ in range(2))
    return tf.function(lambda: tf.reduce_sum(tf.linalg.matmul(left, right)))


def write_photograph(path, megapixels):
    """A photograph enlarged to this size, with grain, so that its file is as large as a camera's."""
    photograph = cv2.imread(str(Path(skimage.__file__).parent / "data/chelsea.png"))
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    enlarged = cv2.resize(photograph, (width, round(width * 3 / 4)), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, 6, enlarged.shape).astype(np.float32)
    cv2.imwrite(str(path), np.clip(enlarged + cv2.GaussianBlur(grain, (0, 0), 0.8), 0, 255).astype(np.uint8))


def through_opencv(path):
    """Decode, Lab and back in float32, encode."""
    pixels = cv2.imread(str(path)).astype(np.float32) / 255
    lab = cv2.cvtColor(pixels, cv2.COLOR_BGR2LAB)
    pixels = cv2.cvtColor(lab, cv2.COLOR_LAB2BGR) * 255
    cv2.imwrite(str(path.with_name("out.jpg")), pixels.astype(np.uint8))


def through_densecolor(path, model):
    """The same with colours."""
    write_image(path.with_name("out.jpg"), densecolor.colorize(read_image(path), model), overwrite=True)


def measure(ways, rounds, choose=statistics.median):
    """Seconds of each way, chosen from the rounds after one that is not counted."""
    found = {way: [] for way in ways}
    for counted in [False] + [True] * rounds:
        for way, function in ways.items():
            start = time.perf_counter()
            function()
            if counted:
                found[way].append(time.perf_counter() - start)
    return {way: choose(values) for way, values in found.items()}


if __name__ == "__main__":
    main()
