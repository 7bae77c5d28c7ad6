"""Layers that reshape, pad, crop and repeat."""

from __future__ import annotations

import numpy as np
import pytest
from harness import random_input, run_layer_test

from pronghorn import layers

IMAGES = (2, 4, 5, 3)
SEQUENCE = (2, 6, 3)
CASES = [
    (layers.Flatten, {}, IMAGES, lambda x: x.reshape(2, 60)),
    (layers.Flatten, {"data_format": "channels_first"}, IMAGES, lambda x: x.transpose(0, 2, 3, 1).reshape(2, 60)),
    (layers.Reshape, {"target_shape": (10, -1)}, IMAGES, lambda x: x.reshape(2, 10, 6)),
    (layers.Reshape, {"target_shape": (60,)}, IMAGES, lambda x: x.reshape(2, 60)),
    (layers.Permute, {"dims": (3, 1, 2)}, IMAGES, lambda x: x.transpose(0, 3, 1, 2)),
    (layers.RepeatVector, {"n": 3}, (2, 4), lambda x: np.repeat(x[:, None], 3, axis=1)),
    (layers.ZeroPadding1D, {"padding": (1, 2)}, SEQUENCE, lambda x: np.pad(x, [(0, 0), (1, 2), (0, 0)])),
    (layers.ZeroPadding2D, {"padding": 1}, IMAGES, lambda x: np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])),
    (
        layers.ZeroPadding2D,
        {"padding": ((1, 0), (2, 3)), "data_format": "channels_first"},
        IMAGES,
        lambda x: np.pad(x, [(0, 0), (0, 0), (1, 0), (2, 3)]),
    ),
    (layers.Cropping1D, {"cropping": (1, 2)}, SEQUENCE, lambda x: x[:, 1:-2]),
    (layers.Cropping2D, {"cropping": ((1, 0), (2, 1))}, IMAGES, lambda x: x[:, 1:, 2:-1]),
    (layers.UpSampling1D, {"size": 2}, SEQUENCE, lambda x: x.repeat(2, axis=1)),
    (layers.UpSampling2D, {"size": (2, 3)}, IMAGES, lambda x: x.repeat(2, axis=1).repeat(3, axis=2)),
    (layers.Identity, {}, IMAGES, lambda x: x),
]


@pytest.mark.parametrize("cls, arguments, shape, reference", CASES)
def test_values(cls, arguments, shape, reference):
    x = random_input(shape)
    expected = reference(x)
    run_layer_test(cls, arguments, shape, expected.shape)
    np.testing.assert_array_equal(cls(**arguments)(x).numpy(), expected)


def test_empty_batch():
    assert layers.Flatten()(np.ones((0, 2, 3))).shape == (0, 6)
    assert layers.Reshape((3, -1))(np.ones((0, 6))).shape == (0, 3, 2)


def test_errors():
    with pytest.raises(ValueError, match="cannot become"):
        layers.Reshape((7,))(np.ones((2, 6)))
    with pytest.raises(ValueError, match="at most one -1"):
        layers.Reshape((-1, -1))
    with pytest.raises(ValueError, match="permutation"):
        layers.Permute((0, 1))
    with pytest.raises(ValueError, match="leaves nothing"):
        layers.Cropping1D(3)(np.ones((2, 6, 1)))
    with pytest.raises(ValueError, match="interpolation"):
        layers.UpSampling2D(interpolation="cubic")
    with pytest.raises(ValueError, match="positive"):
        layers.RepeatVector(0)
