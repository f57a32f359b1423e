"""What training steps of dense blocks cost, in time and memory; and what saved states cost.

    python tools/benchmark_training.py steps [--settings 64:16 256:2] [--dtypes float32 mixed_bfloat16] [--steps 5]
    python tools/benchmark_training.py profile [--settings 64:16]
    python tools/benchmark_training.py states DATA [--model unet] [--image-size 64] [--batch-size 16] [--steps 60]

`steps` trains the dense blocks of `dense` without classes and with 6 layers a block: a 3x3 convolution to 24 channels,
four blocks with growth rate 12, transitions to half of the channels after three of them, a 3x3 convolution to two. Each
way runs in a process of its own and its steps are timed one by one, the first two left out. Memory is the highest that
the process had, above what it had with TensorFlow and the network loaded. The share of the peak is that of the
arithmetic of the convolutions, forward and backward, at the rate of products of 2048 x 2048 float32 matrices in the
same run.

`profile` says for each kind of operation how much time it takes in a step. Of operations that run at the same time each
counts.

`states` compares a deterministic run and a plain one: the median time of a step after the first ten, the mean processor
time, which other work on the machine disturbs less, and the time to write a state.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

WAYS = ("plain", "memory_efficient")
PARTS = Path(__file__).parent / "training_benchmarks.py"


def main():
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, function in (("steps", print_steps), ("profile", print_profile)):
        command = commands.add_parser(name)
        command.set_defaults(run=function)
        command.add_argument("--settings", nargs="+", default=["64:16", "256:2"], help="side of a picture : batch")
        command.add_argument("--dtypes", nargs="+", default=["float32", "mixed_bfloat16"])
        command.add_argument("--ways", nargs="+", default=WAYS, choices=WAYS)
        command.add_argument("--steps", type=int, default=5)
    command = commands.add_parser("states")
    command.set_defaults(run=print_states)
    command.add_argument("data")
    command.add_argument("--model", default="unet")
    command.add_argument("--image-size", type=int, default=64)
    command.add_argument("--batch-size", type=int, default=16)
    command.add_argument("--steps", type=int, default=60)
    command.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    arguments.run(arguments)


def print_steps(arguments):
    """A line for each setting, number type and way."""
    peak = measure("peak")
    print(f"matrix products: {peak['float32']:.0f} GFLOP/s float32, {peak['bfloat16']:.0f} GFLOP/s bfloat16")
    heads = ("side, batch", "numbers", "way", "s a step (least; processor)", "images/s", "of the peak", "GB above base")
    print(f"| {' | '.join(heads)} | speed of plain (by processor) | memory of plain |")
    print("|---" * 9 + "|")
    for setting in arguments.settings:
        side, batch = map(int, setting.split(":"))
        for dtype in arguments.dtypes:
            plain = None
            for way in arguments.ways:
                found = measure("steps", way, dtype, side, batch, arguments.steps)
                plain = plain or found
                rate = batch / found["median"]
                share = found["gflop"] * rate / peak["float32"]
                faster, by_processor = (plain[key] / found[key] for key in ("median", "processor"))
                print(
                    f"| {side}, {batch} | {dtype} | {way} "
                    f"| {found['median']:.2f} ({found['least']:.2f}; {found['processor']:.2f}) "
                    f"| {rate:.2f} | {share:.0%} | {found['gigabytes']:.2f} | {faster:.2f} ({by_processor:.2f}) "
                    f"| {found['gigabytes'] / plain['gigabytes']:.0%} |",
                    flush=True,
                )
    again = measure("peak")
    print(f"and at the end: {again['float32']:.0f} GFLOP/s float32, {again['bfloat16']:.0f} GFLOP/s bfloat16")


def print_profile(arguments):
    """For each way, milliseconds of a step by kind of operation."""
    for setting in arguments.settings:
        side, batch = map(int, setting.split(":"))
        for dtype in arguments.dtypes:
            for way in arguments.ways:
                found = measure("profile", way, dtype, side, batch, arguments.steps)
                print(f"{side} x {side}, batch {batch}, {dtype}, {way}: {found['seconds']:.2f} s a step")
                print(f"  {sum(found['operations'].values()):.0f} ms in all operations")
                for name, milliseconds in sorted(found["operations"].items(), key=lambda row: -row[1])[:10]:
                    print(f"  {milliseconds:8.1f}  {name}")


def print_states(arguments):
    """A line for each way to run."""
    settings = [arguments.data, arguments.model, arguments.image_size, arguments.batch_size, arguments.steps]
    results = {0: [], 1: []}
    for _ in range(arguments.rounds):
        for deterministic, found in results.items():
            found.append(measure("states", *settings, deterministic))
    for deterministic, found in results.items():
        step, processor, written, megabytes = (
            statistics.median(values[key] for values in found) for key in ("step", "processor", "written", "megabytes")
        )
        steps = ", ".join(f"{1000 * values['step']:.1f}" for values in found)
        print(
            f"{'deterministic' if deterministic else 'plain'}: {1000 * step:.1f} ms a step (rounds: {steps}), "
            f"{1000 * processor:.1f} ms of processor time, "
            f"{1000 * written:.0f} ms for a state of {megabytes:.1f} MB"
        )


def measure(*command):
    """Run a part of `training_benchmarks.py` in a process of its own.

    Returns:
        dict, what it printed as JSON.
    """
    output = subprocess.run(
        [sys.executable, str(PARTS), *map(str, command)], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ).stdout
    return json.loads(output)


if __name__ == "__main__":
    main()
