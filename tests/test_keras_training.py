"""Programs that compile, fit, evaluate, predict and call back do what they do in real Keras."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

import pronghorn as ph
from training_cases import CASES, plain

RECORDED = json.loads((Path(__file__).with_name("data") / "keras_training.json").read_text())["cases"]


def _assert_same(ours, recorded, where):
    if isinstance(recorded, float) or isinstance(ours, float):
        assert isinstance(ours, (int, float)) and isinstance(recorded, (int, float)), (where, ours, recorded)
        assert math.isclose(ours, recorded, rel_tol=1e-5, abs_tol=1e-6), (where, ours, recorded)
    elif isinstance(recorded, dict):
        assert isinstance(ours, dict) and list(ours) == list(recorded), (where, ours, recorded)
        for key, value in recorded.items():
            _assert_same(ours[key], value, f"{where}/{key}")
    elif isinstance(recorded, list):
        assert isinstance(ours, list) and len(ours) == len(recorded), (where, ours, recorded)
        for number, value in enumerate(recorded):
            _assert_same(ours[number], value, f"{where}[{number}]")
    else:
        assert type(ours) is type(recorded) and ours == recorded, (where, ours, recorded)


@pytest.mark.parametrize("name", CASES)
def test_programs_do_what_they_do_in_keras(name, tmp_path):
    if name == "data_frames":
        pytest.importorskip("pandas")
    ph.backend.clear_session()
    _assert_same(plain(CASES[name](ph, str(tmp_path))), RECORDED[name], name)


def test_every_case_is_recorded():
    assert list(RECORDED) == list(CASES)
