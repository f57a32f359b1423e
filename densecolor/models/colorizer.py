"""What every colorizer is: lightness in, a dict with `ab` out."""

import keras


class Colorizer(keras.Model):
    """Base of all colorizers: a functional model whose input is `lightness`, as a tensor or in a dict.

    Some have an option for further inputs, which then stand beside it in the dict.

    A subclass builds its graph in its constructor, under `layers.dtype_scope(dtype)`, and lists its own arguments
    in `get_config`; those that all colorizers have are listed here.

    Args:
        lightness: `keras.Input` (batch, H, W, 1).
        outputs: dict of output tensors, each made by a layer of the same name.
        policy: the dtype policy that the graph was built under.
        working_size: int, side in pixels at which the weights work best.
        name: str.
        more_inputs: dict of the `keras.Input`s beside lightness, by name.
    """

    def __init__(self, lightness, outputs, policy, working_size, name, more_inputs=None):
        super().__init__(inputs={"lightness": lightness, **(more_inputs or {})}, outputs=outputs, name=name)
        self.dtype_policy = policy
        self.working_size = working_size

    @property
    def output_weights(self):
        """Weights of the outputs' losses, by name, in the system's own training; 1 for those left out."""
        return {}

    @property
    def own_losses(self):
        """Losses in place of those that `densecolor.losses.default_losses` has for its outputs, by name."""
        return {}

    def call(self, inputs, training=None, mask=None):
        """Colour for `{"lightness": tensor}`, or for the tensor alone."""
        if not isinstance(inputs, dict):
            inputs = {"lightness": inputs}
        return super().call(inputs, training=training, mask=mask)

    def get_config(self):
        """The constructor arguments that all colorizers have, as plain JSON."""
        return {"working_size": self.working_size, "dtype": self.dtype_policy.name, "name": self.name}
