"""Training by `keras.Model.fit` into a run directory that can be resumed, evaluated and used to colorize."""

from densecolor.training.cluster import Cluster
from densecolor.training.config import TrainConfig
from densecolor.training.fit import train

__all__ = ["Cluster", "TrainConfig", "train"]
