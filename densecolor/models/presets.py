"""The published systems as their papers have them, and smaller variants, but for those that are made of others."""

from densecolor.models.chromagan import ChromaGANColorizer
from densecolor.models.colorful import ColorfulColorizer
from densecolor.models.colorgan import ColorGANColorizer
from densecolor.models.cyclegan import CycleGANColorizer
from densecolor.models.dcgan import DCGANColorizer
from densecolor.models.dense import DenseColorizer
from densecolor.models.hypercolumn import HypercolumnColorizer
from densecolor.models.iizuka import IizukaColorizer
from densecolor.models.koalarization import KoalarizationColorizer
from densecolor.models.pix2pix import Pix2PixColorizer
from densecolor.models.residual import ResidualColorizer
from densecolor.models.resunet import ResUNetColorizer
from densecolor.models.scgan import SCGANColorizer
from densecolor.models.smcgan import SMCGANColorizer
from densecolor.models.unet import UNetColorizer

SMALL_UNET = (16, 32, 64, 64, 64, 64)
PLAIN_PRESETS = {
    "chromagan": (ChromaGANColorizer, {}),
    "chromagan_small": (ChromaGANColorizer, {"global_size": 64, "width": 0.25}),
    "colorful": (ColorfulColorizer, {}),
    "colorful_small": (ColorfulColorizer, {"filters": (16, 32, 64, 64, 64, 64, 64, 64)}),
    "colorgan": (ColorGANColorizer, {}),
    "colorgan_small": (ColorGANColorizer, {"filters": (32, 16, 16, 16, 8), "map_size": 16}),
    "cyclegan": (CycleGANColorizer, {}),
    "cyclegan_small": (CycleGANColorizer, {"filters": 16, "blocks": 2}),
    "dcgan": (DCGANColorizer, {}),
    "dcgan_cifar": (DCGANColorizer, {"filters": (64, 128, 256, 512, 512), "dropped": 2}),
    "dcgan_small": (DCGANColorizer, {"filters": (16, 16, 32, 64, 64, 64)}),
    "dense": (DenseColorizer, {}),
    "dense_small": (
        DenseColorizer,
        {
            "layers_per_block": 4,
            "stem_strides": 2,
            "branch": "mobilenet_v3_small",
            "branch_size": 64,
            "branch_pooling": True,
            "fc_widths": (128, 64),
        },
    ),
    "dense_tiny": (
        DenseColorizer,
        {
            "layers_per_block": 1,
            "growth_rate": 4,
            "stem_strides": 4,
            "branch": "mobilenet",
            "branch_size": 32,
            "branch_pooling": True,
            "fc_widths": (16, 8),
        },
    ),
    "gan": (Pix2PixColorizer, {"colors": "rgb"}),
    "gan_small": (Pix2PixColorizer, {"colors": "rgb", "filters": SMALL_UNET}),
    "hypercolumn": (HypercolumnColorizer, {}),
    "hypercolumn_light": (HypercolumnColorizer, {"fc_width": 0}),
    "hypercolumn_small": (
        HypercolumnColorizer,
        {"widths": (16, 32, 64, 64, 64), "fc_width": 0, "head_width": 128, "dropout": 0.0},
    ),
    "iizuka": (IizukaColorizer, {}),
    "iizuka_small": (IizukaColorizer, {"global_size": 64, "width": 0.25}),
    "koalarization": (KoalarizationColorizer, {}),
    "koalarization_small": (
        KoalarizationColorizer,
        {"branch": "mobilenet_v3_small", "branch_size": 64, "embedding": "pooled", "width": 0.25},
    ),
    "pix2pix": (Pix2PixColorizer, {}),
    "pix2pix_small": (Pix2PixColorizer, {"filters": SMALL_UNET}),
    "residual": (ResidualColorizer, {}),
    "residual_small": (ResidualColorizer, {"blocks": 2, "filters": 16}),
    "resunet": (ResUNetColorizer, {}),
    "scgan": (SCGANColorizer, {}),
    "scgan_small": (
        SCGANColorizer,
        {"filters": (16, 32, 64, 64, 64, 64, 64), "global_widths": (16, 32, 64, 64, 64), "saliency_width": 16},
    ),
    "smcgan": (SMCGANColorizer, {}),
    "smcgan_small": (SMCGANColorizer, {"filters": (16, 32, 64, 64), "blocks": 2}),
    "unet": (UNetColorizer, {}),
    "wgan": (Pix2PixColorizer, {"colors": "rgb"}),
    "wgan_small": (Pix2PixColorizer, {"colors": "rgb", "filters": SMALL_UNET}),
    "wgan_gp": (Pix2PixColorizer, {"colors": "rgb"}),
    "wgan_gp_small": (Pix2PixColorizer, {"colors": "rgb", "filters": SMALL_UNET}),
}
