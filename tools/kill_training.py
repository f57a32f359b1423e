"""Kill densecolor-train at random moments, resume it each time, and compare with a run that was left alone.

    python tools/kill_training.py DATA [--kills 5] [--seed 0] [--model unet] [--epochs 6] [--save-every 3]

Kills are SIGKILL, within half the time that the undisturbed training took, counted from when the model is built.
Both runs are deterministic; exits with 1 where any bit of the weights of best.keras and final.keras, of the optimizer
in the last state, or any character of history.csv differs.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import h5py

COMMAND = [sys.executable, "-c", "from densecolor.cli.train import main; main()"]
SMALL = ["-o", "filters=[4,8]", "--batch-size", "4", "--image-size", "32"]


def contents(run):
    """All that a run has learned, as a dict of name to bytes or text."""
    found = {"history.csv": (run / "history.csv").read_text()}
    for name in ("best.keras", "final.keras"):
        with zipfile.ZipFile(run / name) as archive, h5py.File(archive.open("model.weights.h5")) as file:
            file.visititems(lambda key, item, name=name: found.update(_value(f"{name}:{key}", item)))
    with zipfile.ZipFile(run / "last" / "state.npz") as archive:
        found |= {name: archive.read(name) for name in archive.namelist()}
    return found


def _value(name, item):
    return {name: item[()].tobytes()} if isinstance(item, h5py.Dataset) else {}


def start(command):
    """Start a command and wait until its model is built; returns the process."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "epochs to go" in line:
            return process, line.strip()
    sys.exit(f"{command} did not begin to train")


def run_and_kill(command, seconds):
    """Start a command and kill it so many seconds after its model is built; returns whether it had ended by then."""
    process, plan = start(command)
    try:
        process.communicate(timeout=seconds)
        return process.returncode == 0
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        print(f"killed after {seconds:.2f} s of: {plan}", flush=True)
        return False


def main():
    """Print what happened."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default="unet")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--save-every", type=int, default=3)
    arguments = parser.parse_args()
    moments = random.Random(arguments.seed)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    options = ["--deterministic", "--model", arguments.model, *(SMALL if arguments.model == "unet" else [])]
    options += ["--epochs", str(arguments.epochs), "--save-every", str(arguments.save_every)]
    with tempfile.TemporaryDirectory() as scratch:
        whole, killed = Path(scratch, "whole"), Path(scratch, "killed")
        process, plan = start([*COMMAND, arguments.data, str(whole), *options])
        begin = time.perf_counter()
        process.communicate()
        seconds = time.perf_counter() - begin
        print(f"undisturbed: {seconds:.1f} s of {plan}", flush=True)
        kills = 0
        while kills < arguments.kills:
            if run_and_kill(
                [*COMMAND, arguments.data, str(killed), "--resume", *options], moments.uniform(0, seconds / 2)
            ):
                subprocess.run(["rm", "-r", str(killed)], check=True)  # done before all kills: once more from the start
                continue
            kills += 1
        subprocess.run([*COMMAND, arguments.data, str(killed), "--resume"], check=True, stderr=subprocess.DEVNULL)
        expected, got = contents(whole), contents(killed)
        different = sorted(name for name in expected | got if expected.get(name) != got.get(name))
        print(f"DIFFERENT: {different[:10]}" if different else f"identical: {len(expected)} arrays and texts")
        sys.exit(bool(different))


if __name__ == "__main__":
    main()
