"""Packing on a real Dask cluster: a scheduler and workers in processes of their own."""

import cv2
import numpy as np
import pytest
from distributed import LocalCluster
from test_resume import contents

from densecolor.errors import DensecolorError
from densecolor.packing import pack
from densecolor.shards import open_shard
from densecolor.shards import verify

OPTIONS = {"image_size": 32, "shard_size": 8, "validation_fraction": 0.2, "compression": "gzip"}


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def source(tmp_path_factory, crops):
    folder = tmp_path_factory.mktemp("source")
    for i in range(60):
        (folder / str(i % 3)).mkdir(exist_ok=True)
        cv2.imwrite(str(folder / str(i % 3) / f"{i}.png"), np.roll(crops[i % 30], i // 30, axis=-1))
    (folder / "0/broken.png").write_bytes(b"broken")
    return folder


def test_a_cluster_gives_what_one_process_gives(source, cluster, tmp_path):
    calls = []
    elsewhere = pack(source, tmp_path / "a", scheduler=cluster, progress=lambda *call: calls.append(call), **OPTIONS)
    here = pack(source, tmp_path / "b", workers=1, **OPTIONS)
    assert contents(elsewhere.out) == contents(here.out)
    assert verify(elsewhere.out) == []
    assert calls[-1] == (61, 61)
    assert elsewhere.rejected == {"not a picture of a known format": 1}


def test_few_shards_are_joined_here_from_parts_made_there(source, cluster, tmp_path):
    result = pack(source, tmp_path / "a", scheduler=cluster, image_size=16, validation_fraction=0)
    with open_shard(result.out / "train-00000-of-00001.h5") as shard:
        assert shard.count == 60


def test_going_on_after_an_interruption(source, cluster, tmp_path):
    def stop(done, total):
        if done > 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack(source, tmp_path / "a", scheduler=cluster, progress=stop, **OPTIONS)
    resumed = pack(source, tmp_path / "a", scheduler=cluster, **OPTIONS)
    assert resumed.resumed > 0
    assert contents(resumed.out) == contents(pack(source, tmp_path / "b", workers=1, **OPTIONS).out)


def test_no_scheduler(source, tmp_path):
    with pytest.raises(DensecolorError, match=r"no Dask scheduler at tcp://127\.0\.0\.1:1 "):
        pack(source, tmp_path / "a", scheduler="tcp://127.0.0.1:1", **OPTIONS)


def test_no_workers(source, tmp_path):
    with (
        LocalCluster(n_workers=0, dashboard_address=None) as empty,
        pytest.raises(DensecolorError, match="has no workers"),
    ):
        pack(source, tmp_path / "a", scheduler=empty.scheduler_address, **OPTIONS)
