"""All that decides a training run, in one object that is written beside its results."""

import dataclasses
import json
import math
from pathlib import Path

from densecolor.errors import TrainingError
from densecolor.errors import require_choice
from densecolor.models.recipes import RECIPES
from densecolor.packing.executors import available_cores
from densecolor.shards import read_manifest
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
}
HIGHEST = 2**32 - 1  # that a seed may be
NOT_NEGATIVE = ("label_weight", "weight_decay", "clip_norm")
SHARES = ("ema", "momentum", "label_smoothing")  # at least 0 and below 1


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """What `train` does; saved as `config.json` in the run directory, from where it can be started again.

    Raises:
        TrainingError: a value is not among its choices or out of range.
    """

    data: str  # a packed folder; made absolute
    model: str = "dense"  # a name of `densecolor.models.list_models()`
    model_options: dict = dataclasses.field(default_factory=dict)  # for `densecolor.models.create`
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
    weight_decay: float = 0.004  # of "adamw"
    clip_norm: float = 0.0  # largest global norm of a step's gradient; 0: not clipped
    ema: float = 0.0  # momentum of the moving average of the weights; 0: none is kept
    # The loss
    label_weight: float = 1.0  # of the classification loss; matters only where the losses share variables
    class_weights: str = "none"  # or "balanced", by the inverse of how often a class occurs
    label_smoothing: float = 0.0  # share of a label's target that is spread over all classes
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
        try:
            object.__setattr__(self, "model_options", dict(json.loads(json.dumps(self.model_options))))
        except (TypeError, ValueError) as error:
            raise TrainingError(f"`model_options` must be a dict of plain values ({error}).") from None
        require_choice("strategy", self.strategy, STRATEGIES, TrainingError)
        require_choice("data_sharding", self.data_sharding, DATA_SHARDINGS, TrainingError)
        require_choice("precision", self.precision, PRECISIONS, TrainingError)
        require_choice("schedule", self.schedule, SCHEDULES, TrainingError)
        require_choice("optimizer", self.optimizer, OPTIMIZERS, TrainingError)
        require_choice("class_weights", self.class_weights, CLASS_WEIGHTS, TrainingError)
        require_choice("monitor", self.monitor, MONITORS, TrainingError)
        if self.deterministic and self.threads is None:
            object.__setattr__(self, "threads", available_cores())  # kept for a resumed run
        for name, lowest in LOWEST.items():
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int) and lowest <= value <= HIGHEST):
                raise TrainingError(f"`{name}` must be an integer of at least {lowest}. Received: {value!r}.")
        for name in ("learning_rate", "step_factor", *NOT_NEGATIVE, *SHARES):
            if not isinstance(getattr(self, name), int | float):
                raise TrainingError(f"`{name}` must be a number. Received: {getattr(self, name)!r}.")
        if not 0 < self.learning_rate < math.inf:
            raise TrainingError(f"`learning_rate` must be positive. Received: {self.learning_rate}.")
        if not 0 < self.step_factor <= 1:
            raise TrainingError(f"`step_factor` must be above 0 and at most 1. Received: {self.step_factor}.")
        for name in NOT_NEGATIVE:
            if not 0 <= getattr(self, name) < math.inf:
                raise TrainingError(f"`{name}` must not be negative, and finite. Received: {getattr(self, name)}.")
        for name in SHARES:
            if not 0 <= getattr(self, name) < 1:
                raise TrainingError(f"`{name}` must be at least 0 and below 1. Received: {getattr(self, name)}.")

    def to_json(self):
        """The configuration as indented JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_recipe(cls, data, model, **changes):
        """The published training of a model, as far as `densecolor.models.RECIPES` has it.

        Args:
            data: a packed folder. Where its pictures are smaller than the recipe's, they are taken whole.
            model: a name of `densecolor.models.list_models()`.
            **changes: values in place of the recipe's.

        Raises:
            FileNotFoundError, ShardError: there is no such data.
            TrainingError: a value does not belong.

        Example:
            >>> TrainConfig.from_recipe("packed", "iizuka", epochs=3).optimizer
            'adadelta'
        """
        recipe = dict(RECIPES.get(model, {}))
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
