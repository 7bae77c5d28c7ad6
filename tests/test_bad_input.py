"""Wrong arguments get a Python exception that names them; nothing crashes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pronghorn as ph
from pronghorn import layers, ops

FUZZ = Path(__file__).with_name("fuzz_ops.py")


@pytest.mark.parametrize("seed", range(4))
def test_random_calls_of_native_ops_do_not_crash(seed):
    run = subprocess.run([sys.executable, str(FUZZ), str(seed), "1500"], capture_output=True, text=True, check=False)
    last = run.stderr.strip().splitlines()[-3:]
    assert run.returncode == 0, f"died with {run.returncode} in {last}"
    assert int(run.stdout) > 100  # enough of the calls made sense


X = np.ones((2, 3), "float32")

CASES = [
    ("reshape", lambda: ops.reshape(X, (4, 2)), r"reshape: x \(2, 3\) of 6 elements does not fit the shape \(4, 2\)"),
    ("reshape, two unknown", lambda: ops.reshape(X, (-1, -1)), r"one -1 only"),
    ("transpose", lambda: ops.transpose(X, (0, 0)), r"axis 0 is named twice"),
    ("matmul", lambda: ops.matmul(X, X), r"matmul: .*\(2, 3\).*3 columns meet 2 rows"),
    ("matmul of numbers", lambda: ops.matmul(1.0, 2.0), r"rank 1 or more"),
    ("concatenate", lambda: ops.concatenate([X, X.T], axis=0), r"shapes \(2, 3\) and \(3, 2\) differ"),
    ("concatenate nothing", lambda: ops.concatenate([]), r"`inputs` is empty|empty"),
    ("axis", lambda: ops.sum(X, axis=2), r"axis 2 is out of range for a tensor of rank 2"),
    ("axis twice", lambda: ops.sum(X, axis=(0, 0)), r"axis 0 is named twice"),
    ("max of nothing", lambda: ops.max(np.zeros((0, 3))), r"nothing to take it of"),
    ("take", lambda: ops.take(X, [5], axis=0), r"index 5 is outside \[-2, 2\)"),
    ("index", lambda: ops.convert_to_tensor(X)[7], r"index 7 is out of range for axis 0 of size 2"),
    ("indices", lambda: ops.convert_to_tensor(X)[0, 0, 0], r"too many indices"),
    ("top_k", lambda: ops.top_k(X, 4), r"k must be in \[0, 3\].*got 4"),
    ("split", lambda: ops.split(X, 2, axis=1), r"does not divide into 2"),
    ("one_hot", lambda: ops.one_hot([1], -1), r"num_classes must not be negative, got -1"),
    ("arange", lambda: ops.arange(0, 1, 0), r"step must not be zero"),
    ("linspace", lambda: ops.linspace(0, 1, -1), r"num must not be negative, got -1"),
    ("zeros", lambda: ops.zeros((-2,)), r"negative"),
    ("huge", lambda: ops.zeros((2**31, 2**31, 2**10)), r"too large|out of memory"),
    ("dtype", lambda: ops.zeros((2,), "float33"), r"float33"),
    ("conv", lambda: ops.conv(np.ones((1, 5, 5, 3)), np.ones((3, 3, 2, 4))), r"3 channels of inputs are no multiple"),
    ("conv padding", lambda: ops.conv(np.ones((1, 5, 5, 3)), np.ones((3, 3, 3, 4)), padding="full"), r"'full'"),
    ("einsum", lambda: ops.einsum("ij,jk->ik", X, X), r"letter 'j' has sizes|do not fit|sizes"),
    ("pad mode", lambda: ops.pad(X, 1, mode="wrap2"), r"mode must be"),
    ("Dense units", lambda: layers.Dense(-1), r"units"),
    ("Dense units text", lambda: layers.Dense("many"), r"units"),
    ("Dense activation", lambda: layers.Dense(2, activation="rellu"), r"unknown activation 'rellu'"),
    ("Dense initializer", lambda: layers.Dense(2, kernel_initializer="he"), r"unknown initializer 'he'"),
    ("Conv2D filters", lambda: layers.Conv2D(0, 3), r"filters"),
    ("Conv2D input", lambda: layers.Conv2D(2, 3)(np.ones((2, 5, 5))), r"ndim"),
    ("Dropout rate", lambda: layers.Dropout(1.5), r"rate"),
    ("Embedding index", lambda: layers.Embedding(4, 2)(np.array([[4]])), r"index 4 is outside"),
    ("Reshape", lambda: layers.Reshape((4,))(X), r"\(4,\)"),
    ("Concatenate", lambda: layers.Concatenate(axis=0)([np.ones((2, 3)), np.ones((2, 4))]), r"shape"),
    ("unknown argument", lambda: layers.Dense(2, colour="red"), r"colour"),
    ("not compiled", lambda: ph.Sequential([layers.Dense(1)]).fit(X, X), r"compile"),
    ("no layers", lambda: ph.Sequential([3]), r"layer|Layer"),
    ("initializer", lambda: ph.initializers.VarianceScaling(scale=-1.0), r"scale must be positive, got -1.0"),
    ("initializer seed", lambda: ph.initializers.HeNormal(seed="x"), r"seed must be"),
    ("orthogonal", lambda: ph.initializers.Orthogonal()((3,)), r"two or more dimensions"),
]


@pytest.mark.parametrize(("use", "message"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_message_says_what_is_wrong(use, message):
    with pytest.raises((ValueError, TypeError, IndexError), match=message):
        use()


def _model():
    model = ph.Sequential([ph.Input((3,)), layers.Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


FITS = [
    ("lengths differ", X, np.zeros(3, "int32"), r"2.*3|3.*2"),
    ("wrong width", np.ones((2, 4), "float32"), np.zeros(2, "int32"), r"shape|incompatible"),
    ("empty", np.ones((0, 3), "float32"), np.zeros(0, "int32"), r"empty|no samples|0"),
    ("label out of range", X, np.array([0, 7], "int32"), r"7"),
    ("text", np.array([["a", "b", "c"]] * 2), np.zeros(2, "int32"), r"dtype|<U1|str"),
]


@pytest.mark.parametrize(("x", "y", "message"), [fit[1:] for fit in FITS], ids=[fit[0] for fit in FITS])
def test_fit_refuses_data_that_does_not_fit(x, y, message):
    with pytest.raises((ValueError, TypeError, IndexError), match=message):
        _model().fit(x, y, verbose=0)
