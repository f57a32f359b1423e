"""How much of a training step is spent waiting for data.

    python tools/benchmark_feeding.py PACKED [--image-size 256] [--batch-size 32] [--seconds 8]
    python tools/benchmark_feeding.py PACKED --model unet [--image-size 64]

Without --model, the step is as long as on a device that takes so many images a second and leaves the processor alone:
it sleeps. The first line is for a step that does nothing, which waits all the time: its rate is what the reader gives.
With --model, the step is a real one of that model on this machine, which the reader has to share.
"""

import argparse
import time

from densecolor.dataset import ShardDataset
from densecolor.dataset import load

RATES = (None, 250, 500, 1000, 2000)  # images a second of the device; None for no step


def shares(batches, step, seconds):
    """Run steps for some seconds after ten to begin with.

    Returns:
        (share of the time that was spent waiting for data, steps a second).
    """
    batches = iter(batches)
    for _ in range(10):
        step(next(batches))
    begin, waited, count = time.perf_counter(), 0.0, 0
    while (now := time.perf_counter()) < begin + seconds:
        batch = next(batches)
        waited += time.perf_counter() - now
        step(batch)
        count += 1
    elapsed = time.perf_counter() - begin
    return waited / elapsed, count / elapsed


def of_keras(dataset):
    """The batches of a ShardDataset for ever, read ahead by its workers as in `fit`."""
    from keras.src.trainers.data_adapters import py_dataset_adapter

    adapter = py_dataset_adapter.PyDatasetAdapter(dataset, shuffle=False)
    while True:
        yield from adapter.get_numpy_iterator()
        adapter.on_epoch_end()


def main():
    """Print a line for each rate, or for the model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packed")
    parser.add_argument("--image-size", type=int)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--model")
    arguments = parser.parse_args()
    options = {"image_size": arguments.image_size, "augment": True}
    sources = {
        "load": load(arguments.packed, batch_size=arguments.batch_size, repeat=True, **options),
        "ShardDataset": of_keras(ShardDataset(arguments.packed, batch_size=arguments.batch_size, **options)),
    }
    if arguments.model:
        import densecolor

        model = densecolor.models.create(arguments.model)
        model.compile("adam", loss=densecolor.losses.default_losses(model.output_names))
        for name, batches in sources.items():
            waiting, rate = shares(batches, lambda batch: model.train_on_batch(*batch), arguments.seconds)
            print(f"{name:13} {arguments.model}: waits {waiting:.2%} of the time, {1000 / rate:.0f} ms a step")
        return
    for name, batches in sources.items():
        for rate in RATES:
            pause = arguments.batch_size / rate if rate else 0
            waiting, steps = shares(batches, lambda batch, pause=pause: time.sleep(pause), arguments.seconds)
            device = f"{rate:5} images/s" if rate else "no step"
            print(
                f"{name:13} {device:15} waits {waiting:7.2%} of the time, {steps * arguments.batch_size:,.0f} images/s"
            )


if __name__ == "__main__":
    main()
