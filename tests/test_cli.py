"""The command line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pronghorn
from pronghorn import _core
from pronghorn.cli.doctor import doctor
from pronghorn.cli.drawing import draw_row
from pronghorn.cli.main import main
from pronghorn.cli.workloads import WORKLOADS, build
from pronghorn.profiling import Profile


def test_version(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0 and capsys.readouterr().out == f"pronghorn {pronghorn.__version__}\n"


def test_help_without_a_command(capsys):
    assert main([]) == 0
    assert "demo" in capsys.readouterr().out


def test_doctor():
    # in a process of its own, where no test has made devices
    done = subprocess.run([sys.executable, "-m", "pronghorn", "doctor"], capture_output=True, text=True, check=True)
    assert "CPU level" in done.stdout and "agrees with NumPy" in done.stdout


def test_doctor_says_which_device_fails(capsys):
    device = f"toy{len(_core.devices())}"
    _core.register_python_device(device, {})
    assert doctor() == 1
    assert f"{device}:0: FAILED: matmul: there is no kernel for it on {device}:0" in capsys.readouterr().out


def test_doctor_shows_the_documented_switches_that_are_set(capsys, monkeypatch):
    documented = Path(__file__).parents[1].joinpath("CONTRIBUTING.md").read_text()
    switches = set(re.findall(r"^\| `(PRONGHORN_\w+)=", documented, re.MULTILINE))
    for switch in switches:
        monkeypatch.setenv(switch, f"value of {switch}")
    doctor()
    out = capsys.readouterr().out
    assert len(switches) >= 6 and all(f"value of {switch}" in out for switch in switches)


@pytest.mark.parametrize(
    "arguments",
    [
        *(["demo", "--data", "letters"], ["demo", "--epochs", "0"], ["fly"]),
        *(["bench", "--workload", "vgg"], ["bench", "--batch-size", "0"], ["bench", "--threads", "none"]),
    ],
)
def test_bad_arguments(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2


def test_demo_learns_the_digits(capsys):
    assert main(["demo"]) == 0
    out = capsys.readouterr().out
    accuracy = float(out.split("never seen before: ")[1].split("%")[0])
    assert accuracy >= 97
    assert "conv2d" in out and "12/12" in out and "✓" in out and "█" in out


def test_drawing_shrinks_and_captions():
    text = draw_row(np.stack([np.eye(4), np.ones((28, 28))[:4, :4]]), ["one", "two"])
    lines = text.splitlines()
    assert len(lines) == 5 and lines[0].startswith("██") and "one" in lines[-1] and "two" in lines[-1]
    assert len(draw_row(np.ones((1, 28, 28)), ["x"]).splitlines()) == 15


def test_bench_times_and_profiles_a_model_and_writes_it_down(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("pronghorn.cli.bench._SECONDS", 0.01)
    path, threads = tmp_path / "bench.json", pronghorn.config.num_threads()
    options = ["--workload", "mlp-32", "--batch-size", "8", "--threads", "1", "--json", str(path)]
    assert main(["bench", *options]) == 0
    out = capsys.readouterr().out
    assert "mlp-32: train step of 8 samples" in out and "mlp-32: predict step of 8 samples" in out
    assert "rmsprop_step" in out and "samples a second of fit and predict" in out
    result = json.loads(path.read_text())["workloads"]["mlp-32"]
    assert result["batch_size"] == 8 and set(result["samples_per_second"]) == {"train", "predict"}
    assert all(speed > 0 for speed in result["samples_per_second"].values())
    profile = Profile.from_json(json.dumps(result["profiles"]["train"]))
    assert profile.kind == "train" and profile.ceilings.threads == 1
    assert pronghorn.config.num_threads() == threads


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--device", "tpu"], "tpu"),
        (["--json", "no/such/folder/bench.json"], "no folder"),
        (["--plot", "no/such/folder/bench.png"], "no folder"),
    ],
)
def test_bench_says_at_once_what_it_cannot_do(options, message, capsys):
    assert main(["bench", "--workload", "mlp-32", *options]) == 1
    assert message in capsys.readouterr().err


def test_bench_without_matplotlib_says_what_to_install(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["bench", "--plot", str(tmp_path / "p.png")]) == 1
    assert "pip install 'pronghorn[plot]'" in capsys.readouterr().err


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_workload_is_a_compiled_model_of_ten_classes(name):
    small = {"convnet": (12, 12, 1), "resnet": (8, 8, 3)}
    shape = small.get(name.split("-")[0], WORKLOADS[name][0])
    model = build(pronghorn, name, shape)
    assert model.name == name and WORKLOADS[name][1] > 0
    assert np.isfinite(model.train_on_batch(np.ones((2, *shape)), np.array([1, 9])))[0]
    assert model.predict(np.ones((3, *shape)), verbose=0).shape == (3, 10)
