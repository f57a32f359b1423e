"""One training function for every model and number of devices: `keras.Model.fit` with callbacks."""

import contextlib
import functools
import re

import keras
import tensorflow as tf

from densecolor.checkpoint import save_model
from densecolor.dataset import BatchReader
from densecolor.dataset import load
from densecolor.dataset.batches import model_values
from densecolor.errors import ShardError
from densecolor.errors import TrainingError
from densecolor.shards import read_manifest
from densecolor.training.adversarial import colorizer_of
from densecolor.training.adversarial import target_names
from densecolor.training.adversarial.callbacks import StartAdversary
from densecolor.training.adversarial.callbacks import WatchAdversary
from densecolor.training.adversarial.callbacks import describe_adversary
from densecolor.training.adversarial.scenes import PACKED_MASKS
from densecolor.training.averages import ValidateAverages
from densecolor.training.building import begin_with
from densecolor.training.building import build_compiled
from densecolor.training.building import fix_arithmetic
from densecolor.training.callbacks import ReportProgress
from densecolor.training.callbacks import SampleGrid
from densecolor.training.callbacks import StopOnNaN
from densecolor.training.cluster import find_cluster
from densecolor.training.early_stopping import EarlyStopping
from densecolor.training.interruption import Interruption
from densecolor.training.keep_state import FollowState
from densecolor.training.keep_state import KeepState
from densecolor.training.name_info_loss import NameInfoLoss
from densecolor.training.report_epochs import ReportEpochs
from densecolor.training.resumption import ResumedCallbacks
from densecolor.training.run_directory import RunDirectory
from densecolor.training.stored_embeddings import join_backbone
from densecolor.training.stored_embeddings import stored_branch
from densecolor.training.strategy import distribute
from densecolor.training.strategy import is_multiworker
from densecolor.training.strategy import open_strategy
from densecolor.training.strategy import share_of
from densecolor.training.tensorboard_images import TensorBoardImages
from densecolor.training.unpaired import training_batches


def train(config, run, resume=False, progress=None, report=print, note=None, cluster=None, worker_timeout=120):
    """Train a colorizer and keep everything in a run directory.

    Args:
        config: `TrainConfig`.
        run: the run directory (see `densecolor.training.run_directory`).
        resume: go on from the last state of the run that is there; the result is that of an uninterrupted run,
            to the bit with `deterministic`. Starts a new run where there is none.
        progress: function (done, total) called after each step, in steps of the whole run.
        report: function of one line of text; told the plan and the figures of each epoch.
        note: function of a short text, called after each step, before `progress`; told the running loss.
        cluster: `Cluster` of several workers that call `train` alike, each with its own index; they share a file
            system for `run`, and worker 0 alone writes there. None: what TF_CONFIG or SLURM say, if anything.
        worker_timeout: seconds to wait at the start until all workers are there.

    Returns:
        The trained `keras.Model`, as in `final.keras`: where a moving average is kept, with the averaged weights; where
        training ran on stored embeddings, without the network that makes them.

    Raises:
        FileNotFoundError, ShardError: the data is not there or damaged.
        TrainingError: the options do not fit each other, the directory or the data, another process is training into
            the directory, the loss diverged, or a worker did not answer. A worker that is lost during training ends the
            process; see docs/distributed.md.
        KeyboardInterrupt, SystemExit: on Ctrl-C or SIGTERM, after the step in work is done and the state is saved.
        CheckpointError: an argument of the model is beyond what a checkpoint may hold, so it could not be loaded again.

    Example:
        >>> config = TrainConfig(data="packed", model="dense_small", epochs=3, image_size=64)
        >>> model = train(config, "runs/first")
    """
    fix_arithmetic(config)
    splits = read_manifest(config.data).splits
    cluster = cluster or find_cluster(config.strategy)
    with open_strategy(config.strategy, config.batch_size, cluster, worker_timeout, report) as strategy:
        run = _Run(config, RunDirectory(run), splits, strategy, cluster, report)
        if run.is_chief:
            run.directory.check(config, resume)
        model = build_compiled(config, run.reader, run.steps, strategy)
        locked = run.directory.locked(config, resume) if run.is_chief else contextlib.nullcontext()
        with locked, Interruption() as interruption:
            run.fit(model, interruption, progress, note)
            # `fit` has ended by putting the averaged weights into the model, where there are any.
            if run.is_chief:
                _save_final(colorizer_of(model), run.directory)
                if run.reader.embeddings is not None:
                    join_backbone(run.directory, config, report)
    return colorizer_of(model)


class _Run:
    """What the parts of one call of `train` share.

    Args:
        config: `TrainConfig`.
        directory: `RunDirectory`.
        splits: list of str, those that the data has.
        strategy: `tf.distribute.Strategy`.
        cluster: `Cluster`, or None.
        report: function of one line of text.

    Attributes:
        is_chief: whether this process writes the run directory.
        reader: `BatchReader` of the training pictures.
        steps: an epoch.
    """

    def __init__(self, config, directory, splits, strategy, cluster, report):
        self.config = config
        self.directory = directory
        self.splits = splits
        self.strategy = strategy
        self.cluster = cluster
        self.report = report
        self.is_chief = cluster is None or cluster.is_chief
        self.reader_options = {
            "image_size": config.image_size,
            "seed": config.seed,
            "on_damage": functools.cache(report) if config.skip_damaged else None,  # each damage once, whoever meets it
            "embedding": stored_branch(config),
            **share_of(cluster, config.batch_size, config.data_sharding),
        }
        self.reader = BatchReader(config.data, "train", **self.reader_options)
        self.steps = config.steps_per_epoch or self.reader.steps

    def fit(self, model, interruption, progress, note):
        """Train from where the run directory says that the run stands."""
        config, steps = self.config, self.steps
        reached = self.directory.read_progress()
        if config.start_from is not None and not reached.pictures:
            begin_with(colorizer_of(model), config.start_from)
        restore = self.directory.restore(model, reached) if reached.pictures else None
        self._report_plan(model, reached)
        reached.pictures, reached.step = self.reader.packed.count, min(reached.step, steps)
        done = reached.epoch * steps + reached.step
        options = {"targets": target_names(model), **self.reader_options}
        endless = {"augment": config.augment, "repeat": True, "start_step": done, **options}
        batches = distribute(self.strategy, functools.partial(training_batches, model, config, **endless))
        with reader_errors_in_one_line(), contextlib.ExitStack() as swapped:
            callbacks = [NameInfoLoss(), ValidateAverages(swapped), *self._callbacks(reached)]
            if progress or note:
                callbacks.append(ReportProgress(progress, done, config.epochs * steps, note))
            callbacks.append(self._keep_state(reached, interruption, callbacks))
            if reached.step and not is_multiworker(self.strategy):
                # Keras makes the variables of metrics when it first uses them.
                model.evaluate(batches, steps=1, verbose=0)
            model.fit(
                batches,
                **self._validation(options),
                epochs=reached.epoch if reached.stopped else config.epochs,
                initial_epoch=reached.epoch,
                steps_per_epoch=steps,
                shuffle=False,  # the data set has its own order
                callbacks=ResumedCallbacks(callbacks, model, reached, restore, epochs=config.epochs, steps=steps),
                verbose=0,
            )

    def _validation(self, options):
        """The arguments of `fit` about validation."""
        if "validation" not in self.splits:
            self.report(f"{self.config.data} has no validation split: the best epoch is chosen by the training error.")
            return {}
        options = options | self._validation_sharding()
        # Where data may end, the workers ask each other before every step whether all have one.
        endless = is_multiworker(self.strategy)
        return {
            "validation_data": distribute(
                self.strategy, functools.partial(load, self.config.data, "validation", repeat=endless, **options)
            ),
            "validation_steps": BatchReader(self.config.data, "validation", **options).steps,
        }

    def _validation_sharding(self):
        """A validation split is often a single shard; then its pictures are shared one by one."""
        workers = self.reader_options.get("worker_count", 1)
        shards = read_manifest(self.config.data).shards
        count = len([shard for shard in shards if shard.split == "validation" and shard.count])
        if workers == 1 or self.config.data_sharding == "element" or count >= workers:
            return {}
        self.report(f"The validation split has {count} shard(s) for {workers} workers: shared by element.")
        return {"sharding": "element"}

    def _report_plan(self, model, reached):
        pictures = self.reader.packed.count
        left = 0 if reached.stopped else self.config.epochs - reached.epoch
        after = f", the first after {reached.step:,} of its steps" if reached.step else ""
        worker, parameters = "", colorizer_of(model).count_params()
        if is_multiworker(self.strategy):
            worker = f", worker {self.cluster.index} of {len(self.cluster.workers)}"
        self.report(
            f"{self.config.model}: {parameters:,} parameters; {pictures:,} pictures, {self.steps:,} steps an "
            f"epoch, {left} epochs to go{after} on {self.strategy.num_replicas_in_sync} device(s){worker}"
        )
        if self.config.gan != "none":
            self.report(describe_adversary(model, self.config))
        if reached.pictures not in (0, pictures):
            self.report(
                f"{self.config.data} had {reached.pictures:,} pictures to train on when the run was stopped. It goes "
                "on with those that are there now, and is not any more the run that was begun."
            )

    def _callbacks(self, reached):
        """What all workers do, and what the chief alone does: write."""
        config, report = self.config, self.report
        callbacks = [StopOnNaN()]
        if config.gan != "none":
            callbacks += [
                StartAdversary(config.gan_start, reached.epoch * self.steps + reached.step, self.steps),
                WatchAdversary(config.gan, config.gan_start, self.steps, report),
            ]
        if config.patience:
            callbacks.append(EarlyStopping(config.patience, config.monitor, reached.history, report))
        callbacks.append(ReportEpochs(reached.history, config.epochs, self.steps, config.monitor, report))
        if not self.is_chief:
            return callbacks
        curves = keras.callbacks.TensorBoard(self.directory.tensorboard, write_graph=False)
        return [*callbacks, self._sample_grid(), curves]

    def _keep_state(self, reached, interruption, others):
        if not self.is_chief:
            return FollowState(reached, self.steps, self.config, interruption)
        has_followers = is_multiworker(self.strategy)
        return KeepState(
            self.directory, reached, self.steps, self.config, interruption, others, self.report, has_followers
        )

    def _sample_grid(self):
        shown = BatchReader(
            self.config.data,
            "validation" if "validation" in self.splits else "train",
            batch_size=self.config.samples,
            image_size=self.config.image_size,
            shuffle=True,
            seed=self.config.seed,
            targets=("ab", "mask") if self.config.gan_mask in PACKED_MASKS else ("ab",),
            on_damage=self.reader_options["on_damage"],
            embedding=self.reader_options["embedding"],
        )
        inputs, targets, _ = model_values(shown.read(0, 0), shown.targets)
        images = TensorBoardImages(self.directory.tensorboard / "samples")
        masks = targets.get("mask")
        return SampleGrid(self.directory.samples, inputs, targets["ab"], images, self.report, masks)


def _save_final(model, directory):
    try:
        save_model(model, directory.final)
    except OSError as error:
        raise TrainingError(
            f"Training is done, but {directory.final} cannot be written ({error.strerror or error}). Make room, then "
            "give the same command with --resume."
        ) from None


@contextlib.contextmanager
def reader_errors_in_one_line():
    """TensorFlow reports what the reader raises as an error of its own, with our message inside a traceback."""
    try:
        yield
    except tf.errors.OpError as error:
        damage = re.search(r"ShardError: (.+)", error.message)
        if damage is None:
            raise
        raise ShardError(damage[1]) from None
