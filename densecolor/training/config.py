"""All that decides a training run, in one object that is written beside its results."""

import dataclasses
import json
import math
from pathlib import Path

from densecolor.cores import available_cores
from densecolor.errors import TrainingError
from densecolor.errors import require_choice
from densecolor.losses import ADVERSARIAL_OBJECTIVES
from densecolor.losses import COLOR_LOSSES
from densecolor.models.discriminators import NORMALIZATIONS
from densecolor.models.recipes import RECIPES
from densecolor.shards import read_manifest
from densecolor.training.adversarial.build import GAN_NETWORKS
from densecolor.training.adversarial.build import JUDGES
from densecolor.training.adversarial.build import check_options
from densecolor.training.adversarial.scenes import ATTENTIONS
from densecolor.training.adversarial.scenes import GAN_MASKS
from densecolor.training.class_weights import CLASS_WEIGHTS
from densecolor.training.monitor import MONITORS
from densecolor.training.optimizer import OPTIMIZERS

STRATEGIES = ("auto", "one", "mirrored", "multiworker")
DATA_SHARDINGS = ("element", "file")
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
SCHEDULES = ("cosine", "constant", "step")
LOWEST = {
    "epochs": 1,
    "steps_per_epoch": 1,
    "batch_size": 1,
    "image_size": 1,
    "warmup_steps": 0,
    "step_epochs": 1,
    "patience": 0,
    "samples": 1,
    "seed": 0,
    "save_every": 1,
    "threads": 1,
    "gan_start": 0,
    "gan_discriminator_steps": 1,
    "gan_pool": 0,
    "gan_layers": 1,
    "gan_filters": 1,
}
HIGHEST = 2**32 - 1  # that a seed may be
NOT_NEGATIVE = (
    "color_weight",
    "label_weight",
    "weight_decay",
    "clip_norm",
    "gan_weight",
    "gan_penalty",
    "attention_weight",
)
OPTIONAL = ("beta_1", "gan_discriminator_rate")  # may be None
POSITIVE = ("learning_rate", "gan_discriminator_rate", "gan_clip")
SHARES = ("ema", "momentum", "beta_1", "label_smoothing")  # at least 0 and below 1


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """What `train` does; saved as `config.json` in the run directory, from where it can be started again.

    Raises:
        TrainingError: a value is not among its choices or out of range.
    """

    data: str  # a packed folder; made absolute
    model: str = "dense"  # a name of `densecolor.models.list_models()`
    model_options: dict = dataclasses.field(default_factory=dict)  # for `densecolor.models.create`
    unpaired: str | None = None  # of cyclegan: the packed folder with the colours; None: `data`. Made absolute
    start_from: str | None = None  # a checkpoint or run whose weights the model begins with; made absolute
    epochs: int = 10
    steps_per_epoch: int | None = None  # None: every picture once an epoch
    batch_size: int = 16  # pictures a step, over all replicas
    image_size: int | None = None  # side of the random crops in pixels; None: as packed
    augment: bool = True  # random crops and flips
    # The optimizer
    optimizer: str = "adam"
    learning_rate: float = 1e-3  # at its highest
    schedule: str = "cosine"  # to zero at the end of the last epoch; or "constant", or "step"
    step_epochs: int = 10  # of the schedule "step": epochs at one rate
    step_factor: float = 0.5  # of the schedule "step": what the rate is multiplied by then
    warmup_steps: int = 0  # steps of linear rise before the schedule
    momentum: float = 0.9  # of "sgd"
    beta_1: float | None = None  # of "adam" and "adamw"; None: 0.9, or 0.5 with an adversary
    weight_decay: float = 0.004  # of "adamw"
    clip_norm: float = 0.0  # largest global norm of a step's gradient; 0: not clipped
    ema: float = 0.0  # momentum of the moving average of the weights; 0: none is kept
    # The loss
    color_loss: str = "mse"  # of models that predict ab as it is; or "mae"
    color_weight: float = 1.0  # of the losses of colours, beside what the adversary says of them
    label_weight: float = 1.0  # of the classification loss; matters only where the losses share variables
    class_weights: str = "none"  # or "balanced", by the inverse of how often a class occurs
    perceptual: str | None = None  # weights of VGG-16 for the perceptual loss of RGB: "imagenet" or a file
    label_smoothing: float = 0.0  # share of a label's target that is spread over all classes
    # The adversary
    gan: str = "none"  # or an objective of `densecolor.losses.ADVERSARIAL_OBJECTIVES`
    gan_mask: str = "none"  # of a second discriminator: "foreground", "saliency" (packed), or "learned"
    gan_judges: str = "all"  # with a mask: two discriminators, or only that of the "whole" or the "masked" picture
    gan_weight: float = 0.01  # of each discriminator's judgement in the colorizer's loss
    gan_start: int = 0  # steps of the colorizer without the adversary, at first
    gan_discriminator_steps: int = 1  # of the discriminators for each of the colorizer
    gan_discriminator_rate: float | None = None  # their learning rate at its highest; None: as the colorizer's
    gan_penalty: float = 10.0  # weight of the gradient penalty of "wgan-gp"
    gan_clip: float = 0.01  # bound of the weights of "wgan"
    gan_pool: int = 0  # pictures in the pool of earlier predictions; 0: none
    gan_network: str = "patch"  # or "picture", with one score for the whole of it
    gan_layers: int = 3  # halvings in a discriminator
    gan_filters: int = 64  # channels of its first convolution
    gan_normalization: str = "instance"  # of its features, or "none", "batch", "instance_plain", "layer"
    gan_spectral: bool = False  # divide its kernels by their largest singular values
    attention: str = "l1"  # distance of the colours inside the mask, or "l2"
    attention_weight: float = 0.5  # of that distance in the colorizer's loss, where there is a mask
    # Which epoch is best, and when to stop
    monitor: str = "ab_mse"  # what is lowest in the best epoch: "ab_mse" or "info_loss"
    patience: int = 0  # epochs without a better one before the run stops; 0: never
    # The run
    strategy: str = "auto"
    data_sharding: str = "element"  # how several workers share the pictures: one by one, or shard by shard ("file")
    scale_learning_rate: bool = False  # times the number of replicas
    sync_batchnorm: bool | None = None  # batch statistics over all replicas; None: where there are several
    precision: str = "float32"
    samples: int = 8  # pictures in the sample grid of each epoch
    seed: int = 0  # of initial weights, order, crops and flips
    save_every: int = 500  # steps between two states to resume from, beside one at every epoch's end
    deterministic: bool = False  # the same bits from the same run, on the same kind of machine
    threads: int | None = None  # of TensorFlow; None: as it likes, or all cores where it must be fixed
    skip_damaged: bool = False  # train without shards and pictures that cannot be read

    def __post_init__(self):
        # As JSON would give it back, so that a run can be told from another one; a run may be resumed from elsewhere.
        object.__setattr__(self, "data", str(Path(self.data).resolve()))
        for name in ("start_from", "unpaired"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, str(Path(getattr(self, name)).resolve()))
        try:
            object.__setattr__(self, "model_options", dict(json.loads(json.dumps(self.model_options))))
        except (TypeError, ValueError) as error:
            raise TrainingError(f"`model_options` must be a dict of plain values ({error}).") from None
        require_choice("strategy", self.strategy, STRATEGIES, TrainingError)
        require_choice("data_sharding", self.data_sharding, DATA_SHARDINGS, TrainingError)
        require_choice("precision", self.precision, PRECISIONS, TrainingError)
        require_choice("schedule", self.schedule, SCHEDULES, TrainingError)
        require_choice("optimizer", self.optimizer, OPTIMIZERS, TrainingError)
        require_choice("color_loss", self.color_loss, COLOR_LOSSES, TrainingError)
        require_choice("class_weights", self.class_weights, CLASS_WEIGHTS, TrainingError)
        require_choice("monitor", self.monitor, MONITORS, TrainingError)
        require_choice("gan", self.gan, ("none", *ADVERSARIAL_OBJECTIVES), TrainingError)
        require_choice("gan_mask", self.gan_mask, GAN_MASKS, TrainingError)
        require_choice("gan_judges", self.gan_judges, JUDGES, TrainingError)
        require_choice("gan_network", self.gan_network, GAN_NETWORKS, TrainingError)
        require_choice("gan_normalization", self.gan_normalization, NORMALIZATIONS, TrainingError)
        require_choice("attention", self.attention, ATTENTIONS, TrainingError)
        if self.deterministic and self.threads is None:
            object.__setattr__(self, "threads", available_cores())  # kept for a resumed run
        for name, lowest in LOWEST.items():
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int) and lowest <= value <= HIGHEST):
                raise TrainingError(f"`{name}` must be an integer of at least {lowest}. Received: {value!r}.")
        for name in (*POSITIVE, "step_factor", *NOT_NEGATIVE, *SHARES):
            value = getattr(self, name)
            if value is None and name in OPTIONAL:
                continue
            if not isinstance(value, int | float):
                raise TrainingError(f"`{name}` must be a number. Received: {value!r}.")
            if name in POSITIVE and not 0 < value < math.inf:
                raise TrainingError(f"`{name}` must be positive. Received: {value}.")
            if name in NOT_NEGATIVE and not 0 <= value < math.inf:
                raise TrainingError(f"`{name}` must not be negative, and finite. Received: {value}.")
            if name in SHARES and not 0 <= value < 1:
                raise TrainingError(f"`{name}` must be at least 0 and below 1. Received: {value}.")
        if not 0 < self.step_factor <= 1:
            raise TrainingError(f"`step_factor` must be above 0 and at most 1. Received: {self.step_factor}.")
        check_options(self)

    def to_json(self):
        """The configuration as indented JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_recipe(cls, data, model, stage=1, **changes):
        """The published training of a model, as far as `densecolor.models.RECIPES` has it.

        Args:
            data: a packed folder. Where its pictures are smaller than the recipe's, they are taken whole.
            model: a name of `densecolor.models.list_models()`.
            stage: of a training that has several; a later one goes on from the model of the one before (`start_from`).
            **changes: values in place of the recipe's.

        Raises:
            FileNotFoundError, ShardError: there is no such data.
            TrainingError: a value does not belong.

        Example:
            >>> TrainConfig.from_recipe("packed", "iizuka", epochs=3).optimizer
            'adadelta'
        """
        if stage > 1 and f"{model}_stage{stage}" not in RECIPES:
            raise TrainingError(f"The training of {model!r} has no stage {stage}.")
        recipe = dict(RECIPES.get(model if stage == 1 else f"{model}_stage{stage}", {}))
        if recipe.get("image_size", 0) > read_manifest(data).image_size:
            del recipe["image_size"]
        return cls(data=str(data), model=model, **recipe | changes)

    @classmethod
    def from_file(cls, path, **changes):
        """Read a configuration, such as a run directory's `config.json`; keys left out take their defaults.

        Args:
            path: a JSON file.
            **changes: values in place of the file's.

        Raises:
            TrainingError: the file is not JSON, or has a key or a value that does not belong.
        """
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
            return cls(**(values | changes))
        except (ValueError, TypeError) as error:
            if isinstance(error, TrainingError):
                raise
            names = ", ".join(field.name for field in dataclasses.fields(cls))
            raise TrainingError(f"{path} is not a training configuration ({error}). Its keys are: {names}.") from None
