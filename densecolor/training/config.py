"""All that decides a training run, in one object that is written beside its results."""

import dataclasses
import json
import math
from pathlib import Path

from densecolor.errors import TrainingError
from densecolor.errors import require_choice

STRATEGIES = ("auto", "one", "mirrored", "multiworker")
DATA_SHARDINGS = ("element", "file")
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
SCHEDULES = ("cosine", "constant")
LOWEST = {
    "epochs": 1,
    "steps_per_epoch": 1,
    "batch_size": 1,
    "image_size": 1,
    "warmup_steps": 0,
    "samples": 1,
    "seed": 0,
}
HIGHEST = 2**32 - 1  # that a seed may be


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
    learning_rate: float = 1e-3  # Adam's, at its highest
    schedule: str = "cosine"  # to zero at the end of the last epoch, or "constant"
    warmup_steps: int = 0  # steps of linear rise before the schedule
    label_weight: float = 1.0  # of the classification loss; matters only where the losses share variables
    strategy: str = "auto"
    data_sharding: str = "element"  # how several workers share the pictures: one by one, or shard by shard ("file")
    scale_learning_rate: bool = False  # times the number of replicas
    sync_batchnorm: bool | None = None  # batch statistics over all replicas; None: where there are several
    precision: str = "float32"
    samples: int = 8  # pictures in the sample grid of each epoch
    seed: int = 0  # of initial weights, order, crops and flips

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
        for name, lowest in LOWEST.items():
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int) and lowest <= value <= HIGHEST):
                raise TrainingError(f"`{name}` must be an integer of at least {lowest}. Received: {value!r}.")
        if not 0 < self.learning_rate < math.inf:
            raise TrainingError(f"`learning_rate` must be positive. Received: {self.learning_rate}.")
        if not 0 <= self.label_weight < math.inf:
            raise TrainingError(f"`label_weight` must not be negative. Received: {self.label_weight}.")

    def to_json(self):
        """The configuration as indented JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

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
