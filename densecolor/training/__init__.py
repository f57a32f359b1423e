"""Training by `keras.Model.fit` into a run directory that can be resumed, evaluated and used to colorize."""

from densecolor.training.cluster import Cluster
from densecolor.training.config import TrainConfig
from densecolor.training.dry_run import dry_run
from densecolor.training.fit import train
from densecolor.training.summary import summarize

__all__ = ["Cluster", "TrainConfig", "dry_run", "summarize", "train"]
