"""End a run that does not get better any more."""

import keras

from densecolor.training.monitor import monitored_column


class EarlyStopping(keras.callbacks.Callback):
    """Stop after `patience` epochs in a row without a new lowest value of what is monitored.

    Whether a run has stopped follows from its history alone, so that a resumed one stops where an uninterrupted one
    does. Stands before the callback that saves the state.

    Args:
        patience: int, at least 1.
        monitor: as in `TrainConfig`.
        history: list of dict, the rows of the epochs that are done already.
        report: function of one line of text.
    """

    def __init__(self, patience, monitor, history, report):
        super().__init__()
        self._patience = patience
        self._monitor = monitor
        self._report = report
        self._best, self._waited, self._column = None, 0, monitor
        for row in history:
            self._see(row)

    @property
    def stopped(self):
        """Whether the run is at its end."""
        return self._waited >= self._patience

    def on_epoch_end(self, epoch, logs=None):
        """Look at the epoch's value."""
        self._see(logs)
        if self.stopped:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        """Say why there were fewer epochs."""
        if self.stopped:
            self._report(
                f"Stopped early: {self._column} has not been below {self._best:.4g} for {self._waited} epoch(s)."
            )

    def get_state(self):
        """What a resumed run needs, as plain JSON."""
        return {"best": self._best, "waited": self._waited}

    def set_state(self, state):
        """Go on from what `get_state` gave."""
        self._best, self._waited = state["best"], state["waited"]

    def _see(self, figures):
        self._column = monitored_column(self._monitor, figures)
        value = float(figures[self._column])
        if self._best is None or value < self._best:
            self._best, self._waited = value, 0
        else:
            self._waited += 1
