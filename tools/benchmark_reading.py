"""Images a second that each way of reading photographs for training gives, and what memory reading takes.

    python tools/benchmark_reading.py PHOTOGRAPHS [--image-size 256] [--batch-size 32] [--seconds 6] [--rounds 3]
    python tools/benchmark_reading.py --memory PACKED --shards 2,40

PHOTOGRAPHS is a folder of JPEGs in subfolders. It is packed twice, with lzf and without compression, and written into
TFRecords; all files then come from the page cache. Every way gives shuffled float32 batches of lightness and ab, in a
process of its own, in turn. Beside the rate stands the processor time an image, which other work on the machine
disturbs less. With --memory, one epoch is read from so many shards of a packed folder, and the process's resident
memory is given after ten batches and at its peak.
"""

import argparse
import concurrent.futures
import contextlib
import dataclasses
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from densecolor.cores import available_cores

WAYS = {
    "directory": "image_dataset_from_directory, Lab in TensorFlow",
    "tfrecords": "TFRecords of JPEGs, the same",
    "h5py": "h5py, picture by picture, lzf",
    "load_lzf": "densecolor.dataset.load, lzf",
    "threads_lzf": "ShardDataset's batches in threads, lzf",
    "bytes_lzf": "limit: the stored bytes of lzf",
    "load_none": "densecolor.dataset.load, uncompressed",
    "threads_none": "ShardDataset's batches in threads, uncompressed",
    "bytes_none": "limit: the stored bytes, uncompressed",
}


def to_lab(rgb):
    """Pixels in [0, 255], a TensorFlow tensor, as a model's lightness and ab."""
    import tensorflow as tf

    rgb = rgb / 255.0
    linear = tf.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    to_xyz = [[0.4124564, 0.2126729, 0.0193339], [0.3575761, 0.7151522, 0.1191920], [0.1804375, 0.0721750, 0.9503041]]
    xyz = tf.tensordot(linear, tf.constant(to_xyz) / [0.95047, 1.0, 1.08883], 1)
    f = tf.where(xyz > 216 / 24389, xyz ** (1 / 3), (24389 / 27 * xyz + 16) / 116)
    x, y, z = tf.unstack(f, axis=-1)
    return (116 * y[..., None] - 16) / 50 - 1, tf.stack([500 * (x - y), 200 * (y - z)], -1) / 128


def directory(work, size, batch_size):
    """Batches of the folder of photographs, as Keras reads it."""
    import keras
    import tensorflow as tf

    folder = (work / "photographs").resolve()
    images = keras.utils.image_dataset_from_directory(
        folder, labels=None, image_size=(size, size), batch_size=batch_size, crop_to_aspect_ratio=True, verbose=False
    )
    return images.map(to_lab, tf.data.AUTOTUNE).repeat().prefetch(tf.data.AUTOTUNE)


def write_tfrecords(work, photographs):
    """The photographs' bytes in files of 256."""
    import tensorflow as tf

    paths = sorted(photographs.glob("*/*"))
    for number, start in enumerate(range(0, len(paths), 256)):
        with tf.io.TFRecordWriter(str(work / f"{number}.tfrecord")) as writer:
            for path in paths[start : start + 256]:
                writer.write(path.read_bytes())


def tfrecords(work, size, batch_size):
    """Batches of the TFRecords; the order is shuffled in a buffer of 256."""
    import tensorflow as tf

    def decode(data):
        image = tf.io.decode_jpeg(data, 3)
        height, width = tf.shape(image)[0], tf.shape(image)[1]
        side = tf.minimum(height, width)
        image = tf.image.crop_to_bounding_box(image, (height - side) // 2, (width - side) // 2, side, side)
        return to_lab(tf.image.resize(image, (size, size)))

    files = tf.data.Dataset.from_tensor_slices(sorted(map(str, work.glob("*.tfrecord")))).repeat().shuffle(8)
    records = files.interleave(tf.data.TFRecordDataset, 2, num_parallel_calls=tf.data.AUTOTUNE).shuffle(256)
    return records.map(decode, tf.data.AUTOTUNE).batch(batch_size).prefetch(tf.data.AUTOTUNE)


def h5py_loop(work, size, batch_size):
    """Batches of a loop as one would write it."""
    import h5py

    with contextlib.ExitStack() as stack:
        shards = [stack.enter_context(h5py.File(path)) for path in sorted((work / "lzf").glob("train-*.h5"))]
        places = np.array([(n, i) for n, shard in enumerate(shards) for i in range(len(shard["L"]))])
        for epoch in itertools.count():
            order = np.random.default_rng(epoch).permutation(places)
            for start in range(0, len(order) - batch_size + 1, batch_size):
                chosen = order[start : start + batch_size]
                lightness = np.stack([shards[n]["L"][i] for n, i in chosen])
                ab = np.stack([shards[n]["ab"][i] for n, i in chosen])
                yield lightness[..., None].astype(np.float32) / 127.5 - 1, ab.astype(np.float32) / 128


def in_threads(make, count_ahead=None):
    """Results of `make(step)` for step 0, 1, ..., made by as many threads as there are cores."""
    cores = available_cores()
    with concurrent.futures.ThreadPoolExecutor(cores) as pool:
        waiting = [pool.submit(make, step) for step in range(count_ahead or 2 * cores)]
        for step in itertools.count(len(waiting)):
            yield waiting.pop(0).result()
            waiting.append(pool.submit(make, step))


def load(folder, batch_size):
    """Batches of `densecolor.dataset.load`."""
    from densecolor.dataset import load as load_packed

    return load_packed(folder, "train", batch_size, repeat=True)


def threads(folder, batch_size):
    """What a ShardDataset does for a batch."""
    from densecolor.dataset.batches import BatchReader
    from densecolor.dataset.batches import model_values

    reader = BatchReader(folder, "train", batch_size)
    return in_threads(lambda step: model_values(reader.read(*divmod(step, reader.steps)), reader.targets))


def stored_bytes(folder, batch_size):
    """Only the reads that shuffled pictures take, in parts of the size of a stored picture's data."""
    chunks = []
    import h5py

    for path in sorted(folder.glob("train-*.h5")):
        with h5py.File(path) as file:
            for index in range(len(file["L"])):
                parts = []
                for name in ("L", "ab"):
                    dataset = file[name]
                    if dataset.chunks:
                        chunk = dataset.id.get_chunk_info(index)
                        parts.append((chunk.byte_offset, chunk.size))
                    else:
                        size = dataset[0].nbytes
                        parts.append((dataset.id.get_offset() + index * size, size))
                chunks.append((path, parts))
    files = {path: os.open(path, os.O_RDONLY) for path, _ in chunks}

    def make(step):
        for place in np.random.default_rng(step).integers(0, len(chunks), batch_size):
            path, parts = chunks[place]
            for offset, size in parts:
                os.preadv(files[path], [np.empty(size, np.uint8)], offset)
        return [np.empty(batch_size)]

    return in_threads(make)


def measure(way, work, size, batch_size, seconds):
    """Images a second, and seconds of processor time an image."""
    kind, _, packed = way.partition("_")
    if packed:
        batches = {"load": load, "threads": threads, "bytes": stored_bytes}[kind](work / packed, batch_size)
    else:
        batches = {"directory": directory, "tfrecords": tfrecords, "h5py": h5py_loop}[way](work, size, batch_size)
    batches = iter(batches)
    for _ in range(6):
        next(batches)
    begin, used, count = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() < begin + seconds:
        next(batches)
        count += batch_size
    return count / (time.perf_counter() - begin), (time.process_time() - used) / count


def prepare(photographs, work, size):
    """Pack the photographs and write them into TFRecords, unless an earlier run has."""
    import densecolor

    if (work / "photographs").exists():
        return
    for compression in ("lzf", "none"):
        options = {"image_size": size, "compression": compression, "validation_fraction": 0.0}
        densecolor.pack(photographs, work / compression, **options)
    write_tfrecords(work, photographs)
    (work / "photographs").symlink_to(photographs.resolve())


def compare(arguments):
    """Prepare the data, and print a line for each way."""
    with contextlib.ExitStack() as stack:
        work = arguments.work or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        prepare(arguments.photographs, work, arguments.image_size)
        results = {way: [] for way in WAYS}
        for _ in range(arguments.rounds):
            for way, found in results.items():
                command = [sys.executable, __file__, "--way", way, "--work", work, "--seconds", arguments.seconds]
                command += ["--image-size", arguments.image_size, "--batch-size", arguments.batch_size]
                output = subprocess.run(
                    list(map(str, command)), check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
                )
                found.append([float(value) for value in output.stdout.split()[-2:]])
    baseline = statistics.median(rate for rate, _ in results["directory"])
    print(f"{'':50} images/s  times the first  processor ms an image")
    for way, found in results.items():
        rate, used = (statistics.median(values) for values in zip(*found, strict=True))
        rounds = ", ".join(f"{value:.0f}" for value, _ in found)
        print(f"{WAYS[way]:50} {rate:8,.0f}  {rate / baseline:15.1f}  {1000 * used:8.2f}   (rounds: {rounds})")


def resident():
    """Megabytes of resident memory, now and at the peak."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return [int(status[key].split()[0]) / 1000 for key in ("VmRSS", "VmHWM")]


def measure_memory(packed, count, batch_size):
    """Read an epoch from the first shards of a packed folder; megabytes after ten batches and at the peak."""
    from densecolor.shards import read_manifest
    from densecolor.shards import write_manifest

    with tempfile.TemporaryDirectory() as folder:
        manifest = read_manifest(packed)
        shards = [shard for shard in manifest.shards if shard.split == "train"][:count]
        for shard in shards:
            (Path(folder) / shard.name).symlink_to((packed / shard.name).resolve())
        write_manifest(folder, dataclasses.replace(manifest, shards=shards))
        batches = iter(load(folder, batch_size))
        steps = -(-sum(shard.count for shard in shards) // batch_size)
        for step in range(steps):
            next(batches)
            if step == 10:
                early = resident()[0]
        return len(shards), steps * batch_size, early, resident()[1]


def main():
    """Print the comparison, or what memory reading takes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path, nargs="?")
    parser.add_argument("--image-size", type=int, default=256)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--work", type=Path, help="where the packed data go, and are taken from if they are there already"
    )
    parser.add_argument("--memory", type=Path, metavar="PACKED")
    parser.add_argument("--shards", default="2,40")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way and arguments.memory:
        print(*measure_memory(arguments.memory, int(arguments.way), arguments.batch_size))
    elif arguments.way:
        way, size = arguments.way, arguments.image_size
        print(*measure(way, arguments.work, size, arguments.batch_size, arguments.seconds), flush=True)
        os._exit(0)  # the baselines read ahead too, and would not end
    elif arguments.memory:
        for count in arguments.shards.split(","):
            command = [sys.executable, __file__, "--memory", str(arguments.memory), "--way", count]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            shards, images, early, peak = map(float, output.stdout.split()[-4:])
            print(
                f"{shards:.0f} shards, {images:,.0f} images: {early:.0f} MB after 10 batches, {peak:.0f} MB at the peak"
            )
    else:
        compare(arguments)


if __name__ == "__main__":
    main()
