"""From a run's configuration to a compiled model."""

import dataclasses

import keras
import tensorflow as tf

from densecolor import models
from densecolor.checkpoint import check_savable
from densecolor.checkpoint import load_model
from densecolor.dataset.batches import model_values
from densecolor.errors import DensecolorError
from densecolor.errors import TrainingError
from densecolor.inspection import compute_ab_prior
from densecolor.inspection import read_ab_prior
from densecolor.losses import PerceptualLoss
from densecolor.losses import default_losses
from densecolor.metrics.keras_info_loss import InfoLoss
from densecolor.training.adversarial import CycleColorizer
from densecolor.training.adversarial import colorizer_of
from densecolor.training.adversarial import target_names
from densecolor.training.adversarial.build import add_adversary
from densecolor.training.adversarial.build import check_data
from densecolor.training.adversarial.build import discriminator_optimizer
from densecolor.training.adversarial.parts import is_unpaired
from densecolor.training.class_weights import balanced_class_weights
from densecolor.training.multiworker import repair
from densecolor.training.optimizer import make_optimizer
from densecolor.training.stored_embeddings import embedding_options
from densecolor.training.stored_embeddings import require_same_embedding
from densecolor.training.strategy import is_multiworker
from densecolor.training.threads import set_threads


def fix_arithmetic(config):
    """Make TensorFlow add up in the same order every time, as far as the configuration asks for it.

    Raises:
        TrainingError: this process has used TensorFlow already, with another number of threads.
    """
    if config.threads:
        set_threads(config.threads)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()


def build_compiled(config, reader, steps_per_epoch, strategy):
    """The model of a run, ready for its first step.

    Args:
        config: `TrainConfig`.
        reader: `BatchReader` of the training pictures.
        steps_per_epoch: int.
        strategy: `tf.distribute.Strategy`.

    Returns:
        `keras.Model`, compiled, with a built optimizer: the colorizer, or an `AdversarialColorizer` around it.

    Raises:
        TrainingError: the options do not fit each other or the data.
        CheckpointError: an argument of the model is beyond what a checkpoint may hold.
    """
    check_data(config, reader.packed)
    keras.utils.set_random_seed(config.seed)
    if config.scale_learning_rate:
        rate = config.learning_rate * strategy.num_replicas_in_sync
        other = config.gan_discriminator_rate and config.gan_discriminator_rate * strategy.num_replicas_in_sync
        config = dataclasses.replace(config, learning_rate=rate, gan_discriminator_rate=other)
    with strategy.scope():
        model = _build(config, reader, strategy)
        if config.unpaired is not None and not (is_unpaired(model) and config.gan != "none"):
            raise TrainingError(
                f"`unpaired` is for cyclegan and its adversary; {config.model!r} learns from pairs. Leave it out."
            )
        if config.gan != "none":
            model = add_adversary(model, config, reader.image_size, strategy.num_replicas_in_sync)
        _compile(model, config, reader.packed, steps_per_epoch)
        if is_multiworker(strategy):
            if isinstance(model, CycleColorizer):
                raise TrainingError("Unpaired training runs in one process. Use one machine, or another model.")
            repair(model, model_values(reader.read(0, 0), target_names(model)))
    return model


def begin_with(colorizer, path):
    """Give a colorizer that is new the weights of one that has been trained.

    Args:
        colorizer: a colorizer.
        path: a checkpoint or run directory.

    Raises:
        CheckpointError: it does not load.
        TrainingError: its weights are of other shapes.
    """
    weights = load_model(path).get_weights()
    shapes = [tuple(variable.shape) for variable in colorizer.weights]
    if [weight.shape for weight in weights] != shapes:
        raise TrainingError(
            f"{path} holds another model than {colorizer.name!r}, so training cannot begin with its weights. Give the "
            "same model and options as there (config.json of its run), the number of classes included."
        )
    colorizer.set_weights(weights)


def _build(config, reader, strategy):
    packed = reader.packed
    known = models.model_options(config.model)
    options = {"working_size": config.image_size or packed.image_size, "dtype": config.precision}
    if "num_classes" in known:
        options["num_classes"] = len(packed.class_names)
    if "joint" in known and not packed.class_names:
        # Without classes nothing but the colours can teach the class branch.
        options["joint"] = True
    if config.sync_batchnorm is not None:
        options["sync_batchnorm"] = config.sync_batchnorm
    elif "sync_batchnorm" in known:
        options["sync_batchnorm"] = strategy.num_replicas_in_sync > 1
    if reader.embeddings is not None:
        options |= embedding_options(reader.embeddings)
    options |= config.model_options
    try:
        model = models.create(config.model, **options)
    except DensecolorError:
        raise
    except (TypeError, ValueError) as error:
        shown = ", ".join(f"{name}={value!r}" for name, value in config.model_options.items())
        raise TrainingError(f"Model {config.model!r} cannot be built with {shown}: {error}") from None
    if 0 < getattr(model, "num_classes", 0) < len(packed.class_names):
        raise TrainingError(
            f"The model has {model.num_classes} classes, {config.data} has {len(packed.class_names)}. Leave out "
            "num_classes, or set it to 0 for a model without classes."
        )
    if reader.embeddings is not None:
        require_same_embedding(model, reader.embeddings, config)
    check_savable(model)
    return model


def _compile(model, config, packed, steps_per_epoch):
    # Keras puts the output's name before a metric's only where there are several outputs.
    prefix = "" if len(model.output_names) > 1 else "ab_"
    metrics = {name: [] for name in model.output_names} | {
        "ab": [keras.metrics.MeanSquaredError(name=f"{prefix}mse"), InfoLoss()],
        "label": [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    }
    weights = (
        dict.fromkeys(model.output_names, 1.0) | {"label": config.label_weight} | colorizer_of(model).output_weights
    )
    weights |= {name: config.color_weight * weights[name] for name in weights if name not in ("label", "mask")}
    options = _label_options(model, config, packed) | _perceptual_options(model, config)
    optimizer = make_optimizer(config, steps_per_epoch)
    more = {}
    if config.gan != "none":
        more["discriminator_optimizer"] = discriminator_optimizer(config, steps_per_epoch, optimizer)
    model.compile(
        optimizer=optimizer,
        loss=default_losses(model.output_names, **options, ab_prior=_ab_prior(model, config), color=config.color_loss)
        | colorizer_of(model).own_losses,
        loss_weights={name: weights[name] for name in model.output_names},
        weighted_metrics={name: metrics[name] for name in model.output_names},
        **more,
    )
    model.optimizer.build(colorizer_of(model).trainable_variables)


def _label_options(model, config, packed):
    options = {}
    if config.label_smoothing:
        options["label_smoothing"] = config.label_smoothing
    balanced = config.class_weights == "balanced"
    if (options or balanced) and "label" not in model.output_names:
        raise TrainingError(
            f"`class_weights` and `label_smoothing` are for the class branch; this {config.model!r} has none. "
            "Leave them out, or choose a model and data with classes."
        )
    if balanced:
        options["class_weights"] = balanced_class_weights(packed, colorizer_of(model).num_classes)
    return options


def _perceptual_options(model, config):
    if config.perceptual is None:
        return {}
    if "rgb" not in model.output_names:
        raise TrainingError(
            f"The perceptual loss is for models that predict RGB, such as scgan; {config.model!r} does not. Leave out "
            "`perceptual`."
        )
    return {"perceptual": PerceptualLoss(config.perceptual)}


def _ab_prior(model, config):
    """How often each colour bin is in the training pictures: as stored beside them, else counted now."""
    if "ab_distribution" not in model.output_names or "ab_distribution" in colorizer_of(model).own_losses:
        return None
    stored = read_ab_prior(config.data)
    return compute_ab_prior(config.data) if stored is None else stored
