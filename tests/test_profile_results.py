"""What is made of a profile - sums, tables, JSON, pictures - and the ceilings of a machine."""

from __future__ import annotations

import importlib.util
import itertools
import json
import math
import sys

import numpy as np
import pytest

import pronghorn as ph
from profiles import array, convnet, profile_of
from pronghorn import _core, layers
from pronghorn.profiling import Ceilings, Profile, ProfileRow, measure_ceilings

MACHINE = Ceilings(
    "cpu:0", "", 2, {"float32": 100e9, "float64": 50e9}, ((1e3, 40e9), (1e5, 80e9), (1e7, 20e9), (1e8, 10e9)), 1e-6
)


def _made():
    rows = (
        ProfileRow("b", "forward", "matmul", "gemm", "float32(2, 2)", ("r",), 2, 3e-3, 2e8, 1e6, 2e-3, "compute"),
        ProfileRow("a", "backward", "add", "tiles", "float32(2,)", (), 1, 2e-3, 1e6, 8e6, 1e-4, "memory"),
        ProfileRow("a", "backward", "exp", "tiles", "float32(2,)", ("q",), 1, 1.5e-3, 1e6, 8e6, 1e-4, "cache"),
        ProfileRow("optimizer", "update", "sgd_step", "spans", "float32(2,)", (), 1, 1e-4, 0.0, 1e3, 1e-9, "overhead"),
    )
    return Profile("m[x]", "train", 32, rows, 6e-3, 1000, 2000, 3000, MACHINE)


def test_rates_and_shares_are_what_the_figures_say():
    row = _made().rows[0]
    assert row.gflops_per_second == pytest.approx(2e8 / 3e-3 * 1e-9)
    assert row.gbytes_per_second == pytest.approx(1e6 / 3e-3 * 1e-9)
    assert row.percent_of_ceiling == pytest.approx(100 * 2 / 3)
    assert _made().samples_per_second == pytest.approx(32 / 6e-3)


def test_layers_and_total_are_sums_of_rows_slowest_first():
    profile = _made()
    first, second, third = profile.layers
    assert (first.layer, first.phase, first.op) == ("a", "backward", "")
    assert first.seconds == pytest.approx(3.5e-3) and first.calls == 2 and first.fused == ("q",)
    assert (second.layer, third.layer) == ("b", "optimizer")
    assert profile.total.seconds == pytest.approx(6.6e-3) and profile.total.calls == 5
    assert profile.total.flops == 2e8 + 2e6 and profile.total.bytes == 17e6 + 1e3
    assert Profile("m", "predict", 1, (), 0.0, 0, 0, 0, MACHINE).total.seconds == 0
    real = profile_of(convnet(), array(4, 9, 9, 3), np.array([0, 1, 2, 3]))
    times = [row.seconds for row in real.rows]
    assert times == sorted(times, reverse=True)
    assert len({(row.layer, row.phase, row.op) for row in real.rows}) == len(real.rows)


def test_the_largest_losses_are_the_rows_farthest_above_their_ceilings():
    profile = _made()
    assert [(row.op, round(row.lost_seconds, 9)) for row in profile.largest_losses()] == [
        ("add", 1.9e-3), ("exp", 1.4e-3), ("matmul", 1e-3),
    ]  # fmt: skip
    assert [row.op for row in profile.largest_losses(1)] == ["add"]
    winograd = ProfileRow("c", "forward", "conv2d", "winograd4", "", (), 1, 1e-3, 3e8, 1e6, 2e-3, "compute")
    assert winograd.lost_seconds == 0
    fast = Profile("m", "predict", 1, (winograd,), 1e-3, 0, 0, 0, MACHINE)
    assert fast.largest_losses() == () and "largest losses to the ceilings: none" in str(fast)
    caption = " ".join(str(profile).split())  # the lines break where the terminal ends
    assert "a bwd add 1.900 ms, a bwd exp 1.400 ms, b fwd matmul 1.000 ms" in caption
    with pytest.raises(ValueError, match="largest_losses: limit must be a positive integer, got 0"):
        profile.largest_losses(0)


def test_the_table_shows_each_row_and_sums_up_the_rest():
    text = str(_made())
    for part in ("m[x]", "train step of 32", "b + r", "matmul", "bwd", "memory", "overhead", "67%", "all"):
        assert part in text
    assert _made().table().row_count == 4 + 1
    assert _made().table(limit=2).row_count == 2 + 1 + 1
    assert _made().table(by="layer").row_count == 3 + 1
    columns = [len(_made().table(width=width).columns) for width in (None, 140, 139, 100, 99)]
    assert columns == [12, 12, 9, 9, 7]
    with pytest.raises(ValueError, match="table: by"):
        _made().table(by="time")
    with pytest.raises(ValueError, match="table: limit"):
        _made().table(limit=0)
    assert "4 rows" in repr(_made())


def test_a_profile_is_printed_unless_it_shall_not_be(capsys):
    model = ph.Sequential([ph.Input((3,)), layers.Dense(2, name="visible")])
    model.profile(array(4, 3), repeats=1)
    assert "visible" in capsys.readouterr().out
    profile_of(model, array(4, 3))
    assert capsys.readouterr().out == ""


def test_json_holds_everything_and_comes_back(tmp_path):
    real = profile_of(convnet(), array(4, 9, 9, 3), np.array([0, 1, 2, 3]))
    for profile in (_made(), real):
        assert Profile.from_json(profile.to_json()) == profile
        profile.save(tmp_path / "profile.json")
        assert Profile.load(tmp_path / "profile.json") == profile
    data = json.loads((tmp_path / "profile.json").read_text())
    assert data["rows"][0]["percent_of_ceiling"] == pytest.approx(real.rows[0].percent_of_ceiling)
    assert data["samples_per_second"] == pytest.approx(real.samples_per_second)


@pytest.mark.parametrize("text", ["", "[]", "{}", "{", '{"format": "other"}', '{"format": "pronghorn profile 1"}'])
def test_json_of_something_else_is_refused(text):
    with pytest.raises(ValueError, match="from_json"):
        Profile.from_json(text)


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "profile.json"
    _made().save(path)
    before = path.read_text()
    monkeypatch.setattr(Profile, "to_json", lambda self, **options: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        _made().save(path)
    assert path.read_text() == before and [each.name for each in tmp_path.iterdir()] == ["profile.json"]
    with pytest.raises(TypeError, match="save: path"):
        _made().save(3)


def test_a_picture_without_matplotlib_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'pronghorn\[plot\]'"):
        _made().plot(tmp_path / "p.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="matplotlib is not installed")
@pytest.mark.parametrize(("name", "start"), [("p.png", b"\x89PNG"), ("p.svg", b"<?xml")])
def test_the_picture_is_written_in_the_format_of_its_name(tmp_path, name, start):
    empty = Profile("m", "predict", 1, (), 0.0, 0, 0, 0, MACHINE)
    for profile in (_made(), empty):
        profile.plot(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)
    with pytest.raises(ValueError, match="plot: limit"):
        _made().plot(tmp_path / name, limit=0)


# --- what the machine can do


def test_a_call_takes_at_least_the_time_of_its_arithmetic_and_of_its_traffic():
    assert MACHINE.seconds("float32", 1e9, 1e5) == pytest.approx(0.01)
    assert MACHINE.seconds("float64", 1e9, 1e5) == pytest.approx(0.02)
    assert MACHINE.seconds("int32", 1e9, 1e5) == pytest.approx(0.01)
    assert MACHINE.seconds("float32", 0, 1e8) == pytest.approx(0.01)


def test_bandwidth_falls_with_the_size_of_the_data():
    # the rate measured at 1e3 bytes is that of the overhead of the call; what is small fits where 1e5 bytes do
    assert MACHINE.bandwidth(0) == MACHINE.bandwidth(1e3) == MACHINE.bandwidth(1e5) == 80e9
    assert MACHINE.bandwidth(1e8) == MACHINE.bandwidth(1e12) == 10e9
    between = MACHINE.bandwidth(math.sqrt(1e5 * 1e7))
    assert between == pytest.approx(50e9)
    rates = [MACHINE.bandwidth(10**power) for power in range(12)]
    assert all(a >= b for a, b in itertools.pairwise(rates))


def test_what_bounds_a_call():
    assert MACHINE.bound("float32", 1e9, 1e5) == "compute"
    assert MACHINE.bound("float32", 1e3, 1e8) == "memory"
    assert MACHINE.bound("float32", 1e3, 1e6) == "cache"
    assert MACHINE.bound("float32", 1e3, 1e3) == "overhead"


def test_the_machine_is_measured_once_and_more_dtypes_when_asked():
    first = measure_ceilings()
    assert measure_ceilings() is first
    assert first.device == _core.current_device() and first.threads == ph.config.num_threads()
    assert first.peak("float32") > 0 and first.call_seconds > 0
    assert all(rate > 0 for _, rate in first.bandwidths)
    assert [size for size, _ in first.bandwidths] == sorted(size for size, _ in first.bandwidths)
    more = measure_ceilings(["float64"])
    assert more.flops["float32"] == first.flops["float32"] and more.flops["float64"] > 0
    assert more.bandwidths == first.bandwidths
    with pytest.raises(ValueError, match="dtypes"):
        measure_ceilings(["int8"])
    with pytest.raises(TypeError, match="dtypes"):
        measure_ceilings("float32")
