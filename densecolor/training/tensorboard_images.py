"""Pictures for TensorBoard."""

import tensorflow as tf


class TensorBoardImages:
    """Write pictures into an event file of their own, beside the curves that Keras writes.

    Args:
        folder: of the event file; made with the first picture.

    Example:
        >>> TensorBoardImages("run/tensorboard/samples").write("samples", pixels, step=0)
    """

    def __init__(self, folder):
        self._folder = folder
        self._writer = None

    def write(self, name, pixels, step):
        """Write one picture.

        Args:
            name: str, of the series.
            pixels: uint8 (H, W, 3), sRGB.
            step: int, the epoch, counted from 0 as Keras does for its curves.
        """
        if self._writer is None:
            self._writer = tf.summary.create_file_writer(str(self._folder))
        with self._writer.as_default():
            tf.summary.image(name, pixels[None], step=step)
        self._writer.flush()  # so that a run that is killed has shown all its epochs
