"""What a deterministic run and its saved states cost, beside a plain run, each in a process of its own, in turn.

    python tools/benchmark_training.py DATA [--model unet] [--image-size 64] [--batch-size 16] [--steps 60] [--rounds 3]

Prints the median time of a step after the first ten, the mean processor time, which other work on the machine disturbs
less, and the time to write a state.
"""

import argparse
import statistics
import subprocess
import sys

RUN = """
import statistics, sys, tempfile, time
from pathlib import Path
from densecolor.training import TrainConfig, train
from densecolor.training.state import Progress, write_state
data, model, image_size, batch_size, steps, deterministic = sys.argv[1:]
times, used = [], []
def note(done, total):
    times.append(time.perf_counter())
    used.append(time.process_time())
with tempfile.TemporaryDirectory() as folder:
    config = TrainConfig(data=data, model=model, image_size=int(image_size), batch_size=int(batch_size), epochs=1,
                         steps_per_epoch=int(steps), deterministic=bool(int(deterministic)))
    trained = train(config, folder, progress=note, report=str)
    begin = time.perf_counter()
    for _ in range(3):
        write_state(Path(folder, "state.npz"), trained, Progress())
    written = (time.perf_counter() - begin) / 3
    megabytes = Path(folder, "state.npz").stat().st_size / 1e6
durations = [after - before for before, after in zip(times[10:], times[11:])]
print(statistics.median(durations), (used[-1] - used[10]) / len(durations), written, megabytes)
"""


def main():
    """Print a line for each way to run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--model", default="unet")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    settings = [arguments.data, arguments.model, arguments.image_size, arguments.batch_size, arguments.steps]
    results = {0: [], 1: []}
    for _ in range(arguments.rounds):
        for deterministic, found in results.items():
            command = [sys.executable, "-c", RUN, *map(str, settings), str(deterministic)]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            found.append([float(value) for value in output.stdout.split()])
    for deterministic, found in results.items():
        step, processor, written, megabytes = (statistics.median(values) for values in zip(*found, strict=True))
        steps = ", ".join(f"{1000 * values[0]:.1f}" for values in found)
        print(
            f"{'deterministic' if deterministic else 'plain'}: {1000 * step:.1f} ms a step (rounds: {steps}), "
            f"{1000 * processor:.1f} ms of processor time, "
            f"{1000 * written:.0f} ms for a state of {megabytes:.1f} MB"
        )


if __name__ == "__main__":
    main()
