"""Adversarial training: a colorizer against discriminators that tell its colours from true ones."""

from densecolor.training.adversarial.cycle import CycleColorizer
from densecolor.training.adversarial.engine import AdversarialColorizer
from densecolor.training.adversarial.parts import colorizer_of
from densecolor.training.adversarial.parts import optimizers_of
from densecolor.training.adversarial.parts import target_names

__all__ = ["AdversarialColorizer", "CycleColorizer", "colorizer_of", "optimizers_of", "target_names"]
