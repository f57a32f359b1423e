"""How `keras.Model.fit` goes on inside an epoch."""

import keras


class ResumedCallbacks(keras.callbacks.CallbackList):
    """The callbacks of a run that goes on where another stopped; those of a new run too, which stands at step 0.

    `fit` begins with a whole epoch, whatever was done of it. So the epoch's first calls of the train function, as many
    as there were steps before, are left out: they take no batch and change nothing, and no callback hears of them. All
    else is as in a run that was never stopped: the number of a batch, one beginning of training, an epoch of which
    only the validation is missing. When an epoch begins, Keras sets the metrics to zero; then their sums come back.

    Args:
        callbacks: list of `keras.callbacks.Callback`.
        model: `keras.Model`.
        progress: Progress; `data` must begin with the batch after its step, and be endless.
        restore: function that gives the model what it lost at the epoch's beginning, or None.
        **params: of `fit` that callbacks may ask for.

    Example:
        >>> callbacks = ResumedCallbacks([StopOnNaN()], model, progress, restore, epochs=3, steps=100)
        >>> model.fit(data, epochs=3, initial_epoch=progress.epoch, steps_per_epoch=100, callbacks=callbacks)
    """

    def __init__(self, callbacks, model, progress, restore=None, **params):
        super().__init__(callbacks, add_history=True, model=model, **params)
        self._to_skip = progress.step
        self._is_skipped = False
        self._saved = progress.callbacks
        self._restore = restore

    def on_train_begin(self, logs=None):
        """Hand out what callbacks have saved, and put the skipping in front of the train function."""
        super().on_train_begin(logs)
        for callback in self.callbacks:
            if type(callback).__name__ in self._saved and hasattr(callback, "set_state"):
                callback.set_state(self._saved[type(callback).__name__])
        if self._to_skip:
            self._train_function = self.model.train_function
            self.model.train_function = self._skip

    def on_epoch_begin(self, epoch, logs=None):
        """Restore the metrics first."""
        if self._restore is not None:
            self._restore()
            self._restore = None
        super().on_epoch_begin(epoch, logs)

    def on_train_batch_begin(self, batch, logs=None):
        """Say nothing of a step that is left out."""
        self._is_skipped = self._to_skip > 0
        if not self._is_skipped:
            super().on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        """Say nothing of a step that is left out."""
        if not self._is_skipped:
            super().on_train_batch_end(batch, logs)

    def _skip(self, iterator):
        self._to_skip -= 1
        if not self._to_skip:
            self.model.train_function = self._train_function
            return self.model.get_metrics_result()
        return {}
