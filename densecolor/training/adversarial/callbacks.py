"""What happens around the steps of an adversarial run: when the adversary begins, and what is said of it."""

import math

import keras

from densecolor.errors import TrainingError
from densecolor.losses.adversarial import adversarial_objective
from densecolor.training.adversarial.figures import GRAY
from densecolor.training.adversarial.figures import PREFIXES
from densecolor.training.state import ADVICE

CERTAIN = 0.99  # share of the pictures that a discriminator tells apart
HUGE = 1e4  # a score that has run away
ONE_COLOR = 0.02  # of the truth's spread of colours


def describe_adversary(model, config):
    """One line on discriminators and objective.

    Args:
        model: `AdversarialColorizer`.
        config: `TrainConfig`.
    """
    networks = " and ".join(f"{network.name} {network.count_params():,}" for network in model.discriminators)
    start = f", from step {config.gan_start + 1:,} on" if config.gan_start else ""
    mask = "" if config.gan_mask == "none" else f", mask {config.gan_mask}"
    return f"Adversary {config.gan}{mask}{start}: {networks} parameters, used in training only"


class StartAdversary(keras.callbacks.Callback):
    """Train the colorizer alone for some steps, then with the adversary.

    Args:
        start: int, steps without the adversary.
        done: int, steps that were done before.
        steps_per_epoch: int.
    """

    def __init__(self, start, done, steps_per_epoch):
        super().__init__()
        self._start = start
        self._done = done
        self._steps_per_epoch = steps_per_epoch

    def on_train_begin(self, logs=None):
        """The train function is made, but not traced yet."""
        self.model.is_adversarial = self._done >= self._start

    def on_epoch_begin(self, epoch, logs=None):
        """Remember where the epoch begins."""
        self._before = epoch * self._steps_per_epoch

    def on_train_batch_begin(self, batch, logs=None):
        """Bring in the adversary when it is time: with a new train function."""
        if not self.model.is_adversarial and self._before + batch >= self._start:
            self.model.is_adversarial = True
            self.model.make_train_function(force=True)


class WatchAdversary(keras.callbacks.Callback):
    """Say when adversarial training goes wrong, and what to do.

    After each step: a figure that is no number ends the run. After each epoch that had the adversary in all its steps,
    once for each rule that begins to hold:

    - divergence: a mean score is beyond 10,000 or below -10,000.
    - a discriminator that has won: it gave the true colours of more than 99 % of the pictures a higher score than
      the predicted ones, in this epoch and the one before. Not with the Wasserstein objectives, whose critic may.
    - collapse: the spread of the predicted colours over all pixels and pictures (`color_spread`) is below 2 % of the
      truth's.

    Args:
        objective: of the run.
        start: int, steps without the adversary.
        steps_per_epoch: int.
        report: function of one line of text.
    """

    def __init__(self, objective, start, steps_per_epoch, report):
        super().__init__()
        self._objective = adversarial_objective(objective)
        self._first_epoch = math.ceil(start / steps_per_epoch)
        self._report = report
        self._holding = []  # rules that held after the epoch before
        self._certain_before = []  # discriminators

    def on_epoch_begin(self, epoch, logs=None):
        """Remember the epoch for the message."""
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        """End the run when a figure is no number: the colorizer's loss would only be so a step later."""
        for name, value in logs.items():
            if not math.isfinite(value):
                raise TrainingError(
                    f"{name} became {value} in step {batch + 1} of epoch {self._epoch}: the adversarial training has "
                    f"diverged. {ADVICE} Other ways: a lower gan_discriminator_rate, gan=wgan-gp, or gan_spectral."
                )

    def on_epoch_end(self, epoch, logs=None):
        """Look at the epoch's figures."""
        if epoch < self._first_epoch:
            return
        found = dict(self._findings(logs))
        for rule, message in found.items():
            if rule not in self._holding:
                self._report(message)
        self._holding = list(found)

    def get_state(self):
        """What a resumed run needs, as plain JSON."""
        return {"holding": self._holding, "certain_before": self._certain_before}

    def set_state(self, state):
        """Go on from what `get_state` gave."""
        self._holding, self._certain_before = state["holding"], state["certain_before"]

    def _findings(self, logs):
        certain = []
        for prefix in (*PREFIXES, GRAY):
            if f"{prefix}score_true" not in logs:
                continue
            true, predicted = logs[f"{prefix}score_true"], logs[f"{prefix}score_predicted"]
            if max(abs(true), abs(predicted)) > HUGE:
                yield (
                    f"{prefix}divergence",
                    f"The adversary diverges: {prefix}score_true is {true:.3g}, {prefix}score_predicted "
                    f"{predicted:.3g}. Try a lower gan_discriminator_rate, a higher gan_penalty, or gan_spectral.",
                )
            if logs[f"{prefix}discriminator_accuracy"] > CERTAIN and not self._objective.is_critic:
                certain.append(prefix)
                if prefix in self._certain_before:
                    yield (
                        f"{prefix}won",
                        f"A discriminator tells all predictions from true colours ({prefix}discriminator_accuracy "
                        f"{logs[f'{prefix}discriminator_accuracy']:.4f}), so it teaches little. Try a lower "
                        "gan_discriminator_rate, gan_pool=0, gan_spectral, or gan=wgan-gp.",
                    )
        self._certain_before = certain
        if logs["color_spread"] < ONE_COLOR:
            yield (
                "collapse",
                f"The colours have collapsed: over all pictures they vary by {logs['color_spread']:.2%} of what the "
                "true ones do. Try a lower gan_weight, a longer gan_start, or gan=wgan-gp.",
            )
