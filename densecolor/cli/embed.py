"""`densecolor-embed DATA`: what a frozen network says of every packed picture, computed once."""

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from densecolor.cli.common import DebugOption
from densecolor.cli.common import JsonOption
from densecolor.cli.common import VersionOption
from densecolor.cli.common import import_keras_quietly
from densecolor.cli.common import progress_bar
from densecolor.cli.common import reports_errors
from densecolor.cli.common import run
from densecolor.cli.common import say


@reports_errors
def embed(
    data: Annotated[Path, typer.Argument(help="A packed folder (see densecolor-pack).")],
    branch: Annotated[str, typer.Option(help="inception_resnet_v2, vgg16, ...")] = "inception_resnet_v2",
    weights: Annotated[
        str, typer.Option(help="imagenet (downloaded), or a file of the network's weights.")
    ] = "imagenet",
    branch_size: Annotated[
        int | None, typer.Option(min=1, help="Side at which the network sees pictures. [default: its own]")
    ] = None,
    embedding: Annotated[
        str, typer.Option(help="logits (of its classifier) or pooled (the mean of its last features).")
    ] = "logits",
    logit_count: Annotated[int, typer.Option(min=1, help="Classes of its classifier.")] = 1000,
    batch_size: Annotated[int, typer.Option(min=1, help="Pictures that the network sees at once.")] = 32,
    dtype: Annotated[str, typer.Option(help="float16 or float32, as stored.")] = "float16",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what was made in another way.")] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
    version: VersionOption = False,
):
    """Compute the embeddings that a koalarization model is trained with, beside the shards of DATA.

    The network is frozen, so that a training with `embedding_input=true` needs it no more. Interrupted, the same
    command goes on.

    Examples:

        densecolor-embed packed

        densecolor-embed packed --branch mobilenet_v2 --embedding pooled --weights mobilenet_v2.weights.h5
    """
    import_keras_quietly()
    from densecolor.embedding import embed as embed_pictures

    with progress_bar("Embedding") as progress:
        result = embed_pictures(
            data,
            branch,
            weights=weights,
            branch_size=branch_size,
            embedding=embedding,
            logit_count=logit_count,
            batch_size=batch_size,
            dtype=dtype,
            overwrite=overwrite,
            progress=progress,
        )
    if as_json:
        written, skipped = ([str(path) for path in paths] for paths in (result.written, result.skipped))
        summary = {"width": result.width, **dataclasses.asdict(result.info)}
        print(json.dumps(summary | {"written": written, "skipped": skipped}, indent=1))
    else:
        say(f"{len(result.written)} files written, {len(result.skipped)} were there: {result.width} values a picture.")


def main():
    """Console script `densecolor-embed`."""
    run(embed)
