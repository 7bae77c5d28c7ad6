"""Image ops: against NumPy and by their properties; on concrete and on symbolic images."""

from __future__ import annotations

import numpy as np
import pytest

from pronghorn import KerasTensor, ops
from sample import normal

IMAGES = normal(2, 6, 8, 3).astype("float32")


def test_nearest_neighbours_repeat_pixels():
    np.testing.assert_array_equal(
        ops.image.resize(IMAGES, (12, 16), interpolation="nearest"), IMAGES.repeat(2, 1).repeat(2, 2)
    )


def test_bilinear_halving_averages_neighbours():
    means = IMAGES.reshape(2, 3, 2, 4, 2, 3).mean((2, 4))
    np.testing.assert_allclose(ops.image.resize(IMAGES, (3, 4)), means, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("size", [(3, 5), (6, 8), (13, 9)])
def test_constant_images_stay_constant(interpolation, antialias, size):
    constant = np.full((1, 6, 8, 2), 3.0, "float32")
    resized = ops.image.resize(constant, size, interpolation=interpolation, antialias=antialias)
    np.testing.assert_allclose(resized, np.full((1, *size, 2), 3.0), rtol=1e-5)


def test_bytes_are_rounded_and_kept_in_range():
    resized = ops.image.resize(np.array([[[0], [255]]], "uint8"), (1, 5), interpolation="bicubic")
    assert resized.dtype == "uint8"
    assert resized.numpy().ravel()[[0, 2, 4]].tolist() == [0, 128, 255]


def test_aspect_ratio_is_kept():
    assert ops.image.resize(IMAGES, (4, 4), crop_to_aspect_ratio=True).shape == (2, 4, 4, 3)
    padded = ops.image.resize(np.ones((2, 4, 1), "float32"), (4, 4), "nearest", pad_to_aspect_ratio=True, fill_value=7)
    np.testing.assert_array_equal(padded.numpy()[..., 0], [[7] * 4, [1] * 4, [1] * 4, [7] * 4])


def test_channels_first():
    first = ops.image.resize(IMAGES.transpose(0, 3, 1, 2), (3, 4), data_format="channels_first")
    np.testing.assert_allclose(first.numpy().transpose(0, 2, 3, 1), ops.image.resize(IMAGES, (3, 4)), rtol=1e-6)


def test_patches_hold_the_pixels_of_their_window():
    patches = ops.image.extract_patches(IMAGES, (2, 3), strides=(1, 2))
    assert patches.shape == (2, 5, 3, 18)
    np.testing.assert_array_equal(patches.numpy()[1, 3, 2], IMAGES[1, 3:5, 4:7].ravel())
    same = ops.image.extract_patches(IMAGES, 3, strides=1, padding="same").numpy()
    assert same.shape == (2, 6, 8, 27)
    assert (same[0, 0, 0, :9] == 0).all()


def test_margins():
    np.testing.assert_array_equal(
        ops.image.pad_images(IMAGES, 1, 2, target_height=9, target_width=10),
        np.pad(IMAGES, ((0, 0), (1, 2), (2, 0), (0, 0))),
    )
    np.testing.assert_array_equal(ops.image.crop_images(IMAGES, 1, 2, 3, 4), IMAGES[:, 1:-3, 2:-4])
    with pytest.raises(ValueError, match=r"crop_images.*not be negative"):
        ops.image.crop_images(IMAGES, 1, 2, target_height=9, target_width=3)
    with pytest.raises(ValueError, match=r"pad_images.*exactly two"):
        ops.image.pad_images(IMAGES, 1, 2)


def test_brightness():
    gray = ops.image.rgb_to_grayscale(IMAGES)
    np.testing.assert_allclose(gray.numpy()[..., 0], IMAGES @ [0.2989, 0.587, 0.114], rtol=1e-4, atol=1e-6)


def test_symbolic_images():
    resized = ops.image.resize(KerasTensor((None, 6, 8, 3)), (3, 4))
    assert resized.shape == (None, 3, 4, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.image.resize(IMAGES[0, 0], (2, 2)), r"resize.*rank 3.*\(8, 3\)"),
        (lambda: ops.image.resize(IMAGES, (2, 2), "cubic"), r"resize.*interpolation.*'cubic'"),
        (lambda: ops.image.extract_patches(IMAGES, 2, padding="full"), r"extract_patches.*padding.*'full'"),
        (lambda: ops.image.rgb_to_grayscale(IMAGES[..., :2]), r"rgb_to_grayscale.*3 channels"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
