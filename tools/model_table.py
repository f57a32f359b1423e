"""How large the models are: the table of docs/models.md, and what densecolor/models/cards.py has to say.

    python tools/model_table.py [NAME ...]

Multiply-adds are those of convolutions and fully connected layers for one picture of 256 x 256, counted from the shapes
of the traced graph, the network of a class branch or an embedding included. The receptive field is that of the way from
lightness to colour without what looks at the whole picture, counted from the published layers.
"""

import argparse
import math

import tensorflow as tf

from densecolor import models

SIDE = 256

# Steps from lightness to ab: "3/2" is a 3x3 convolution with strides of 2, "3d2" one with a dilation of 2; "up2"
# repeats pixels, "up2+" interpolates between them (as a transposed 4x4 convolution with strides of 2 does).
_LOW_LEVEL = "3/2 3 3/2 3 3/2 3"
_DECODER = "3 up2 3 3 up2 3 3 up2"
_VGG16 = "3 3 2/2 3 3 2/2 3 3 3 2/2 3 3 3 2/2 3 3 3"
_UNET256 = f"{'4/2 ' * 8} {'up2+ ' * 8}"
_LOCAL_WAYS = {
    "chromagan": f"{_VGG16[: -len(' 2/2 3 3 3')]} 3 3 {_DECODER}",
    "colorgan": "7 5 5 5 5 5",
    "cyclegan": f"7 3/2 3/2 {'3 ' * 18} up2+ up2+ 7",
    "dcgan": f"4 {'4/2 ' * 7} {'up2+ ' * 7}",
    "dcgan_cifar": f"4 {'4/2 ' * 4} {'up2+ ' * 4}",
    "colorful": "3 3/2 3 3/2 3 3 3/2 3 3 3 3d2 3d2 3d2 3d2 3d2 3d2 3 3 3 up2+ 3 3 up4+",
    "dense": f"3 {'3 ' * 48} 3",
    "gan": _UNET256,
    "hypercolumn": f"{_VGG16} 2/2 7 up32+",
    "hypercolumn_light": f"{_VGG16} up16+",
    "iizuka": f"{_LOW_LEVEL} 3 3 {_DECODER}",
    "koalarization": f"{_LOW_LEVEL} 3 3 {_DECODER}",
    "pix2pix": _UNET256,
    "residual": "7 3 3 3 3 3 3 3/2 3 3 3 3 3 3/2 3 3 3 3 3 3 3 up2+ 3 3 up2+ 3 3 3",
    "resunet": f"3/2 3/2 {'3 ' * 4} 3/2 {'3 ' * 4} 3/2 {'3 ' * 4} up2+ 3 3 up2+ 3 3 3 up4+",
    "smcgan": f"7 {'3/2 ' * 4} {'3 ' * 8} {'up2 3 ' * 4} 3",
    "unet": "3 3 2/2 3 3 2/2 3 3 2/2 3 3 up2+ 3 up2+ 3 up2+ 3 3",
    "wgan": _UNET256,
    "wgan_gp": _UNET256,
}


def receptive_field(way):
    """Side in pixels of the square that one output pixel sees.

    Example:
        >>> receptive_field("3/2 3"), receptive_field("3 up2+ 3"), receptive_field("3d2")
        (7, 5, 5)
    """
    side, jump = 1.0, 1.0
    for step in way.split():
        if step.startswith("up"):
            side += jump * step.count("+")
            jump /= int(step.strip("up+"))
        else:
            window, _, stride = step.partition("/")
            kernel, _, dilation = window.partition("d")
            side += (int(kernel) - 1) * int(dilation or 1) * jump
            jump *= int(stride or 1)
    return math.ceil(side)


def multiply_adds(model, side=SIDE):
    """Multiply-adds of convolutions and matrix products for one picture."""
    picture = tf.TensorSpec((1, side, side, 1))
    graph = tf.function(lambda lightness: model(lightness, training=False)).get_concrete_function(picture).graph
    return _of_graph(graph)


def _of_graph(graph):
    """Of the operations that the outputs need; tracing may leave others behind, which never run."""
    needed, waiting = set(), [output.op for output in graph.outputs]
    while waiting:
        operation = waiting.pop()
        if operation not in needed:
            needed.add(operation)
            waiting += [tensor.op for tensor in operation.inputs]
    return sum(map(_of_operation, needed))


def _of_operation(operation):
    if operation.type == "While":  # a map over bands of rows, whose number is its second input
        body = operation.graph._functions[operation.get_attr("body").name].graph
        return int(tf.get_static_value(operation.inputs[1])) * _of_graph(body)
    if operation.type == "MatMul":
        return math.prod(operation.outputs[0].shape) * operation.inputs[0].shape[-1]
    if operation.type in ("Conv2D", "DepthwiseConv2dNative"):
        height, width, channels, _ = operation.inputs[1].shape
        read = height * width * (channels if operation.type == "Conv2D" else 1)
        return math.prod(operation.outputs[0].shape) * read
    if operation.type == "Conv2DBackpropInput":  # a transposed convolution
        height, width, channels, _ = operation.inputs[1].shape
        return math.prod(operation.inputs[2].shape) * height * width * channels
    return 0


def row(name):
    """One line of the table."""
    model = models.create(name)
    trained = sum(math.prod(variable.shape) for variable in model.trainable_variables)
    frozen = sum(layer.count_params() for layer in model.layers if layer.weights and not layer.trainable)
    way = _LOCAL_WAYS.get(name)
    cells = (
        f"`{name}`",
        f"{trained:,}",
        f"{frozen:,}" if frozen else "",
        f"{multiply_adds(model) / 1e9:,.1f} G",
        f"{receptive_field(way)}" if way else "",
    )
    return f"| {' | '.join(cells)} |"


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="models, all by default")
    names = parser.parse_args().names or models.list_models()
    print("| name | trained | frozen | multiply-adds | local receptive field |")
    print("|---|---|---|---|---|")
    for name in names:
        print(row(name), flush=True)


if __name__ == "__main__":
    main()
