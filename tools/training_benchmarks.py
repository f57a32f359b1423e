"""The measurements of `benchmark_training.py`, each in a process of its own; prints JSON."""

import collections
import itertools
import json
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from densecolor.models import dense_block
from densecolor.models import efficient_block
from densecolor.models.layers import apply_output_convolution
from densecolor.models.layers import dtype_scope
from densecolor.training import TrainConfig
from densecolor.training import train
from densecolor.training.state import Progress
from densecolor.training.state import write_state

BLOCKS = {"plain": dense_block, "memory_efficient": efficient_block}
GROWTH, LAYERS = 12, 6
SCHEDULING = ("Process", "Run")  # of TensorFlow's threads, in whose time the operations are
WARM_UP = 2  # steps, of which the first is traced


def yardstick_network(way, dtype):
    """The network that all measurements are of, compiled."""
    blocks = BLOCKS[way]
    with dtype_scope(dtype):
        picture = keras.Input((None, None, 1))
        width = 2 * GROWTH
        x = blocks.apply_stem(picture, width, 3, 1)
        for index in (1, 2, 3):
            x = blocks.apply_dense_block(x, LAYERS, GROWTH, f"block{index}")
            width = (width + LAYERS * GROWTH) // 2
            x = blocks.apply_transition(x, width, f"transition{index}")
        x = blocks.apply_dense_block(x, LAYERS, GROWTH, "block4")
        ab = apply_output_convolution(blocks.apply_norm_relu(x, "output"))
    model = keras.Model(picture, ab)
    model.compile("adam", "mse", jit_compile=False)
    return model


def gflop_of_a_step(side):
    """Of the convolutions, for one picture, forward and backward (twice as much)."""
    model = yardstick_network("plain", "float32")
    kernels = [weight for weight in model.trainable_weights if len(weight.shape) == 4]
    return 3 * 2 * sum(int(np.prod(kernel.shape)) for kernel in kernels) * side**2 / 1e9


def measure_peak():
    """GFLOP/s of matrix products, the best of some."""
    found = {}
    for dtype in ("float32", "bfloat16"):
        a = tf.cast(tf.random.normal((2048, 2048)), dtype)
        product = tf.function(tf.matmul)
        product(a, a)
        times = []
        for _ in range(12):
            begin = time.perf_counter()
            product(a, a)[0, 0].numpy()
            times.append(time.perf_counter() - begin)
        found[dtype] = 2 * 2048**3 / min(times) / 1e9
    return found


def prepare(way, dtype, side, batch):
    """A step to call."""
    model = yardstick_network(way, dtype)
    random = np.random.default_rng(0)
    x = tf.constant(random.uniform(-1, 1, (batch, side, side, 1)), tf.float32)
    y = tf.constant(random.normal(0, 0.1, (batch, side, side, 2)), tf.float32)
    batches = iter(tf.data.Dataset.from_tensors((x, y)).repeat())
    model.make_train_function()
    return model, lambda: float(model.train_function(batches)["loss"])


def measure_steps(way, dtype, side, batch, steps):
    """Times of single steps, and memory."""
    side, batch = int(side), int(batch)
    _, step = prepare(way, dtype, side, batch)
    base = status("VmRSS")
    times, used = [], []
    for _ in range(WARM_UP + int(steps)):
        begin, begin_used = time.perf_counter(), time.process_time()
        step()
        times.append(time.perf_counter() - begin)
        used.append(time.process_time() - begin_used)
    return {
        "median": statistics.median(times[WARM_UP:]),
        "least": min(times[WARM_UP:]),
        "processor": statistics.median(used[WARM_UP:]),
        "gigabytes": status("VmHWM") - base,
        "gflop": gflop_of_a_step(side),
    }


def status(key):
    """A size of this process as Linux has it, in GB."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(rf"{key}:\s+(\d+) kB", text)[1]) / 1e6


def measure_profile(way, dtype, side, batch, steps):
    """Milliseconds of a step in each kind of operation."""
    _, step = prepare(way, dtype, int(side), int(batch))
    for _ in range(WARM_UP):
        step()
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        begin = time.perf_counter()
        for _ in range(int(steps)):
            step()
        seconds = (time.perf_counter() - begin) / int(steps)
        tf.profiler.experimental.stop()
        [trace] = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(trace.read_bytes())
    found = collections.Counter()
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                node, _, operation = plane.event_metadata[event.metadata_id].name.rpartition(":")
                if node and operation.isalnum() and "Call" not in operation and operation not in SCHEDULING:
                    found[operation] += event.duration_ps / 1e9 / int(steps)
    return {"seconds": seconds, "operations": found}


def measure_states(data, model, image_size, batch_size, steps, deterministic):
    """Seconds a step, and to write a state."""
    times, used = [], []

    def note(done, total):
        times.append(time.perf_counter())
        used.append(time.process_time())

    with tempfile.TemporaryDirectory() as folder:
        config = TrainConfig(
            data=data,
            model=model,
            image_size=int(image_size),
            batch_size=int(batch_size),
            epochs=1,
            steps_per_epoch=int(steps),
            deterministic=bool(int(deterministic)),
        )
        trained = train(config, folder, progress=note, report=lambda line: None)
        begin = time.perf_counter()
        for _ in range(3):
            write_state(Path(folder, "state.npz"), trained, Progress())
        written = (time.perf_counter() - begin) / 3
        megabytes = Path(folder, "state.npz").stat().st_size / 1e6
    durations = [after - before for before, after in itertools.pairwise(times[10:])]
    return {
        "step": statistics.median(durations),
        "processor": (used[-1] - used[10]) / len(durations),
        "written": written,
        "megabytes": megabytes,
    }


PARTS = {"peak": measure_peak, "steps": measure_steps, "profile": measure_profile, "states": measure_states}

if __name__ == "__main__":
    print(json.dumps(PARTS[sys.argv[1]](*sys.argv[2:])))
