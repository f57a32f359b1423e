"""How much faster a koalarization model trains on stored embeddings than with its network beside it.

    python tools/benchmark_embedding.py [--sizes 64 224] [--batch-size 8] [--steps 5]

Steps of both kinds take turns, so that other work on the machine meets both. Weights and pictures are random.
"""

import argparse
import statistics
import time

import keras
import numpy as np

from densecolor import models


def seconds_a_step(sides, batch_size, steps):
    """Median seconds of a training step: dict of (side, embedding_input) to float."""
    compiled = {}
    for embedding_input in (False, True):
        compiled[embedding_input] = models.create("koalarization", embedding_input=embedding_input)
        compiled[embedding_input].compile("adam", models.losses.default_losses(["ab"]), jit_compile=False)
    medians = {}
    for side in sides:
        times = {False: [], True: []}
        for step in range(steps + 1):
            for embedding_input, model in compiled.items():
                began = time.perf_counter()
                model.train_on_batch(*_batch(side, batch_size, embedding_input))
                if step:  # the first one builds the graph
                    times[embedding_input].append(time.perf_counter() - began)
        medians |= {(side, which): statistics.median(values) for which, values in times.items()}
    return medians


def _batch(side, batch_size, with_embedding):
    random = np.random.default_rng(0)
    inputs = {"lightness": random.uniform(-1, 1, (batch_size, side, side, 1)).astype(np.float32)}
    if with_embedding:
        inputs["embedding"] = random.normal(size=(batch_size, 1000)).astype(np.float32)
    return inputs, {"ab": random.uniform(-0.5, 0.5, (batch_size, side, side, 2)).astype(np.float32)}


def main():
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 224])
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--steps", type=int, default=5)
    arguments = parser.parse_args()
    medians = seconds_a_step(arguments.sizes, arguments.batch_size, arguments.steps)
    print(
        f"Keras {keras.__version__} on {keras.backend.backend()}, pictures a second, medians of {arguments.steps} steps"
    )
    print("| side | with the network | on embeddings | times |")
    print("|---|---|---|---|")
    for side in arguments.sizes:
        slow, fast = (arguments.batch_size / medians[side, which] for which in (False, True))
        print(f"| {side} | {slow:.1f} | {fast:.1f} | {fast / slow:.1f} |")


if __name__ == "__main__":
    main()
