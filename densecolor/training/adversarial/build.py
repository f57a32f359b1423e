"""From a run's configuration to a colorizer with an adversary."""

import functools

from densecolor.errors import TrainingError
from densecolor.losses.adversarial import adversarial_objective
from densecolor.models.discriminators import PatchDiscriminator
from densecolor.models.discriminators import input_channels
from densecolor.models.discriminators import smallest_size
from densecolor.models.picture_discriminator import PictureDiscriminator
from densecolor.shards import read_manifest
from densecolor.training.adversarial.cycle import CycleColorizer
from densecolor.training.adversarial.engine import AdversarialColorizer
from densecolor.training.adversarial.parts import is_unpaired
from densecolor.training.adversarial.parts import judged_colors
from densecolor.training.adversarial.pool import ImagePool
from densecolor.training.adversarial.scenes import PACKED_MASKS
from densecolor.training.optimizer import make_optimizer

GAN_NETWORKS = ("patch", "picture")
JUDGES = ("all", "whole", "masked")
PACKED_AS = {"foreground": ("otsu", "files"), "saliency": ("saliency", "files")}  # values of `densecolor-pack --masks`


def check_data(config, packed):
    """Check that the packed pictures are what the adversary of a run needs.

    Args:
        config: `TrainConfig`.
        packed: `densecolor.shards.PackedSplit`.

    Raises:
        TrainingError: there are no masks, or masks of another kind, or the pictures are too small.
    """
    if config.gan == "none":
        return
    side = config.image_size or packed.image_size
    smallest = smallest_size(config.gan_layers) if config.gan_network == "patch" else 2**config.gan_layers
    if side < smallest:
        raise TrainingError(
            f"A discriminator of {config.gan_layers} layers judges pictures of at least {smallest} pixels. Received: "
            f"{side}. Use fewer layers (gan_layers), or larger pictures."
        )
    if config.gan_mask in PACKED_MASKS:
        _check_masks(config, packed)


def _check_masks(config, packed):
    wanted = "saliency" if config.gan_mask == "saliency" else "otsu"
    again = (
        f"Pack its source again with them, `densecolor-pack SOURCE OUT --image-size {packed.image_size} "
        f"--masks {wanted}`, or with `--masks DIR` where you have masks as files, and train on OUT."
    )
    if any(packed.shard(number).mask is None for number in range(len(packed.paths))):
        raise TrainingError(f"{config.data} has no masks, which gan_mask={config.gan_mask} needs. {again}")
    if packed.paths[0].parent.joinpath("manifest.json").exists():
        made_by = read_manifest(packed.paths[0].parent).options.get("masks")
        if made_by is not None and made_by not in PACKED_AS[config.gan_mask]:
            raise TrainingError(
                f"The masks of {config.data} were packed with --masks {made_by}, and gan_mask={config.gan_mask} is "
                f"asked for. {again}"
            )


def add_adversary(generator, config, side, replicas):
    """Set a colorizer against the discriminators that a run's options ask for.

    Args:
        generator: a colorizer.
        config: `TrainConfig` with an objective.
        side: int, height and width of the pictures in pixels.
        replicas: int.

    Returns:
        `AdversarialColorizer`, not compiled.

    Raises:
        TrainingError: the options do not fit the colorizer.
    """
    if config.gan_mask == "learned" and "mask" not in generator.output_names:
        raise TrainingError(
            f"gan_mask=learned takes the mask that the colorizer predicts, and {config.model!r} predicts none. Use a "
            "model with an output `mask`, or gan_mask=foreground or saliency with masks from the shards."
        )
    if is_unpaired(generator):
        return _add_cycle(generator, config, side, replicas)
    colors = judged_colors(generator)
    kinds = {"whole": False} if config.gan_mask == "none" else {"whole": False, "masked": True}
    if config.gan_judges != "all":
        kinds = {config.gan_judges: kinds[config.gan_judges]}
    network = PatchDiscriminator
    options = _network_options(config, replicas)
    if config.gan_network == "picture":
        network = functools.partial(PictureDiscriminator, side)
        del options["spectral"]
    discriminators = [
        network(sees_mask=sees_mask, colors=colors, name=f"{name}_discriminator", **options)
        for name, sees_mask in kinds.items()
    ]
    pools = []
    if config.gan_pool:
        pools = [
            ImagePool(config.gan_pool, side, input_channels(colors, sees_mask), name=f"{name}_pool")
            for name, sees_mask in kinds.items()
        ]
    return AdversarialColorizer(
        generator,
        discriminators,
        config.gan,
        mask=config.gan_mask,
        attention=config.attention,
        attention_weight=config.attention_weight,
        penalty=config.gan_penalty,
        pools=pools,
        **_engine_options(config),
    )


def _engine_options(config):
    """What paired and unpaired training have in common."""
    return {
        "gan_weight": config.gan_weight,
        "discriminator_steps": config.gan_discriminator_steps,
        "clip": config.gan_clip,
        "seed": config.seed,
    }


def _network_options(config, replicas):
    """What all discriminators of a run have in common."""
    return {
        "layers": config.gan_layers,
        "filters": config.gan_filters,
        "normalization": config.gan_normalization,
        "spectral": config.gan_spectral,
        "synchronized": replicas > 1,
        "dtype": config.precision,
    }


def _add_cycle(generator, config, side, replicas):
    """The same for a CycleGAN, whose discriminators see colour and gray pictures alone."""
    if config.gan_mask != "none" or config.gan_network != "patch" or adversarial_objective(config.gan).has_penalty:
        raise TrainingError(
            f"{config.model!r} is trained without a mask, by networks that judge patches, and without a gradient "
            "penalty. Leave out gan_mask and gan_network, and use gan=lsgan."
        )
    if adversarial_objective(config.gan).is_relativistic:
        raise TrainingError(f"{config.model!r} has no pairs to compare, as gan={config.gan} does. Use gan=lsgan.")
    if side % 4:
        raise TrainingError(f"{config.model!r} is trained on sides that are multiples of 4. Received: {side}.")
    names, options = ("color", "gray"), _network_options(config, replicas)
    discriminators = [
        PatchDiscriminator(colors="rgb", sees_lightness=False, name=f"{name}_discriminator", **options)
        for name in names
    ]
    pools = [ImagePool(config.gan_pool, side, {"rgb": 3}, name=f"{name}_pool") for name in names if config.gan_pool]
    return CycleColorizer(
        generator,
        discriminators,
        config.gan,
        pools=pools,
        **_engine_options(config),
    )


def discriminator_optimizer(config, steps_per_epoch, generator_optimizer):
    """The optimizer of the discriminators: of the colorizer's kind, at a rate of its own that goes as the colorizer's.

    Args:
        config: `TrainConfig`.
        steps_per_epoch: int.
        generator_optimizer: whose rate it follows, whatever the number of steps that the discriminators take.

    Returns:
        `keras.optimizers.Optimizer`, not built.
    """
    factor = 1.0
    if config.gan_discriminator_rate is not None:
        factor = config.gan_discriminator_rate / config.learning_rate
    return make_optimizer(
        config, steps_per_epoch, rate=lambda: generator_optimizer.learning_rate * factor, with_average=False
    )


def check_options(config):
    """Check the adversary's options against each other and the rest of a configuration.

    Raises:
        TrainingError: they do not fit each other.
    """
    if config.gan == "none":
        if config.gan_mask != "none":
            raise TrainingError(
                f"gan_mask={config.gan_mask} is for an adversary, and there is none. Choose an objective, such as "
                "gan=wgan-gp, or leave the mask out."
            )
        return
    if config.gan_judges == "masked" and config.gan_mask == "none":
        raise TrainingError("gan_judges=masked needs a mask. Choose gan_mask, or let all judge.")
    if adversarial_objective(config.gan).has_penalty and config.gan_normalization == "batch":
        raise TrainingError(
            f"gan={config.gan} needs the gradient of one picture's score, and gan_normalization=batch mixes pictures. "
            "Use instance, layer or none."
        )
    if config.gan_network == "picture" and config.gan_spectral:
        raise TrainingError("gan_network=picture has no spectral normalisation. Leave out gan_spectral, or use patch.")
    if config.gan_pool and config.gan_pool < config.batch_size:
        raise TrainingError(
            f"`gan_pool` must be 0, or at least the batch size {config.batch_size}. Received: {config.gan_pool}."
        )
