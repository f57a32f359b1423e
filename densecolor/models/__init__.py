"""Colorizers as Keras models.

Importing this registers with Keras their classes and whatever training compiles them with, so that
`keras.saving.load_model(path)` reads saved colorizers in its safe mode and without `custom_objects`. For files from
others use `densecolor.load_model`, which trusts nothing in them.
"""

from densecolor import losses
from densecolor import optimizers
from densecolor.metrics import keras_info_loss
from densecolor.models.cards import ModelCard
from densecolor.models.chromagan import ChromaGANColorizer
from densecolor.models.class_branch import BRANCHES
from densecolor.models.colorful import ColorfulColorizer
from densecolor.models.colorgan import ColorGANColorizer
from densecolor.models.colorizer import Colorizer
from densecolor.models.cyclegan import CycleGANColorizer
from densecolor.models.dcgan import DCGANColorizer
from densecolor.models.dense import DenseColorizer
from densecolor.models.discriminators import PatchDiscriminator
from densecolor.models.frozen_branch import create_embedder
from densecolor.models.gray_vgg import create_gray_classifier
from densecolor.models.hypercolumn import HypercolumnColorizer
from densecolor.models.iizuka import IizukaColorizer
from densecolor.models.koalarization import KoalarizationColorizer
from densecolor.models.koalarization import with_backbone
from densecolor.models.mask_head import MaskGuidedColorizer
from densecolor.models.mask_head import with_mask_head
from densecolor.models.picture_discriminator import PictureDiscriminator
from densecolor.models.pix2pix import Pix2PixColorizer
from densecolor.models.recipes import RECIPES
from densecolor.models.registry import PRESETS
from densecolor.models.registry import create
from densecolor.models.registry import list_models
from densecolor.models.registry import model_options
from densecolor.models.residual import ResidualColorizer
from densecolor.models.resunet import ResUNetColorizer
from densecolor.models.scgan import SCGANColorizer
from densecolor.models.smcgan import SMCGANColorizer
from densecolor.models.unet import UNetColorizer

__all__ = [
    "BRANCHES",
    "PRESETS",
    "RECIPES",
    "ChromaGANColorizer",
    "ColorGANColorizer",
    "ColorfulColorizer",
    "Colorizer",
    "CycleGANColorizer",
    "DCGANColorizer",
    "DenseColorizer",
    "HypercolumnColorizer",
    "IizukaColorizer",
    "KoalarizationColorizer",
    "MaskGuidedColorizer",
    "ModelCard",
    "PatchDiscriminator",
    "PictureDiscriminator",
    "Pix2PixColorizer",
    "ResUNetColorizer",
    "ResidualColorizer",
    "SCGANColorizer",
    "SMCGANColorizer",
    "UNetColorizer",
    "create",
    "create_embedder",
    "create_gray_classifier",
    "keras_info_loss",
    "list_models",
    "losses",
    "model_options",
    "optimizers",
    "with_backbone",
    "with_mask_head",
]
