"""Settings for the whole suite."""

from __future__ import annotations

import os

import pytest

from pronghorn import config


@pytest.fixture(autouse=True, scope="session")
def products_are_exact_on_gpus():
    """The reference is exact; what tensor cores lose at "high" has tests of its own."""
    if os.environ.get("PRONGHORN_DEVICE", "cpu").startswith("gpu"):
        config.set_matmul_precision("highest")
