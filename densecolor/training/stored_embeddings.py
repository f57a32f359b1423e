"""Training on the embeddings that densecolor-embed has stored, in place of the frozen network that makes them."""

from densecolor import models
from densecolor.checkpoint import load_model
from densecolor.checkpoint import save_model
from densecolor.embedding import sha256_of_weights
from densecolor.errors import TrainingError


def stored_branch(config):
    """The network whose stored embeddings a run reads beside lightness; None for a model that needs none.

    Args:
        config: `TrainConfig`.

    Returns:
        str, a name of `densecolor.models.BRANCHES`, or None.

    Example:
        >>> stored_branch(TrainConfig("packed", "koalarization", {"embedding_input": True}))
        'inception_resnet_v2'
    """
    options = models.model_options(config.model) | config.model_options
    return options["branch"] if options.get("embedding_input") else None


def require_same_embedding(model, embeddings, config):
    """Refuse a model that expects other embeddings than those that are stored.

    Args:
        model: with `embedding_input`.
        embeddings: `densecolor.shards.Embeddings`.
        config: `TrainConfig`; where its `model_options` name `branch_weights`, they must be those that made the
            embeddings.

    Raises:
        TrainingError: they differ; the message tells the options that would fit.
        DensecolorError: the branch weights do not load.
    """
    info = embeddings.info
    expected = (model.branch_size, model.embedding, model.input["embedding"].shape[-1])
    if expected != (info.branch_size, info.embedding, embeddings.width):
        raise TrainingError(
            f"The model expects {expected[1]} of {model.branch} at {expected[0]}, {expected[2]} values; stored beside "
            f"{config.data} are {info}, {embeddings.width} values. Leave out branch_size, embedding and logit_count, "
            "which the stored ones decide, or compute others with densecolor-embed --overwrite."
        )
    weights = config.model_options.get("branch_weights")
    if weights is None:
        return
    embedder = models.create_embedder(model.branch, model.branch_size, weights, model.embedding, model.logit_count)
    if sha256_of_weights(embedder) != info.weights_sha256:
        raise TrainingError(
            f"The embeddings beside {config.data} were not made with the weights {weights}, so a model joined with "
            "these would see others than it was trained on. Name the weights that densecolor-embed was given."
        )


def embedding_options(embeddings):
    """What stored embeddings decide of the model that is trained on them.

    Args:
        embeddings: `densecolor.shards.Embeddings`.

    Returns:
        dict of options of `densecolor.models.create`.
    """
    info = embeddings.info
    options = {"branch_size": info.branch_size, "embedding": info.embedding}
    return options | ({"logit_count": embeddings.width} if info.embedding == "logits" else {})


def join_backbone(directory, config, report):
    """Put the network into the models of a run that was trained without it, so that they take lightness alone.

    Args:
        directory: `RunDirectory` of a run that is finished.
        config: `TrainConfig`; without `branch_weights` among its `model_options` the models stay as they are.
        report: function of one line of text.
    """
    weights = config.model_options.get("branch_weights")
    if weights is None:
        report(
            f"The models in {directory.path} take embeddings beside lightness. To colorize pictures, join them with "
            "the network (densecolor.models.with_backbone); with -o branch_weights=FILE training does that at its end."
        )
        return
    for path in (directory.best, directory.final):
        model = load_model(path)
        if model.embedding_input:  # not joined by an earlier call already
            save_model(models.with_backbone(model, weights), path)
