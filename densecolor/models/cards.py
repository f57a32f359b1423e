"""What there is to know of each model before it is built: its paper, its outputs, its losses, its size."""

from typing import NamedTuple


class System(NamedTuple):
    """A published system."""

    citation: str
    outputs: tuple  # of str, beside `ab`
    losses: str
    backbone: str  # the pretrained network that it wants, or "none"


class ModelCard(NamedTuple):
    """One model of the registry, by default options.

    Multiply-adds are those of convolutions and matrix products for one picture of 256 x 256, a branch's network
    included. The receptive field, in pixels, is that of the way from lightness to colour, beside which most models have
    one that sees the whole picture.
    """

    name: str
    citation: str
    input: str
    outputs: tuple  # of str
    trained_parameters: int
    frozen_parameters: int  # of a network that nothing trains; moving statistics are in neither
    multiply_adds: float  # billions
    receptive_field: int | None  # None where it was not counted
    losses: str
    backbone: str


_MSE = "mean squared error of ab"
_SYSTEMS = {
    "chromagan": System(
        "Vitoria P., Raad L., Ballester C., ChromaGAN: Adversarial Picture Colorization with Semantic Class "
        "Distribution, WACV 2020",
        ("label",),
        f"{_MSE}; KL divergence from a trained network's classes; adversarial",
        "VGG-16: helps",
    ),
    "colorful": System(
        "Zhang R., Isola P., Efros A., Colorful Image Colorization, ECCV 2016",
        ("ab_distribution",),
        "cross-entropy of 313 softly encoded colour bins, rare ones weighing more",
        "none",
    ),
    "colorgan": System(
        "Cao Y., Zhou Z., Zhang W., Yu Y., Unsupervised Diverse Colorization via Generative Adversarial Networks, "
        "ECML PKDD 2017",
        (),
        "adversarial alone",
        "none",
    ),
    "cyclegan": System(
        "Zhu J.-Y., Park T., Isola P., Efros A., Unpaired Image-to-Image Translation using Cycle-Consistent "
        "Adversarial Networks, ICCV 2017",
        ("rgb",),
        "adversarial; mean absolute error after both ways",
        "none",
    ),
    "dcgan": System(
        "Nazeri K., Ng E., Ebrahimi M., Image Colorization using Generative Adversarial Networks, AMDO 2018",
        ("lab",),
        "mean absolute error of lab; adversarial",
        "none",
    ),
    "dense": System(
        "Zhang N., Qin P., Zeng J., Song Y., Image Colorization Algorithm based on Dense Neural Network, 2019",
        ("label",),
        f"{_MSE}; cross-entropy of the class",
        "VGG-16: helps",
    ),
    "gan": System(
        "Goodfellow I. et al., Generative Adversarial Nets, NIPS 2014, in SMCGAN's table",
        ("rgb",),
        "adversarial alone",
        "none",
    ),
    "hypercolumn": System(
        "Larsson G., Maire M., Shakhnarovich G., Learning Representations for Automatic Colorization, ECCV 2016",
        ("hue_chroma_distribution",),
        "KL divergence of chroma, and of hue in proportion to chroma",
        "none (the paper starts from VGG-16's weights)",
    ),
    "iizuka": System(
        "Iizuka S., Simo-Serra E., Ishikawa H., Let there be Color!, SIGGRAPH 2016",
        ("label",),
        f"{_MSE}; cross-entropy of the class, with a small weight",
        "none",
    ),
    "koalarization": System(
        "Baldassarre F., Gonzalez Morin D., Rodes-Guirao L., Deep Koalarization, arXiv 1712.03400, 2017",
        (),
        _MSE,
        "Inception-ResNet-v2: wanted",
    ),
    "mask_guided": System(
        "any colorizer with a branch that predicts a mask; ours, after SCGAN and SMCGAN",
        ("label", "mask", "masked_ab"),
        "those of the colorizer, dense by default; cross-entropy and Dice of the mask; mean squared error of masked ab",
        "as the colorizer",
    ),
    "pix2pix": System(
        "Isola P., Zhu J.-Y., Zhou T., Efros A., Image-to-Image Translation with Conditional Adversarial Networks, "
        "CVPR 2017",
        (),
        "mean absolute error of ab; adversarial",
        "none",
    ),
    "residual": System(
        "Qin P., Cheng Z., Cui Y. et al., Research on Image Colorization Algorithm Based on Residual Neural Network, "
        "CCCV 2017 (reconstructed)",
        ("label",),
        f"{_MSE}; cross-entropy of the class, with a small weight",
        "none",
    ),
    "resunet": System(
        "ours, of known parts: U-Net (MICCAI 2015), residual blocks (ECCV 2016), the colours of Zhang R. et al. "
        "(ECCV 2016)",
        ("ab_distribution",),
        f"cross-entropy of 313 softly encoded colour bins; {_MSE}",
        "none",
    ),
    "scgan": System(
        "Zhao Y. et al., SCGAN: Saliency Map-guided Colorization with Generative Adversarial Network, IEEE TCSVT, 2021",
        ("rgb", "mask", "masked_rgb"),
        "mean absolute error of rgb and of masked rgb; perceptual and adversarial in its second stage",
        "global features: helps; VGG-16 for the perceptual loss",
    ),
    "smcgan": System(
        "Zhang Z., Li Y., Shin B.-S., Robust Medical Image Colorization with Spatial Mask-Guided Generative "
        "Adversarial Network, Bioengineering, 2022 (reconstructed)",
        ("rgb", "mask", "masked_rgb"),
        "mean absolute error of rgb and of masked rgb; cross-entropy and Dice of the mask; adversarial",
        "none",
    ),
    "wgan_gp": System(
        "Gulrajani I. et al., Improved Training of Wasserstein GANs, NIPS 2017, in SMCGAN's table",
        ("rgb",),
        "mean absolute error of rgb; adversarial",
        "none",
    ),
    "wgan": System(
        "Arjovsky M., Chintala S., Bottou L., Wasserstein Generative Adversarial Networks, ICML 2017, in SMCGAN's "
        "table",
        ("rgb",),
        "mean absolute error of rgb; adversarial",
        "none",
    ),
    "unet": System("after Ronneberger O., Fischer P., Brox T., U-Net, MICCAI 2015: the baseline", (), _MSE, "none"),
}
# Trained and frozen parameters, billions of multiply-adds, receptive field: as tools/model_table.py counts them.
_SIZES = {
    "chromagan": (171_166_090, 0, 38.3, 164),
    "chromagan_small": (4_098_514, 0, 1.5, None),
    "colorful": (32_235_385, 0, 41.8, 353),
    "colorful_small": (712_393, 0, 1.3, None),
    "colorgan": (898_550, 0, 31.7, 27),
    "colorgan_small": (60_710, 0, 2.3, None),
    "cyclegan": (11_378_179, 0, 49.6, 169),
    "cyclegan_small": (198_659, 0, 1.2, None),
    "dcgan": (42_023_811, 0, 9.2, 639),
    "dcgan_cifar": (16_654_851, 0, 21.6, 79),
    "dcgan_small": (464_547, 0, 0.5, None),
    "dense": (122_438_907, 0, 59.0, 101),
    "dense_small": (1_183_435, 0, 2.6, None),
    "dense_tiny": (3_229_205, 0, 0.0, None),
    "gan": (54_411_907, 0, 6.0, 1276),
    "gan_small": (649_891, 0, 0.3, None),
    "hypercolumn": (147_041_024, 0, 50.6, 436),
    "hypercolumn_light": (19_106_560, 0, 42.5, 212),
    "hypercolumn_small": (424_816, 0, 2.0, None),
    "iizuka": (42_366_831, 0, 14.6, 115),
    "iizuka_small": (1_187_319, 0, 0.6, None),
    "koalarization": (6_573_794, 55_873_736, 23.0, 115),
    "koalarization_small": (432_442, 939_120, 0.6, None),
    "mask_guided": (122_517_596, 0, 64.1, None),
    "mask_guided_small": (1_208_956, 0, 3.0, None),
    "pix2pix": (54_409_858, 0, 6.0, 1276),
    "pix2pix_small": (649_378, 0, 0.3, None),
    "residual": (24_458_895, 0, 78.9, 121),
    "residual_small": (1_445_759, 0, 4.1, None),
    "resunet": (2_876_281, 0, 2.6, 339),
    "scgan": (58_755_200, 0, 94.5, None),
    "scgan_small": (914_800, 0, 3.2, None),
    "smcgan": (30_601_029, 0, 53.1, 325),
    "smcgan_small": (329_301, 0, 2.4, None),
    "unet": (1_820_066, 0, 8.8, 98),
    "wgan": (54_411_907, 0, 6.0, 1276),
    "wgan_small": (649_891, 0, 0.3, None),
    "wgan_gp": (54_411_907, 0, 6.0, 1276),
    "wgan_gp_small": (649_891, 0, 0.3, None),
}


def model_card(name):
    """What is known of a model without building it.

    Args:
        name: one of `list_models()`.

    Returns:
        ModelCard.

    Example:
        >>> model_card("dense").trained_parameters
        122438907
    """
    trained, frozen, multiply_adds, receptive_field = _SIZES[name]
    system = next(
        system for published, system in _SYSTEMS.items() if name == published or name.startswith(f"{published}_")
    )
    return ModelCard(
        name,
        system.citation,
        "lightness",
        ("ab", *system.outputs),
        trained,
        frozen,
        multiply_adds,
        receptive_field,
        system.losses,
        system.backbone,
    )
