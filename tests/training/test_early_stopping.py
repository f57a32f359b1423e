import json

import keras
import numpy as np
import pytest
from test_train import TINY
from test_train import history
from test_train import weights

from densecolor.training import TrainConfig
from densecolor.training import train
from densecolor.training.early_stopping import EarlyStopping
from densecolor.training.monitor import best_row
from densecolor.training.monitor import monitored_column

ROWS = [{"ab_mse": 9 - i, "val_ab_mse": value} for i, value in enumerate([3.0, 2.0, 2.0, 2.5, 1.0])]
# Too fast to get better in every epoch.
UNSTEADY = TINY | {"epochs": 8, "learning_rate": 0.2, "schedule": "constant", "samples": 1}


def test_waits_for_a_new_lowest_value():
    stopping = EarlyStopping(2, "ab_mse", [], str)
    stopping.set_model(keras.Model())
    stopped = []
    for epoch, row in enumerate(ROWS[:4]):
        stopping.on_epoch_end(epoch, row)
        stopped.append(stopping.stopped)
    assert stopped == [False, False, False, True]
    assert stopping.model.stop_training
    assert EarlyStopping(2, "ab_mse", ROWS[:4], str).stopped
    assert not EarlyStopping(3, "ab_mse", ROWS[:4], str).stopped


def test_state_is_plain_json_and_follows_from_the_history():
    first = EarlyStopping(2, "ab_mse", ROWS[:3], str)
    second = EarlyStopping(2, "ab_mse", [], str)
    second.set_state(json.loads(json.dumps(first.get_state())))
    assert first.get_state() == second.get_state() == {"best": 2.0, "waited": 1}
    second.set_model(keras.Model())
    second.on_epoch_end(3, ROWS[3])
    assert second.stopped


def test_the_best_row_is_the_first_lowest():
    assert monitored_column("info_loss", {"info_loss": 1.0}) == "info_loss"
    assert best_row(ROWS[:4], "ab_mse") is ROWS[1]


@pytest.fixture(scope="module")
def whole(packed, tmp_path_factory):
    """A run without patience, and the epoch after which patience 1 ends it, from its history."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    train(TrainConfig(data=packed, **UNSTEADY), run, report=str)
    values = [row["val_ab_mse"] for row in history(run)]
    ends = 1 + next(i for i in range(1, len(values)) if values[i] >= min(values[:i]))
    assert 1 < ends < len(values)
    return run, ends


def test_stops_where_the_history_says_and_stays_stopped(whole, packed, tmp_path):
    run, ends = whole
    config = TrainConfig(data=packed, **UNSTEADY | {"patience": 1})
    lines = []
    train(config, tmp_path / "run", report=lines.append)
    assert history(tmp_path / "run") == history(run)[:ends]
    assert "Stopped early: val_ab_mse has not been below" in lines[-1]
    assert not lines[-2].endswith("left")
    final = weights(tmp_path / "run/final.keras")
    lines.clear()
    train(config, tmp_path / "run", resume=True, report=lines.append)
    assert "0 epochs to go" in lines[0]
    assert len(history(tmp_path / "run")) == ends
    for one, other in zip(final, weights(tmp_path / "run/final.keras"), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_resumed_run_stops_at_the_same_epoch(whole, packed, tmp_path):
    run, ends = whole
    config = TrainConfig(data=packed, **UNSTEADY | {"patience": 1})

    def stop(done, total):
        if done == 3 * (ends - 1) + 1:  # in the epoch after which it ends
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "run", progress=stop, report=str)
    assert len(history(tmp_path / "run")) == ends - 1
    train(config, tmp_path / "run", resume=True, report=str)
    for row, other in zip(history(tmp_path / "run"), history(run)[:ends], strict=True):
        assert row == pytest.approx(other, rel=1e-3)
