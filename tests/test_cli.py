"""The command line."""

from __future__ import annotations

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


@pytest.mark.parametrize("arguments", [["demo", "--data", "letters"], ["demo", "--epochs", "0"], ["fly"]])
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
