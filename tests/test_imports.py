"""`import pronghorn` is quick, and every public module can be the first one that a program imports."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pronghorn


def _run(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", [*pronghorn._SUBMODULES, "cli", "cli.main", "tf_names"])
def test_a_module_can_be_imported_first(name):
    _run(f"import pronghorn.{name}")


def test_importing_the_package_loads_no_other_package():
    heavy = "numpy", "h5py", "rich", "ml_dtypes", "pronghorn.ops"
    loaded = _run("import sys, pronghorn; print(*sys.modules)").split()
    assert not set(heavy) & set(loaded)


@pytest.mark.parametrize(
    ("name", "value"),
    [("Variable", "ph.Variable(3.0)"), ("Tensor", "ph._core.convert(3.0)"), ("GradientTape", "ph._core.convert(3.0)")],
)
def test_arithmetic_works_whatever_was_imported_first(name, value):
    assert _run(f"import pronghorn as ph; ph.{name}; print(float({value} * 2))") == "6.0\n"


def test_names_of_tensorflow_and_modules_are_found_by_attribute():
    assert pronghorn.keras is pronghorn
    assert pronghorn.naming.__name__ == "pronghorn.naming"
    assert pronghorn.constant(1).shape == ()
    with pytest.raises(AttributeError, match="'konstant'"):
        _ = pronghorn.konstant
