"""Reading outside of HDF5 gives what h5py gives, and leaves to HDF5 what is not as the writer makes it."""

import concurrent.futures
import pickle

import h5py
import numpy as np
import pytest
from conftest import write_packed

from densecolor.errors import ShardError
from densecolor.shards import COMPRESSIONS
from densecolor.shards import open_dataset
from densecolor.shards.direct import Descriptor
from densecolor.shards.direct import locate_pictures


@pytest.fixture(scope="module")
def pictures(crops):
    """Photographs and, as ninth, noise that lzf cannot make smaller."""
    noise = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), np.uint8)
    return np.concatenate([crops[:8], noise, crops[8:12]])


@pytest.fixture(params=COMPRESSIONS)
def folder(tmp_path, pictures, request):
    splits = {"train": (pictures, np.arange(13) % 3)}
    return write_packed(tmp_path / "data", splits, list("abc"), request.param, with_mask=True)


def direct_reader(path, name):
    """What reads picture after picture of one data set without HDF5; None where that is not possible."""
    with h5py.File(path) as file:
        places = locate_pictures(file[name])
    if places is None:
        return None
    descriptor = Descriptor(path)

    def read(index):
        out = np.full(places.shape, 77, places.dtype)
        return out if places.read_into(descriptor, index, out) else None

    return read


def test_all_that_the_writer_writes_is_read_without_hdf5(folder):
    for path in folder.glob("*.h5"):
        with h5py.File(path) as file:
            for name in ("L", "ab", "mask"):
                read = direct_reader(path, name)
                for index, expected in enumerate(file[name][:]):
                    np.testing.assert_array_equal(read(index), expected)


def test_a_split_reads_the_same_from_many_threads_and_after_pickling(folder):
    packed = open_dataset(folder)
    expected = {name: [packed.shard(n).read(name, i) for n, i in map(packed.locate, range(13))] for name in ("L", "ab")}
    again = pickle.loads(pickle.dumps(packed))
    again.read("L", 0, 0)

    def check(task):
        name, index = task
        got = again.read(name, *again.locate(index))
        np.testing.assert_array_equal(got, expected[name][index])
        return got

    tasks = [(name, index) for index in range(13) for name in expected] * 20
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(check, tasks))
    assert len({id(result) for result in results}) == len(tasks)  # nobody's array is anybody else's


def test_out_is_filled_in_place(folder):
    packed = open_dataset(folder)
    batch = np.zeros((3, 32, 32, 2), np.int8)
    returned = packed.read("ab", 1, 2, batch[1])
    np.testing.assert_array_equal(batch[1], packed.shard(1).read("ab", 2))
    assert np.shares_memory(returned, batch)
    assert not batch[[0, 2]].any()


@pytest.mark.parametrize("compression", ["lzf", "gzip"])
def test_every_damaged_byte_of_a_picture_is_noticed(tmp_path, crops, compression):
    folder = write_packed(tmp_path / "data", {"train": (crops[:4], np.zeros(4, int))}, compression=compression)
    path = folder / "train-00000-of-00001.h5"
    with h5py.File(path) as file:
        chunk = file["L"].id.get_chunk_info(2)
    whole = path.read_bytes()
    read = direct_reader(path, "L")
    assert read(2) is not None
    for place in {*range(0, chunk.size, 97), chunk.size - 1}:
        content = bytearray(whole)
        content[chunk.byte_offset + place] ^= 0x10
        path.write_bytes(content)
        assert direct_reader(path, "L")(2) is None
        packed = open_dataset(folder)
        with pytest.raises(ShardError, match=r"is damaged: 'L' of image 2 \(train/2\.png\) cannot be read"):
            packed.read("L", 0, 2)
        packed.read("L", 0, 1)


def test_a_file_that_ends_early(tmp_path, crops):
    folder = write_packed(tmp_path / "data", {"train": (crops[:4], np.zeros(4, int))}, compression="none")
    path = folder / "train-00000-of-00001.h5"
    read = direct_reader(path, "ab")
    with open(path, "r+b") as file:
        file.truncate(3000)
    assert read(3) is None


@pytest.mark.parametrize(
    "options",
    [
        {"chunks": (2, 8, 8), "compression": "lzf"},
        {"chunks": (1, 8, 8), "compression": "lzf", "shuffle": True},
        {"chunks": (1, 8, 8), "scaleoffset": 0},
        {"maxshape": (None, 8, 8), "chunks": (3, 8, 8)},
    ],
)
def test_other_layouts_and_filters_are_left_to_hdf5(tmp_path, options):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        assert locate_pictures(file.create_dataset("L", (6, 8, 8), np.uint8, **options)) is None


@pytest.mark.parametrize("options", [{}, {"fletcher32": True}, {"compression": "gzip"}, {"compression": "lzf"}])
def test_pictures_with_some_of_the_filters_and_those_never_written(tmp_path, options):
    values = np.arange(6 * 64, dtype=np.uint8).reshape(6, 8, 8) // 16
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = file.create_dataset("L", (6, 8, 8), np.uint8, chunks=(1, 8, 8), **options)
        dataset[:5] = values[:5]
    read = direct_reader(tmp_path / "a.h5", "L")
    for index in range(5):
        np.testing.assert_array_equal(read(index), values[index])
    assert read(5) is None  # HDF5 knows the value that fills it


def test_a_stream_that_is_not_a_picture_is_left_to_hdf5(tmp_path, crops):
    """A right checksum over a stream that ends too early or holds too much."""
    picture = crops[0, ..., 0]
    path = tmp_path / "a.h5"
    for shape in ((16, 32), (64, 32)):
        with h5py.File(path, "w") as file:
            other = file.create_dataset("other", (1, *shape), np.uint8, chunks=(1, *shape), compression="gzip")
            other[0] = np.resize(picture, shape)
            dataset = file.create_dataset("L", (1, 32, 32), np.uint8, chunks=(1, 32, 32), compression="gzip")
            dataset.id.write_direct_chunk((0, 0, 0), other.id.read_direct_chunk((0, 0, 0))[1])
        assert direct_reader(path, "L")(0) is None
