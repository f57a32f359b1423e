"""The colorizer of Baldassarre et al., 2017: an encoder and decoder that a frozen Inception-ResNet-v2 advises."""

import keras

from densecolor.color import AB_SCALE
from densecolor.errors import DensecolorError
from densecolor.errors import require_choice
from densecolor.models.class_branch import BRANCHES
from densecolor.models.class_branch import IMAGENET_CLASSES
from densecolor.models.colorizer import Colorizer
from densecolor.models.convolutions import apply_color_decoder
from densecolor.models.convolutions import convolution_layers
from densecolor.models.convolutions import require_positive
from densecolor.models.convolutions import scaled
from densecolor.models.frozen_branch import EMBEDDINGS
from densecolor.models.frozen_branch import apply_frozen_branch
from densecolor.models.frozen_branch import embedding_length
from densecolor.models.fusion import FUSIONS
from densecolor.models.fusion import apply_fusion
from densecolor.models.layers import CropLike
from densecolor.models.layers import PadToMultiple
from densecolor.models.layers import apply_layers
from densecolor.models.layers import dtype_scope
from densecolor.models.upsampling import UPSAMPLINGS

ENCODER = ((64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 1), (256, 1))  # channels, strides
FUSED = 256  # channels of the 1x1 convolution
OWN_SCALE = 127.0  # a and b are divided by it


@keras.saving.register_keras_serializable(package="densecolor")
class KoalarizationColorizer(Colorizer):
    """Convolutions down to an eighth of the size, the embedding of the whole picture at every position, and back.

    Baldassarre F., Gonzalez Morin D., Rodes-Guirao L., "Deep Koalarization: Image Colorization using CNNs and
    Inception-ResNet-v2", arXiv 1712.03400, 2017. 6,573,794 parameters are trained; the network that makes the
    embedding is frozen, so that the embeddings can be computed once (`densecolor-embed`) and training runs without it
    (`embedding_input`). What follow-up work varies (fusion, upsampling, width, depth, the network) are options.

    Where we differ, or the paper says too little:
        - Its network has 1001 classes, one for the background, as TF-Slim's weights have; Keras' have 1000. Both give
          logits, which have no bounds, so that we standardise them by default; the paper does not.
        - The network sees the picture squeezed into its square, not inside black bars; for squares that is the same.
        - The output convolution starts small, as in all our models, so that training begins with gray pictures.

    Input: `lightness`, float (batch, H, W, 1), L / 50 - 1, in [-1, 1]; any H and W. With `embedding_input` also
        `embedding`, float (batch, D).
    Output: dict with `ab`, float32 (batch, H, W, 2), ab / 128, in [-127 / 128, 127 / 128].

    Args:
        branch: str, the network that makes the embedding, a name in `densecolor.models.BRANCHES`.
        branch_weights: None (random: of use only where weights are loaded later), "imagenet" (Keras downloads them) or
            the path of a weights file. Part of building only: a saved model holds the weights themselves.
        branch_size: int, side at which the network sees the picture; None for its own.
        embedding: "logits", D = `logit_count`, or "pooled", D = the channels of the network's last features (1536).
        logit_count: int, classes of the network's classifier.
        standardize: bool, bring every embedding to mean 0 and variance 1; nothing in that is learned.
        embedding_input: bool, take precomputed embeddings as a second input and build no network for them;
            `with_backbone` makes the model that colorizes pictures of it.
        fusion: "concat" as in the paper, "add" or "film" (see `fusion.apply_fusion`).
        upsampling: "nearest" as in the paper, "bilinear", "transposed" or "subpixel" (see
            `upsampling.apply_upsampling`).
        width: float, factor of all channels of encoder, fusion and decoder.
        depth: int, convolutions in place of each of theirs.
        working_size: int, side in pixels at which the weights work best; trainers set it to the size they used.
        dtype: dtype policy or its name, None for the global one.
        name: str.

    Raises:
        DensecolorError: an argument has a value that is not among its choices, or the branch weights do not load; or,
            when called, the embedding is missing.

    Example:
        >>> model = KoalarizationColorizer(branch="mobilenet", branch_size=32, width=0.1)
        >>> model(np.zeros((1, 97, 131, 1)))["ab"].shape
        TensorShape([1, 97, 131, 2])
    """

    def __init__(
        self,
        branch="inception_resnet_v2",
        branch_weights=None,
        branch_size=None,
        embedding="logits",
        logit_count=IMAGENET_CLASSES,
        standardize=True,
        embedding_input=False,
        fusion="concat",
        upsampling="nearest",
        width=1.0,
        depth=1,
        working_size=256,
        dtype=None,
        name="koalarization_colorizer",
    ):
        require_choice("branch", branch, sorted(BRANCHES))
        require_choice("embedding", embedding, EMBEDDINGS)
        require_choice("fusion", fusion, FUSIONS)
        require_choice("upsampling", upsampling, UPSAMPLINGS)
        require_positive(logit_count=logit_count, width=width, depth=depth)
        branch_size = branch_size or BRANCHES[branch].size
        with dtype_scope(dtype) as policy:
            lightness = keras.Input((None, None, 1), name="lightness")
            if embedding_input:
                vector = keras.Input((embedding_length(branch, embedding, logit_count),), name="embedding")
                more_inputs = {"embedding": vector}
            else:
                vector = apply_frozen_branch(lightness, branch, branch_size, branch_weights, embedding, logit_count)
                more_inputs = {}
            if standardize:
                vector = keras.layers.LayerNormalization(center=False, scale=False, name="standardize")(vector)
            x = PadToMultiple(8, name="pad")(lightness)
            x = apply_layers(x, convolution_layers(ENCODER, "encoder", width, depth))
            x = apply_fusion(x, vector, scaled(FUSED, width), fusion)
            ab = apply_color_decoder(x, "tanh", upsampling, width=width, depth=depth)
            ab = keras.layers.Rescaling(OWN_SCALE / AB_SCALE, dtype="float32", name="scale")(ab)
            ab = CropLike(dtype="float32", name="ab")([ab, lightness])
        super().__init__(lightness, {"ab": ab}, policy, working_size, name, more_inputs)
        self.branch = branch
        self.branch_size = branch_size
        self.embedding = embedding
        self.logit_count = logit_count
        self.standardize = standardize
        self.embedding_input = embedding_input
        self.fusion = fusion
        self.upsampling = upsampling
        self.width = width
        self.depth = depth

    def __call__(self, inputs, *args, **kwargs):
        """As any model; without the embedding that it needs, the error says where to get it."""
        if self.embedding_input and not (isinstance(inputs, dict) and "embedding" in inputs):
            raise DensecolorError(
                f"Model {self.name!r} was trained on precomputed embeddings and takes them as its second input, "
                "'embedding'. densecolor.models.with_backbone(model) gives one that takes lightness alone."
            )
        return super().__call__(inputs, *args, **kwargs)

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {
            **super().get_config(),
            "branch": self.branch,
            "branch_weights": None,
            "branch_size": self.branch_size,
            "embedding": self.embedding,
            "logit_count": self.logit_count,
            "standardize": self.standardize,
            "embedding_input": self.embedding_input,
            "fusion": self.fusion,
            "upsampling": self.upsampling,
            "width": self.width,
            "depth": self.depth,
        }


def with_backbone(model, branch_weights="imagenet"):
    """Join what was trained on precomputed embeddings with the network that makes them.

    Args:
        model: `KoalarizationColorizer` with `embedding_input`.
        branch_weights: the weights that the embeddings were computed with: "imagenet" (Keras downloads them) or a file.

    Returns:
        A `KoalarizationColorizer` with the same trained weights that takes lightness alone; save it, and every command
        can use it.

    Raises:
        DensecolorError: `model` is of another kind, or the branch weights do not load.

    Example:
        >>> model = with_backbone(densecolor.load_model("runs/koalarization"))
        >>> densecolor.save_model(model, "koalarization.keras")
    """
    if not getattr(model, "embedding_input", False):
        raise DensecolorError(
            f"Only a KoalarizationColorizer with embedding_input=True lacks its backbone. Received: {model.name!r}, a "
            f"{type(model).__name__}."
        )
    options = {**model.get_config(), "embedding_input": False, "branch_weights": branch_weights}
    whole = KoalarizationColorizer(**options)
    for layer in model.layers:
        if layer.weights:
            whole.get_layer(layer.name).set_weights(layer.get_weights())
    return whole
