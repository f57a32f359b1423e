"""A colorizer taken apart: what it draws from the whole picture, and the rest, which sees only so far."""

import keras


class TileModel:
    """A model for tiles of a picture, to be used like a Keras model.

    Of `{"lightness"}` it predicts what the model does, and also the vectors that the model draws from the picture (a
    mean, features of a class branch) and uses at every pixel. Of lightness with those vectors it predicts `ab` by them.

    Args:
        model: Keras model that maps `lightness` to `ab`; anything else with `name` and `predict_on_batch` is not taken
            apart.

    Attributes:
        reach: int, how many pixels away the network sees, beside the vectors; None until somebody measures it
            (`densecolor.inference.tiles.measure_reach`).
    """

    def __init__(self, model):
        self.name = model.name
        if hasattr(model, "working_size"):
            self.working_size = model.working_size
        self.reach = None
        self._whole = self._local = model
        self._vectors = {tensor.name: tensor for tensor in _global_tensors(model)}
        if self._vectors:
            lightness, ab = model.input["lightness"], model.output["ab"]
            self._whole = keras.Model({"lightness": lightness}, {"ab": ab, **self._vectors}, name=model.name)
            self._local = keras.Model({"lightness": lightness, **self._vectors}, {"ab": ab}, name=model.name)

    def predict_on_batch(self, inputs):
        """See the class."""
        return (self._local if len(inputs) > 1 else self._whole).predict_on_batch(inputs)

    def vectors_of(self, outputs):
        """The further inputs that tiles need, from what was predicted for the whole picture."""
        return {name: outputs[name] for name in self._vectors}


def _global_tensors(model):
    """Tensors of the graph that are one vector a picture, and are next used at every pixel."""
    outputs = model.output if isinstance(model, keras.Model) and model.built else None
    if not isinstance(outputs, dict) or "ab" not in outputs:
        return []  # `predict_outputs` says what is wrong with it
    found, seen, waiting = {}, set(), [outputs["ab"]]
    while waiting:
        tensor = waiting.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        operation, node, _ = tensor._keras_history
        for source in operation._inbound_nodes[node].input_tensors:
            if _is_vector(source) and not _is_vector(tensor):
                found[id(source)] = source
            else:
                waiting.append(source)
    return list(found.values())


def _is_vector(tensor):
    return len(tensor.shape) == 2 or tuple(tensor.shape[1:3]) == (1, 1)
