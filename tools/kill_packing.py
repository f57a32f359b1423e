"""Kill densecolor-pack at random moments, give the same command again each time, and compare with an undisturbed run.

    python tools/kill_packing.py SOURCE [--kills 20] [--image-size 64] [--seed 0]

Kills are SIGKILL to the whole process group, at moments drawn from the length of the undisturbed run. Exits with 1
where any dataset of any shard, the manifest's lists or rejected.csv differ.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py

from densecolor.shards import read_manifest
from densecolor.shards import verify

COMMAND = [sys.executable, "-c", "from densecolor.cli.pack import main; main()"]


def contents(out):
    """All that a packed folder says, but for the bytes that LZF leaves to chance."""
    shards = {}
    for path in sorted(out.glob("*.h5")):
        with h5py.File(path) as file:
            shards[path.name] = dict(file.attrs), {name: data[()].tobytes() for name, data in file.items()}
    manifest = read_manifest(out)
    counts = [(shard.name, shard.split, shard.count) for shard in manifest.shards]
    return shards, counts, manifest.options, manifest.class_names, (out / "rejected.csv").read_bytes()


def run_and_kill(command, seconds):
    """Start a command and kill it after so many seconds; returns whether it had ended by then."""
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        return process.wait(seconds) == 0
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return False


def main():
    """Print what happened."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    moments = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as scratch:
        whole, killed = Path(scratch, "whole"), Path(scratch, "killed")
        command = [*COMMAND, arguments.source, "--image-size", str(arguments.image_size)]
        start = time.perf_counter()
        subprocess.run([*command, str(whole)], check=True, stderr=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        print(f"undisturbed: {seconds:.1f} s, {read_manifest(whole).count()} pictures")
        kills = 0
        while kills < arguments.kills:
            moment = moments.uniform(0, seconds)
            if run_and_kill([*command, str(killed)], moment):
                subprocess.run(["rm", "-r", str(killed)], check=True)  # done before all kills: once more from the start
                continue
            kills += 1
            print(f"killed after {moment:.2f} s; {len(list(killed.glob('*.h5')))} shards are done")
        subprocess.run([*command, str(killed)], check=True)
        same = contents(whole) == contents(killed) and not verify(killed)
        print("identical" if same else "DIFFERENT")
        sys.exit(not same)


if __name__ == "__main__":
    main()
