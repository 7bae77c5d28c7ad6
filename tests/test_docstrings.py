"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

from pronghorn import ops

MODULES = sorted(f"pronghorn.ops.{module.name}" for module in pkgutil.iter_modules(ops.__path__))


PROFILING = [f"pronghorn.profiling.{name}" for name in ("ceilings", "profile", "rows")]
OTHERS = ["pronghorn.gradient_tape", "pronghorn.models.model", "pronghorn.tf_names"]


@pytest.mark.parametrize("name", [*MODULES, *PROFILING, *OTHERS])
def test_examples(name):
    results = doctest.testmod(importlib.import_module(name), extraglobs={"np": np})
    assert results.failed == 0
