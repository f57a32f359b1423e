"""Train the model that comes with the package, as its configuration says: stages that each last a number of minutes.

    python tools/train_default.py tools/configs/default.json --photographs IMAGENET_SAMPLE \
        --tiny-imagenet tiny-imagenet-200.zip --out runs/default

The photographs of tools/configs/held_out_photographs.txt are left out. The learning rate follows the clock, so that
training ends when it should on a machine that does other work too; how many steps that were is in `progress.json`.
Stopped in any way, the same command goes on from the last state; the result is `OUT/averaged.keras`.
"""

import argparse
import json
import math
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from densecolor.atomic import partial_path
from densecolor.atomic import write_atomically
from densecolor.checkpoint import save_model
from densecolor.dataset import load
from densecolor.losses import default_losses
from densecolor.models import create
from densecolor.packing import pack
from densecolor.training.averages import averaged_weights

HELD_OUT = Path(__file__).parent / "configs" / "held_out_photographs.txt"
STEPS_AT_ONCE = 50  # between two looks at the clock for a state
SECONDS_BETWEEN_STATES = 120


def main():
    """Pack what is not packed yet, then train all stages."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("config", type=Path)
    parser.add_argument(
        "--photographs", type=Path, required=True, help="folder of class folders, of which 200 are kept out"
    )
    parser.add_argument("--tiny-imagenet", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    config = json.loads(arguments.config.read_text())
    arguments.out.mkdir(parents=True, exist_ok=True)
    sources = {"photographs": training_list(arguments.photographs, arguments.out), "tiny": arguments.tiny_imagenet}
    keras.utils.set_random_seed(config["seed"])
    model = create(config["model"], **config["model_options"])
    state = State(arguments.out)
    for number, stage in enumerate(config["stages"]):
        if number < state.progress["stage"]:
            continue
        folders = [packed(sources[name], name, size, arguments) for name, size in stage["pictures"]]
        train_stage(model, stage, folders, state, config["seed"] + number)
        state.end_stage(model)
    save_model(model, arguments.out / "averaged.keras")


def training_list(folder, out):
    """Write the list of the photographs that are trained on, for densecolor-pack."""
    held_out = set(HELD_OUT.read_text().split())
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.JPEG"))
    path = out / "photographs.txt"
    write_atomically(path, "".join(f"{name} -1\n" for name in names if name not in held_out))
    return path


def packed(source, name, size, arguments):
    """The packed folder of a source at a size, made where it is not there."""
    folder = arguments.out / f"{name}{size}"
    if not (folder / "manifest.json").exists():
        root = arguments.photographs if name == "photographs" else None
        pack(source, folder, root=root, image_size=size, compression="none", workers=1)
    return folder


class State:
    """How far training is, on disk: weights, the optimizer's variables, and the clock.

    Args:
        folder: where it lies.
    """

    def __init__(self, folder):
        self.variables = folder / "state.npz"
        self.record = folder / "progress.json"
        self.progress = {"stage": 0, "seconds": 0.0, "steps": 0, "stages": []}
        if self.variables.exists():
            with np.load(self.variables) as file:
                self.progress = json.loads(str(file["progress"]))

    def restore(self, model, with_optimizer=True):
        """Put the stored variables into a model, those of the optimizer only if the stage goes on."""
        if not self.variables.exists():
            return
        with np.load(self.variables) as file:
            model.set_weights([file[f"weight{index}"] for index in range(len(model.weights))])
            if with_optimizer and "variable0" in file:
                for index, variable in enumerate(model.optimizer.variables):
                    variable.assign(file[f"variable{index}"])

    def save(self, model, optimizer=True):
        """Write all in one file, which is whole or not there."""
        arrays = {f"weight{index}": weight for index, weight in enumerate(model.get_weights())}
        if optimizer:
            arrays |= {f"variable{index}": np.array(value) for index, value in enumerate(model.optimizer.variables)}
        partial = partial_path(self.variables)
        with open(partial, "wb") as file:
            np.savez(file, progress=json.dumps(self.progress), **arrays)
        partial.replace(self.variables)
        write_atomically(self.record, json.dumps(self.progress, indent=1) + "\n")

    def end_stage(self, model):
        """The next stage begins with a new optimizer."""
        done = {"seconds": round(self.progress["seconds"]), "steps": self.progress["steps"]}
        self.progress = {
            "stage": self.progress["stage"] + 1,
            "seconds": 0.0,
            "steps": 0,
            "stages": [*self.progress["stages"], done],
        }
        self.save(model, optimizer=False)


def train_stage(model, stage, folders, state, seed):
    """Train until the stage's minutes are over; the model then has the averaged weights."""
    optimizer = keras.optimizers.Adam(
        stage["learning_rate"],
        global_clipnorm=1.0,
        use_ema=True,
        ema_momentum=stage["ema"],
        ema_overwrite_frequency=None,
    )
    model.compile(
        optimizer,
        loss=default_losses(model.output_names) | model.own_losses,
        loss_weights=model.output_weights or None,
        jit_compile=False,
    )
    optimizer.build(model.trainable_variables)
    state.restore(model, with_optimizer=state.progress["steps"] > 0)
    batches = [
        load(
            folder,
            "train",
            batch_size=stage["batch_size"],
            augment=True,
            seed=seed + 100 * index,
            targets=model.output_names,
            repeat=True,
            start_step=state.progress["steps"] // len(folders),
        )
        for index, folder in enumerate(folders)
    ]
    if len(batches) > 1:
        batches = [tf.data.Dataset.choose_from_datasets(batches, tf.data.Dataset.range(len(batches)).repeat())]
    clock = FollowClock(stage, state)
    model.fit(batches[0], epochs=1_000_000, steps_per_epoch=STEPS_AT_ONCE, verbose=0, callbacks=[clock], shuffle=False)
    with averaged_weights(model):
        weights = model.get_weights()
    model.set_weights(weights)


class FollowClock(keras.callbacks.Callback):
    """A short rise of the learning rate, then a cosine over the stage's minutes, then the end; and the states.

    Args:
        stage: dict of the configuration.
        state: `State`.
    """

    def __init__(self, stage, state):
        super().__init__()
        self.stage, self.state = stage, state
        self.before = state.progress["seconds"]
        self.began = self.saved = time.monotonic()

    def on_train_batch_begin(self, batch, logs=None):
        """Set the rate by the share of the time that is over."""
        share = min(self._seconds() / (60 * self.stage["minutes"]), 1.0)
        rise = min((self.state.progress["steps"] + 1) / self.stage["warmup_steps"], 1.0)
        self.model.optimizer.learning_rate = self.stage["learning_rate"] * rise * (1 + math.cos(math.pi * share)) / 2

    def on_train_batch_end(self, batch, logs=None):
        """Count, and end in time."""
        self.state.progress["steps"] += 1
        if self._seconds() >= 60 * self.stage["minutes"]:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        """Tell the losses; keep a state and the average every few minutes."""
        progress = self.state.progress
        progress["seconds"] = self._seconds()
        shown = " ".join(f"{name} {value:.5f}" for name, value in logs.items())
        print(f"stage {progress['stage']} step {progress['steps']} {progress['seconds']:.0f} s {shown}", flush=True)
        if time.monotonic() - self.saved > SECONDS_BETWEEN_STATES:
            self.state.save(self.model)
            with averaged_weights(self.model):
                save_model(self.model, self.state.variables.with_name("averaged.keras"))
            self.saved = time.monotonic()

    def _seconds(self):
        return self.before + time.monotonic() - self.began


if __name__ == "__main__":
    main()
