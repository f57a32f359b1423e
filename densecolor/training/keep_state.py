"""Keep what a run has reached: its state, its best model and its history, now and then and when it is told to stop."""

import keras

from densecolor.checkpoint import save_model
from densecolor.training.adversarial.parts import colorizer_of
from densecolor.training.averages import averaged_weights
from densecolor.training.monitor import monitored_column
from densecolor.training.state import copy_volatile


class KeepState(keras.callbacks.Callback):
    """Write state, `best.keras` and `history.csv` into the run directory; the last of a run's callbacks.

    The last, so that what the others did in a step or an epoch is part of the state. Any other callback that has
    `get_state()`, which returns plain JSON values, and `set_state(values)` gets them back in a resumed run.

    At an epoch's end the state is written first, then `best.keras`: whatever happens between the two, the state has the
    weights that belong into `best.keras`, and a resumed run writes them. So `best.keras` never comes from steps that a
    resumed run repeats.

    Where something cannot be written, training goes on, says so, and tries again at the next time. The weights
    of a best epoch are kept in memory until then.

    Args:
        directory: RunDirectory, locked.
        progress: Progress, where the run stands; kept up to date.
        steps: of an epoch.
        config: TrainConfig; `save_every` steps are between two states, beside that at every epoch's end, and `monitor`
            decides which epoch is best.
        interruption: Interruption, looked at after each step.
        callbacks: the others.
        report: function of one line of text, called with failures.
        has_followers: whether other workers have `FollowState`. What is spread over all of them is then read at the
            moments that all know of, and not when a signal comes to one.
    """

    def __init__(self, directory, progress, steps, config, interruption, callbacks, report, has_followers=False):
        super().__init__()
        self._directory = directory
        self._progress = progress
        self._steps = steps
        self._config = config
        self._interruption = interruption
        self._stateful = {type(other).__name__: other for other in callbacks if hasattr(other, "get_state")}
        self._report = report
        self._has_followers = has_followers
        self._unwritten = None  # the epoch that best.keras ought to be of
        self._unwritten_weights = None  # its weights, once the model's own have gone on
        self._before_validation = None

    def on_train_begin(self, logs=None):
        """Finish what a run that was killed at an epoch's end had begun to write."""
        progress = self._progress
        if progress.history:
            self._try(self._directory.history_path, self._directory.write_history, progress.history)
        if progress.history and progress.step == 0 and self._is_best(progress.history[-1]):
            self._unwritten = progress.epoch
            self._write_best()

    def on_epoch_begin(self, epoch, logs=None):
        """All is saved between two epochs, so a run may stop there."""
        if self._interruption.signal is not None:
            self._stop()

    def on_train_batch_end(self, batch, logs=None):
        """Save when it is time to, or when the run is to stop."""
        self._progress.step = batch + 1
        is_asked = self._interruption.signal is not None
        if _is_due(self._progress, self._steps, self._config) or (is_asked and not self._has_followers):
            self._save()
        if is_asked:
            self._stop()

    def on_test_begin(self, logs=None):
        """Remember the epoch's metrics, which Keras now sets to zero; a state saved during validation needs them."""
        self._before_validation = copy_volatile(self.model)

    def on_test_batch_end(self, batch, logs=None):
        """A validation may be long: do not wait for its end. Other callbacks still hear that it ends."""
        if self._interruption.signal is None:
            return
        if self._has_followers:  # they would wait for this one at the validation's end
            self.on_test_end()
        self.model.stop_evaluating = True

    def on_test_end(self, logs=None):
        """Save what there was before a validation that was cut short; a resumed run repeats it."""
        if self._interruption.signal is not None:
            self._save(self._before_validation)
            self._stop()

    def on_epoch_end(self, epoch, logs=None):
        """Write everything."""
        figures = {name: float(value) for name, value in logs.items()}
        figures["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        is_best = self._is_best(figures)
        self._progress.history.append({"epoch": epoch + 1, **figures})
        self._progress.epoch, self._progress.step = epoch + 1, 0
        self._progress.stopped = self.model.stop_training
        if is_best:
            self._unwritten, self._unwritten_weights = epoch + 1, None
        self._save()
        self._try(self._directory.history_path, self._directory.write_history, self._progress.history)
        if is_best and self._unwritten:
            with averaged_weights(self.model):
                self._unwritten_weights = colorizer_of(self.model).get_weights()

    def _is_best(self, figures):
        best = self._unwritten or self._progress.best_epoch
        column = monitored_column(self._config.monitor, figures)
        return best is None or figures[column] < self._progress.history[best - 1][column]

    def _save(self, volatile=None):
        volatile = volatile or copy_volatile(self.model)
        if self._write_state(volatile) and self._unwritten and self._write_best() and self._progress.step:
            self._write_state(volatile)  # which says, other than the one before, that best.keras is there

    def _write_state(self, volatile):
        self._progress.callbacks = {name: other.get_state() for name, other in self._stateful.items()}
        write = self._directory.write_state
        return self._try(self._directory.state_path, write, self.model, self._progress, volatile)

    def _write_best(self):
        if not self._try(self._directory.best, self._save_best):
            return False
        self._progress.best_epoch = self._unwritten
        self._unwritten = self._unwritten_weights = None
        return True

    def _save_best(self):
        model = colorizer_of(self.model)
        if self._unwritten_weights is None:
            with averaged_weights(self.model):
                save_model(model, self._directory.best)
            return
        own = model.get_weights()
        model.set_weights(self._unwritten_weights)
        try:
            save_model(model, self._directory.best)
        finally:
            model.set_weights(own)

    def _try(self, path, write, *arguments):
        try:
            write(*arguments)
        except OSError as error:
            self._report(
                f"{path} cannot be written ({error.strerror or error}). Training goes on, and tries again at the next "
                "time to save; what was there before stays."
            )
            return False
        return True

    def _stop(self):
        self._report(
            f"Stopped by {self._interruption.signal.name}: {self._progress.epoch} whole epochs and "
            f"{self._progress.step} steps are {'done' if self._has_followers else 'kept'}. Go on with --resume."
        )
        self._interruption.stop()


class FollowState(keras.callbacks.Callback):
    """What a worker that writes nothing does when the one that has `KeepState` saves: it helps to read.

    Args:
        progress: Progress, where the run stands; kept up to date.
        steps: of an epoch.
        config: TrainConfig.
        interruption: Interruption, looked at after each step.
    """

    def __init__(self, progress, steps, config, interruption):
        super().__init__()
        self._progress = progress
        self._steps = steps
        self._config = config
        self._interruption = interruption

    def on_train_batch_end(self, batch, logs=None):
        """Read with the others when it is time to."""
        self._progress.step = batch + 1
        if _is_due(self._progress, self._steps, self._config):
            copy_volatile(self.model)
        self._stop_if_asked()

    def on_test_begin(self, logs=None):
        """Read with the others."""
        copy_volatile(self.model)

    def on_test_batch_end(self, batch, logs=None):
        """A validation may be long: do not wait for its end."""
        self._stop_if_asked()

    def on_epoch_end(self, epoch, logs=None):
        """Read with the others."""
        self._progress.epoch, self._progress.step = epoch + 1, 0
        copy_volatile(self.model)

    def _stop_if_asked(self):
        if self._interruption.signal is not None:
            self._interruption.stop()


def _is_due(progress, steps, config):
    return (progress.epoch * steps + progress.step) % config.save_every == 0
