import pickle
import shutil

import h5py
import keras
import numpy as np
import pytest

from densecolor import models
from densecolor import shards
from densecolor.dataset import BatchReader
from densecolor.dataset import ShardDataset
from densecolor.dataset import iterate
from densecolor.dataset import load
from densecolor.dataset.batches import model_values
from densecolor.embedding import embed
from densecolor.errors import DensecolorError
from densecolor.errors import ShardError
from densecolor.models.class_branch import create_backbone
from densecolor.shards import open_dataset
from densecolor.shards.embedding import EmbeddingFile
from densecolor.shards.embedding import embedding_path

FIRST = "train-00000-of-00003.embedding-mobilenet.h5"


@pytest.fixture
def data(packed, tmp_path):
    return shutil.copytree(packed, tmp_path / "data")


@pytest.fixture(scope="module")
def embedded_once(packed, mobilenet_weights, tmp_path_factory):
    options, weights = mobilenet_weights
    arguments = options | {"weights": weights, "dtype": "float32"}
    folder = shutil.copytree(packed, tmp_path_factory.mktemp("embedded") / "data")
    embed(folder, **arguments)
    return folder, arguments


@pytest.fixture
def embedded(embedded_once, tmp_path):
    """A packed folder with embeddings: (folder, the arguments they were made with)."""
    folder, arguments = embedded_once
    return shutil.copytree(folder, tmp_path / "embedded"), arguments


def backbone_values(folder, split, options, weights):
    """The embeddings by another way: the bare network on gray pictures made of L by its own formula (CIE, sRGB)."""
    logits = options["embedding"] == "logits"
    backbone = create_backbone("mobilenet", 32, weights, logit_count=options["logit_count"] if logits else 0)
    lightness = np.stack([record.L for record in iterate(folder, split)]) / 2.55
    linear = np.where(lightness > 8, ((lightness + 16) / 116) ** 3, lightness / 903.3)
    gray = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    values = keras.ops.convert_to_numpy(backbone(np.repeat(2 * gray[..., None] - 1, 3, axis=-1).astype(np.float32)))
    return values if logits else values.mean(axis=(1, 2))


@pytest.mark.parametrize("fixture", ["mobilenet_weights", "pooled_mobilenet_weights"])
def test_embeddings_are_those_of_the_network(data, fixture, request):
    options, weights = request.getfixturevalue(fixture)
    calls = []
    result = embed(data, **options, weights=weights, batch_size=5, progress=lambda *call: calls.append(call))
    assert (len(result.written), result.skipped) == (5, [])
    assert result.width == (6 if options["embedding"] == "logits" else 1024)
    assert calls[-1] == (30, 30)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    for split in ("train", "validation"):
        packed = open_dataset(data, split)
        stored = shards.Embeddings(packed, "mobilenet")
        ours = np.stack([stored.read(*packed.locate(index)) for index in range(packed.count)])
        expected = backbone_values(data, split, options, weights)
        assert np.std(expected, axis=0).max() > 0.01
        np.testing.assert_allclose(ours, expected, atol=5e-3 * np.abs(expected).max())
    assert not list(data.glob("*.partial"))
    assert shards.verify(data) == []


def test_batches_bring_the_embedding_of_each_picture(embedded):
    folder, arguments = embedded
    options = {"batch_size": 4, "augment": True, "image_size": 16, "embedding": "mobilenet"}
    reader = pickle.loads(pickle.dumps(BatchReader(folder, **options)))
    expected = backbone_values(folder, "train", arguments, arguments["weights"])
    stored = [record.L for record in iterate(folder)]
    whole = BatchReader(folder, **(options | {"augment": False, "image_size": None}))
    for step in range(reader.steps):
        pictures, crops = whole.read(1, step), reader.read(1, step)
        index = [next(i for i, L in enumerate(stored) if np.array_equal(L, row)) for row in pictures.L]
        np.testing.assert_allclose(crops.embedding, expected[index], atol=5e-3 * np.abs(expected).max())
    inputs, _, _ = next(iter(load(folder, **options, repeat=True)))
    again, _, _ = model_values(reader.read(0, 0), ("ab",))
    np.testing.assert_array_equal(inputs["embedding"], again["embedding"])
    np.testing.assert_array_equal(ShardDataset(folder, **options)[0][0]["embedding"], again["embedding"])


def test_a_head_trains_without_its_backbone(embedded):
    folder, arguments = embedded
    keras.utils.set_random_seed(0)
    options = {name: arguments[name] for name in ("branch", "branch_size", "embedding", "logit_count")}
    model = models.create("koalarization", **options, embedding_input=True, width=0.1)
    batches = load(folder, "train", batch_size=7, embedding="mobilenet")
    model.compile(keras.optimizers.Adam(3e-3), models.losses.default_losses(["ab"]), jit_compile=False)
    losses = model.fit(batches, epochs=8, shuffle=False, verbose=0).history["loss"]
    assert losses[-1] < 0.95 * losses[0]
    whole = models.with_backbone(model, arguments["weights"])
    inputs, _, _ = next(iter(batches))
    joined, alone = whole(inputs["lightness"])["ab"], model(inputs)["ab"]
    np.testing.assert_allclose(joined, alone, atol=1e-3)


def test_what_is_there_is_kept_and_what_is_damaged_made_again(embedded):
    folder, arguments = embedded
    files = sorted(folder.glob("*.embedding-mobilenet.h5"))
    before = [path.read_bytes() for path in files]
    content = bytearray(before[0])
    with h5py.File(files[0]) as file:
        place = file["embedding"].id.get_chunk_info_by_coord((2, 0)).byte_offset
    content[place] ^= 0xFF
    files[0].write_bytes(content)
    files[1].write_bytes(before[1][:1000])
    files[2].unlink()
    assert len(shards.verify(folder)) == 2
    packed = open_dataset(folder)
    with pytest.raises(ShardError, match=rf"{FIRST} is damaged: it cannot be read .* Make it again"):
        shards.Embeddings(packed, "mobilenet").read(0, 2)
    result = embed(folder, **arguments)
    assert (result.written, result.skipped) == (files[:3], files[3:])
    assert [path.read_bytes() for path in files] == before


def test_embeddings_of_another_shard_are_refused(embedded):
    folder, arguments = embedded
    shutil.copy(folder / FIRST, folder / FIRST.replace("00000-of", "00001-of"))
    with pytest.raises(ShardError, match=r"was made of another train-00001-of-00003\.h5 than the manifest lists"):
        shards.Embeddings(open_dataset(folder), "mobilenet").read(1, 0)
    assert embed(folder, **arguments).written == [folder / FIRST.replace("00000-of", "00001-of")]


def test_embeddings_made_in_another_way_are_not_mixed(embedded, tmp_path):
    folder, arguments = embedded
    other = tmp_path / "other.weights.h5"
    create_backbone("mobilenet", 32, logit_count=arguments["logit_count"]).save_weights(other)
    second = embedding_path(folder / "train-00001-of-00003.h5", "mobilenet")
    with pytest.raises(ShardError, match=r"holds \w+ of mobilenet at 32 with weights .* Replace it with --overwrite"):
        embed(folder, **(arguments | {"weights": other}))
    kept = second.read_bytes()
    assert len(embed(folder, **(arguments | {"weights": other}), overwrite=True).written) == 5
    second.write_bytes(kept)
    embeddings = shards.Embeddings(open_dataset(folder), "mobilenet")
    with pytest.raises(ShardError, match="the split's first file has"):
        embeddings.read(1, 0)


def test_a_link_to_another_file_is_refused(embedded):
    folder, _ = embedded
    info = next(shard for shard in shards.read_manifest(folder).shards if shard.name.startswith("train-00000"))
    with h5py.File(folder / FIRST, "r+") as file:
        del file["embedding"]
        file["embedding"] = h5py.ExternalLink(str(folder / info.name), "L")
    with pytest.raises(ShardError, match="is damaged"):
        EmbeddingFile(folder / FIRST, info)


def test_mistakes_are_explained(data, mobilenet_weights):
    options, weights = mobilenet_weights
    with pytest.raises(FileNotFoundError, match=rf"There is no .*{FIRST}. Make it with densecolor-embed"):
        load(data, "train", embedding="mobilenet")
    with pytest.raises(DensecolorError, match="Random weights are others every time"):
        embed(data, **options, weights=None)
    with pytest.raises(DensecolorError, match=r"Unknown dtype='int8'\. Choose from float16, float32"):
        embed(data, **options, weights=weights, dtype="int8")
    with pytest.raises(DensecolorError, match="Unknown branch='vgg11'"):
        embed(data, "vgg11")
    assert not list(data.glob("*embedding*"))


def test_values_that_do_not_fit_are_told(data, mobilenet_weights, tmp_path):
    options, weights = mobilenet_weights
    backbone = create_backbone("mobilenet", 32, weights, logit_count=options["logit_count"])
    layer = next(layer for layer in reversed(backbone.layers) if layer.weights)
    layer.set_weights([1e6 * value if index == 0 else value for index, value in enumerate(layer.get_weights())])
    backbone.save_weights(tmp_path / "large.weights.h5")
    arguments = options | {"weights": tmp_path / "large.weights.h5"}
    with pytest.raises(DensecolorError, match=r"are not finite as float16\. Try float32"):
        embed(data, **arguments)
    assert embed(data, **arguments, dtype="float32").width == 6
