"""The objectives of adversarial training: what discriminators and generators minimise, as functions of scores.

A discriminator gives a score to every patch of a picture. Here `true` and `predicted` are its scores of true and of
predicted colours, float tensors of equal shape, without any activation; each function returns the loss of each score.
An expectation below is a mean over patches and pictures. softplus(x) = log(1 + exp(x)).
"""

import dataclasses
from collections.abc import Callable

from keras import ops

from densecolor.errors import DensecolorError
from densecolor.errors import require_choice

SMOOTHED = 0.9  # the label of true colours, with one-sided smoothing


@dataclasses.dataclass(frozen=True)
class AdversarialObjective:
    """One way to set a generator against discriminators.

    Attributes:
        name: as in `adversarial_objective`.
        discriminator: function (true, predicted) -> loss of each score, what a discriminator minimises.
        generator: the same, what the generator minimises.
        is_relativistic: both functions take scores that were made relative to each other (see `relative_scores`).
        clips_weights: the discriminators' weights are clipped after each of their steps.
        has_penalty: a discriminator also minimises `gradient_penalty`.
        is_critic: the scores are unbounded estimates, not opinions on true and predicted: a discriminator that tells
            all pictures apart is as it should be.
    """

    name: str
    discriminator: Callable
    generator: Callable
    is_relativistic: bool = False
    clips_weights: bool = False
    has_penalty: bool = False
    is_critic: bool = False


def _vanilla_discriminator(true, predicted):
    return ops.softplus(-true) + ops.softplus(predicted)


def _smoothed_discriminator(true, predicted):
    # 0.9 softplus(-r) + 0.1 softplus(r) is this, since softplus(r) = r + softplus(-r).
    return _vanilla_discriminator(true, predicted) + (1 - SMOOTHED) * true


def _vanilla_generator(true, predicted):
    return ops.softplus(-predicted)


def _lsgan_discriminator(true, predicted):
    return (ops.square(true - 1) + ops.square(predicted)) / 2


def _lsgan_generator(true, predicted):
    return ops.square(predicted - 1) / 2


def _critic(true, predicted):
    return predicted - true


def _critic_generator(true, predicted):
    return -predicted


def _hinge_discriminator(true, predicted):
    return ops.relu(1 - true) + ops.relu(1 + predicted)


def _relativistic_generator(true, predicted):
    return _vanilla_discriminator(predicted, true)


ADVERSARIAL_OBJECTIVES = {
    objective.name: objective
    for objective in (
        AdversarialObjective("vanilla", _vanilla_discriminator, _vanilla_generator),
        AdversarialObjective("vanilla-smoothed", _smoothed_discriminator, _vanilla_generator),
        AdversarialObjective("lsgan", _lsgan_discriminator, _lsgan_generator),
        AdversarialObjective("wgan", _critic, _critic_generator, clips_weights=True, is_critic=True),
        AdversarialObjective("wgan-gp", _critic, _critic_generator, has_penalty=True, is_critic=True),
        AdversarialObjective("hinge", _hinge_discriminator, _critic_generator),
        AdversarialObjective("relativistic", _vanilla_discriminator, _relativistic_generator, is_relativistic=True),
    )
}


def adversarial_objective(name):
    """An objective by its name.

    With r the scores of true colours and f those of predicted ones:

    - `vanilla`: Goodfellow et al., "Generative Adversarial Nets", NIPS 2014, with the generator's loss that does not
      saturate. Discriminator E[softplus(-r)] + E[softplus(f)], which is the cross-entropy of sigmoid(r) with 1 and of
      sigmoid(f) with 0; generator E[softplus(-f)].
    - `vanilla-smoothed`: the same with one-sided label smoothing, Salimans et al., "Improved Techniques for Training
      GANs", NIPS 2016: the discriminator's cross-entropy of sigmoid(r) is that with 0.9.
    - `lsgan`: Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017, with the labels 0 and 1.
      E[(r - 1)^2] / 2 + E[f^2] / 2; E[(f - 1)^2] / 2.
    - `wgan`: Arjovsky et al., "Wasserstein Generative Adversarial Networks", ICML 2017. E[f] - E[r]; -E[f]. All
      weights of the discriminator are clipped to [-c, c].
    - `wgan-gp`: Gulrajani et al., "Improved Training of Wasserstein GANs", NIPS 2017. The same, with
      `gradient_penalty` instead of clipping.
    - `hinge`: Lim and Ye, "Geometric GAN", 2017. E[relu(1 - r)] + E[relu(1 + f)]; -E[f].
    - `relativistic`: the relativistic average discriminator of Jolicoeur-Martineau, "The relativistic discriminator",
      ICLR 2019. E[softplus(E[f] - r)] + E[softplus(f - E[r])]; the generator's is that with r and f exchanged.

    Args:
        name: one of `ADVERSARIAL_OBJECTIVES`.

    Returns:
        AdversarialObjective.

    Raises:
        DensecolorError: there is no such objective.

    Example:
        >>> objective = adversarial_objective("hinge")
        >>> float(objective.discriminator(np.array(0.25), np.array(-2.0)))
        0.75
    """
    require_choice("objective", name, ADVERSARIAL_OBJECTIVES, DensecolorError)
    return ADVERSARIAL_OBJECTIVES[name]


def relative_scores(true, predicted, mean_true, mean_predicted):
    """How much truer than the average of the other kind each score is, for the relativistic objective.

    Args:
        true, predicted: scores.
        mean_true, mean_predicted: their means over all pictures of the step.

    Returns:
        (true - mean_predicted, predicted - mean_true).

    Example:
        >>> [float(score) for score in relative_scores(3.0, 1.0, mean_true=2.0, mean_predicted=0.5)]
        [2.5, -1.0]
    """
    return true - mean_predicted, predicted - mean_true


def mean_score(scores):
    """The score of each picture: the mean over its patches.

    Args:
        scores: (batch, h, w, 1).

    Returns:
        (batch,)
    """
    return ops.mean(scores, axis=(1, 2, 3))


def interpolate(true, predicted, share):
    """A point on the line between true and predicted values for each picture.

    Args:
        true, predicted: (batch, H, W, C).
        share: (batch,) in [0, 1], of the true ones; Gulrajani et al. draw it uniformly.

    Returns:
        (batch, H, W, C)
    """
    share = ops.reshape(ops.cast(share, true.dtype), (-1, 1, 1, 1))
    return share * true + (1 - share) * predicted


def gradient_penalty(gradients):
    """(|g| - 1)^2 for each picture, g being the gradient of its score with respect to what the discriminator sees.

    Gulrajani et al. 2017, equation 3, at points of `interpolate`. The score is that of `mean_score`, and |g| the
    Euclidean norm over all pixels and channels.

    Args:
        gradients: list of float32 (batch, H, W, C), by the parts of the input.

    Returns:
        (batch,)

    Example:
        >>> float(gradient_penalty([np.full((1, 2, 2, 1), 1.5)])[0])  # |g| = 3
        4.0
    """
    squares = [ops.sum(ops.square(gradient), axis=(1, 2, 3)) for gradient in gradients]
    # The square root has no gradient at 0, where a discriminator is that does not depend on its input.
    norms = ops.sqrt(sum(squares) + 1e-12)
    return ops.square(norms - 1)
