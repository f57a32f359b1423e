import tempfile
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from made_checkpoints import KERNEL
from made_checkpoints import WEIGHTS
from made_checkpoints import foreign_configs
from made_checkpoints import replaced
from made_checkpoints import rewrite
from made_checkpoints import with_arguments

from densecolor import models
from densecolor.checkpoint import check_savable
from densecolor.checkpoint import load_model
from densecolor.checkpoint import save_model
from densecolor.checkpoint.size import least_parameters
from densecolor.errors import CheckpointError

PIXELS = np.linspace(-1, 1, 6 * 7, dtype=np.float32).reshape(1, 6, 7, 1)


@pytest.fixture(scope="module")
def model():
    return models.create("unet", filters=(2, 4))


@pytest.fixture
def path(model, tmp_path):
    save_model(model, tmp_path / "model.keras")
    return tmp_path / "model.keras"


def test_a_saved_model_predicts_the_same(model, path):
    loaded = load_model(path)
    assert not loaded.compiled
    np.testing.assert_array_equal(loaded(PIXELS)["ab"], model(PIXELS)["ab"])


def test_a_trained_model_loads_whatever_it_was_compiled_with(tmp_path):
    model = models.create("unet", filters=(2,))
    schedule = keras.optimizers.schedules.CosineDecay(1e-2, 10)
    metrics = {"ab": [keras.metrics.MeanSquaredError(name="mse")]}
    model.compile(keras.optimizers.Adam(schedule), models.losses.default_losses(["ab"]), weighted_metrics=metrics)
    model.run_eagerly = True
    model.fit(PIXELS, {"ab": np.ones((1, 6, 7, 2))}, verbose=0)
    save_model(model, tmp_path / "trained.keras")
    for loaded in (load_model(tmp_path / "trained.keras"), keras.saving.load_model(tmp_path / "trained.keras")):
        np.testing.assert_array_equal(loaded(PIXELS)["ab"], model(PIXELS)["ab"])


def test_a_branch_with_random_state_loads(tmp_path):
    options = {"branch": "efficientnet_b0", "branch_size": 32, "num_classes": 2}
    save_model(models.create("dense_tiny", **options), tmp_path / "model.keras")
    assert load_model(tmp_path / "model.keras").branch == "efficientnet_b0"


@pytest.mark.parametrize(
    "options", [{"dtype": "bfloat16"}, {"dtype": "float16"}, {"dtype": "float64"}, {"filters": (2,) * 9}]
)
def test_whatever_is_saved_loads(options, tmp_path):
    model = models.create("unet", **{"filters": (2,), **options})
    save_model(model, tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert loaded.get_config() == model.get_config()
    for mine, its in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(keras.ops.cast(mine, "float64"), keras.ops.cast(its, "float64"))


def test_a_model_that_could_not_be_loaded_is_not_saved(tmp_path):
    model = models.create("unet", filters=(2,), working_size=100_000)
    for refuse in (check_savable, lambda model: save_model(model, tmp_path / "model.keras")):
        with pytest.raises(CheckpointError, match=r"Model 'unet_colorizer' .* not allowed: working_size=100000"):
            refuse(model)
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_for_temporary_files_is_not_the_files_fault(path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(path.parent / "absent"))
    with pytest.raises(FileNotFoundError, match="absent"):
        load_model(path)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("unet", {"filters": (64, 8, 64)}),
        ("hypercolumn", {"widths": (4, 8, 4, 8, 64), "fc_width": 32, "head_width": 16}),
        ("hypercolumn_small", {"widths": (64, 4, 4, 4, 4), "head_width": 200}),
        ("colorful", {"filters": (8, 64, 8, 8, 8, 8, 8, 64)}),
        ("dense_tiny", {}),
        ("dense_tiny", {"branch": "inception_v3", "branch_size": 139, "branch_pooling": False, "num_classes": 0}),
        ("dense_tiny", {"layers_per_block": 8, "growth_rate": 16, "fc_widths": (300, 200)}),
        ("koalarization_small", {"width": 0.1, "depth": 3}),
        ("koalarization_small", {"embedding": "logits", "logit_count": 9000, "branch_size": 32}),
        ("koalarization_small", {"branch": "vgg16", "branch_size": 32, "embedding": "logits", "fusion": "add"}),
        ("koalarization", {"embedding_input": True, "fusion": "film"}),
        ("iizuka_small", {"global_size": 33, "num_classes": 5000}),
        ("residual_small", {"blocks": 3, "filters": 4, "num_classes": 5000}),
        ("residual_small", {"blocks": 1, "num_classes": 0}),
    ],
)
def test_a_model_has_no_fewer_parameters_than_it_is_held_to(name, options):
    model = models.create(name, **options)
    assert 0 < least_parameters(type(model), model.get_config()) <= model.count_params()


@pytest.mark.parametrize("value", [[768] * 8, [4096] * 8, [4096] * 16])
def test_a_small_file_does_not_get_a_large_model(value, path):
    rewrite(path, edit_config=with_arguments(filters=value))
    with pytest.raises(CheckpointError, match=r"of more than [\d,]+ parameters, but has only [\d,]+ bytes"):
        load_model(path)


@pytest.mark.parametrize(
    ("name", "tiny", "huge"),
    [
        ("koalarization", {"embedding_input": True, "width": 0.02, "logit_count": 4}, {"width": 8}),
        ("koalarization", {"embedding_input": True, "width": 0.02, "logit_count": 4}, {"logit_count": 100_000}),
        (
            "koalarization",
            {"embedding_input": True, "width": 0.02, "logit_count": 4},
            {"embedding_input": False, "branch": "vgg16", "branch_size": 512},
        ),
        ("iizuka", {"global_size": 32, "width": 0.02, "num_classes": 0}, {"global_size": 1024, "width": 1.0}),
        ("residual", {"blocks": 1, "filters": 2, "num_classes": 0}, {"blocks": 64, "filters": 64}),
        ("residual", {"blocks": 1, "filters": 2, "num_classes": 0}, {"filters": 4096}),
    ],
)
def test_no_published_system_grows_in_a_small_file(name, tiny, huge, tmp_path):
    save_model(models.create(name, **tiny), tmp_path / "model.keras")
    rewrite(tmp_path / "model.keras", edit_config=with_arguments(**huge))
    with pytest.raises(CheckpointError, match=r"of more than [\d,]+ parameters, but has only [\d,]+ bytes"):
        load_model(tmp_path / "model.keras")


def test_saving_replaces_the_file_and_leaves_nothing_else(model, path):
    path.write_bytes(b"an older file")
    save_model(model, path)
    load_model(path)
    assert [entry.name for entry in path.parent.iterdir()] == ["model.keras"]


def test_saving_elsewhere_than_a_keras_file_is_refused(model, tmp_path):
    with pytest.raises(CheckpointError, match=r"must end in '\.keras'. Received: .*model\.h5"):
        save_model(model, tmp_path / "model.h5")
    with pytest.raises(CheckpointError, match=r"Only colorizers .* Received: Sequential"):
        save_model(keras.Sequential(), tmp_path / "model.keras")
    assert not list(tmp_path.iterdir())


def test_a_run_directory_gives_its_best_model_else_its_final_one(path):
    final = path.rename(path.with_name("final.keras"))
    assert load_model(path.parent).working_size == 256
    save_model(models.create("unet", filters=(2,), working_size=64), path.with_name("best.keras"))
    assert load_model(path.parent).working_size == 64
    final.unlink()
    assert load_model(str(path.parent)).working_size == 64


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=f"{tmp_path} holds neither best.keras nor final.keras"):
        load_model(tmp_path)
    with pytest.raises(CheckpointError, match=r"no model file .*absent\.keras"):
        load_model(tmp_path / "absent.keras")


@pytest.mark.parametrize("content", [b"", b"PK", b"not a model\n" * 1000])
def test_other_files_are_refused(content, tmp_path):
    path = tmp_path / "file.keras"
    path.write_bytes(content)
    for trust in (False, True):
        with pytest.raises(CheckpointError, match=r"file\.keras"):
            load_model(path, trust=trust)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
def test_truncated_files_are_refused(kept, path):
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    with pytest.raises(CheckpointError, match=r"is not a whole \.keras file"):
        load_model(path)


def test_damage_anywhere_is_refused_or_harmless(path):
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(40):
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole), 3):
            damaged[place] ^= int(random.integers(1, 256))
        path.write_bytes(damaged)
        try:
            load_model(path)
        except CheckpointError:
            refused += 1
    assert refused > 30


@pytest.mark.parametrize("index", range(4))
def test_classes_that_are_not_ours_are_never_built(index, path, tmp_path):
    canary = tmp_path / "canary"
    rewrite(path, edit_config=lambda _: foreign_configs(canary)[index])
    with pytest.raises(CheckpointError, match=r"model\.keras holds .* is not one of our models .*trust=True"):
        load_model(path)
    assert not canary.exists()


@pytest.mark.parametrize("index", range(4))
def test_objects_in_the_place_of_arguments_are_never_built(index, path, tmp_path):
    canary = tmp_path / "canary"
    whole = path.read_bytes()
    for argument in ("filters", "dtype", "name", "sync_batchnorm"):
        path.write_bytes(whole)
        rewrite(path, edit_config=with_arguments(**{argument: foreign_configs(canary)[index]}))
        with pytest.raises(CheckpointError, match=f"not allowed: {argument}="):
            load_model(path)
    assert not canary.exists()


def test_objects_to_compile_with_are_never_built(path, tmp_path):
    canary = tmp_path / "canary"
    compile_config = {"optimizer": foreign_configs(canary)[0], "loss": foreign_configs(canary)[3]}
    rewrite(path, edit_config=lambda config: config | {"compile_config": compile_config})
    assert not load_model(path).compiled
    assert not canary.exists()


def test_a_foreign_model_loads_when_trusted_but_never_code(tmp_path):
    plain = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    plain.save(tmp_path / "plain.keras")
    assert isinstance(load_model(tmp_path / "plain.keras", trust=True), keras.Sequential)
    keras.Sequential([keras.Input((1,)), keras.layers.Lambda(lambda x: x)]).save(tmp_path / "code.keras")
    with pytest.raises(CheckpointError, match=r"Keras cannot load .*code\.keras"):
        load_model(tmp_path / "code.keras", trust=True)


@pytest.mark.parametrize("value", ["imagenet", "/etc/passwd", "nowhere.weights.h5"])
def test_a_file_causes_no_download_and_opens_no_other_file(value, tmp_path):
    path = tmp_path / "model.keras"
    save_model(models.create("dense_tiny", num_classes=0), path)
    rewrite(path, edit_config=with_arguments(branch_weights=value))
    assert load_model(path).get_config()["branch_weights"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": [2, 10**9]}, "not allowed: filters="),
        ({"filters": [2] * 100}, "not allowed: filters="),
        ({"filters": [[2]]}, "not allowed: filters="),
        ({"working_size": 10**400}, "not allowed: working_size="),
        ({"working_size": -1}, "not allowed: working_size="),
        ({"working_size": float("nan")}, "not allowed: working_size="),
        ({"name": "a" * 1000}, "not allowed: name="),
        ({"dtype": "int8_from_float32"}, "not allowed: dtype=int8"),
        ({"filters": []}, "cannot be built"),
        ({"filters": None}, "cannot be built"),
        ({"filters": "ab"}, "cannot be built"),
        ({"name": "a/b"}, "cannot be built"),
        ({"layers": 3}, r"arguments that UNetColorizer does not know: \['layers'\]"),
    ],
)
def test_bad_arguments_are_refused(arguments, message, path):
    rewrite(path, edit_config=with_arguments(**arguments))
    with pytest.raises(CheckpointError, match=message):
        load_model(path)


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"[]", b"\xff", b"[" * 100_000, b'{"registered_name": [], "config": {}}', b"1" * 5000]
)
def test_configurations_that_are_none_are_refused(text, path):
    rewrite(path, edit_config=lambda _: text)
    with pytest.raises(CheckpointError, match=r"config\.json"):
        load_model(path)


def test_a_huge_configuration_is_not_read(path):
    rewrite(path, edit_config=lambda _: b" " * (2 << 20))
    with pytest.raises(CheckpointError, match=r"config\.json of 2,097,152 bytes"):
        load_model(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["../canary", "/tmp/canary", "assets/x", WEIGHTS, "config.json", "C:\\canary"])
def test_other_members_of_the_archive_are_refused(name, path):
    rewrite(path, extra=[(name, b"anything")])
    with pytest.raises(CheckpointError, match="must hold exactly"):
        load_model(path)
    assert [entry.name for entry in path.parent.iterdir()] == ["model.keras"]


def test_far_more_bytes_than_the_model_needs_are_not_unpacked(path):
    with zipfile.ZipFile(path) as archive:
        config = archive.read("config.json")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", b"{}")
        archive.writestr("config.json", config)
        archive.writestr(WEIGHTS, bytes(100 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(CheckpointError, match="104,857,600 bytes of weights; its model needs at most"):
        load_model(path)


def virtual(file, shape):
    layout = h5py.VirtualLayout(shape, "f4")
    layout[...] = h5py.VirtualSource("canary.h5", "secret", shape)
    file.create_virtual_dataset(KERNEL, layout)


WEIGHT_ATTACKS = {
    "external link": (
        replaced(lambda file, shape: file.__setitem__(KERNEL, h5py.ExternalLink("canary.h5", "secret"))),
        "a link that leads elsewhere, /layers/conv2d/vars/0",
    ),
    "soft link": (
        replaced(lambda file, shape: file.__setitem__(KERNEL, h5py.SoftLink("/layers/conv2d_1/vars/0"))),
        "a link that leads elsewhere, /layers/conv2d/vars/0",
    ),
    "link beside the weights": (
        lambda file: file.__setitem__("optimizer", h5py.ExternalLink("canary.h5", "/")),
        "a link that leads elsewhere, /optimizer",
    ),
    "external storage": (
        replaced(lambda file, shape: file.create_dataset(KERNEL, shape, "f4", external=[("canary.bin", 0, 4096)])),
        "stored in another file",
    ),
    "virtual dataset": (replaced(virtual), "stored in another file"),
    "compressed": (
        replaced(lambda file, shape: file.create_dataset(KERNEL, shape, "f4", compression="gzip")),
        "not stored as it is",
    ),
    "never written": (replaced(lambda file, shape: file.create_dataset(KERNEL, shape, "f4")), "not stored as it is"),
    "giant": (
        replaced(lambda file, shape: file.create_dataset(KERNEL, (2**40,), "f4", chunks=(2**20,))),
        "not stored as it is",
    ),
    "giant in the optimizer": (
        lambda file: file.create_dataset("optimizer/vars/0", (2**40,), "f4", chunks=(2**20,)),
        "not stored as it is",
    ),
    "strings": (
        replaced(lambda file, shape: file.create_dataset(KERNEL, data=["code"])),
        "not of numbers",
    ),
    "references": (
        replaced(lambda file, shape: file.create_dataset(KERNEL, data=file["layers"].ref, dtype=h5py.ref_dtype)),
        "not of numbers",
    ),
    "named type": (lambda file: file.__setitem__("type", np.dtype("f4")), "no array, /type"),
    "circle": (lambda file: file.__setitem__("layers/circle", file["layers"]), "a second name .*, /layers/circle"),
    "circle through the root": (lambda file: file.__setitem__("circle", file["/"]), "a second name .*, /circle"),
    "another shape": (
        replaced(lambda file, shape: file.create_dataset(KERNEL, data=np.ones((3, 3, 1, 5), "f4"))),
        r"missing shapes \[\(3, 3, 1, 2\)\], unexpected shapes \[\(3, 3, 1, 5\)\]",
    ),
    "missing": (replaced(lambda file, shape: None), r"missing shapes \[\(3, 3, 1, 2\)\], unexpected shapes \[\]"),
    "more": (lambda file: file.create_dataset("more", data=np.ones(7)), r"unexpected shapes \[\(7,\)\]"),
    "in another place": (lambda file: file.move(KERNEL, "layers/conv2d/vars/7"), "do not fit its model"),
}


@pytest.mark.parametrize("attack", WEIGHT_ATTACKS)
def test_weights_that_keras_never_wrote_are_refused(attack, path, monkeypatch):
    monkeypatch.chdir(path.parent)
    secret = b"secret" * 1000
    Path("canary.bin").write_bytes(secret)
    with h5py.File("canary.h5", "w") as file:
        file["secret"] = np.ones((3, 3, 1, 2), "f4")
    edit, message = WEIGHT_ATTACKS[attack]
    rewrite(path, edit_weights=edit)
    with pytest.raises(CheckpointError, match=message) as caught:
        load_model(path)
    assert str(path) in str(caught.value)
    assert Path("canary.bin").read_bytes() == secret


def test_weights_that_are_no_hdf5_file_are_refused(path):
    with zipfile.ZipFile(path) as archive:
        config = archive.read("config.json")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {"metadata.json": b"{}", "config.json": config, WEIGHTS: b"text"}.items():
            archive.writestr(name, content)
    with pytest.raises(CheckpointError, match=r"weights in .*model\.keras cannot be read"):
        load_model(path)
