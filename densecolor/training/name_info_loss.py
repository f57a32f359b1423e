"""One name for the information loss in all histories."""

import keras

from densecolor.metrics.keras_info_loss import NAME


class NameInfoLoss(keras.callbacks.Callback):
    """Call the metric `info_loss` whatever the number of outputs; stands before all callbacks that read it.

    Keras calls it `ab_info_loss` in networks with several outputs.
    """

    def on_epoch_end(self, epoch, logs=None):
        """Rename it for the callbacks behind this one."""
        for prefix in ("", "val_"):
            if f"{prefix}ab_{NAME}" in logs:
                logs[f"{prefix}{NAME}"] = logs.pop(f"{prefix}ab_{NAME}")
