"""Handwritten digits of 8x8 pixels, shipped with the package."""

from __future__ import annotations

import os

import numpy as np

from pronghorn.datasets.checked_arrays import Split, load_npz

_FILE = os.path.join(os.path.dirname(__file__), "data", "digits.npz")
_TEST_FRACTION = 0.2


def load_data() -> Split:
    """Load the 1,797 digits of the UCI "optdigits" set, no network needed.

    The split is always the same: of every class, one image in five is a test image, taken evenly through the set.

    Returns:
        `((x_train, y_train), (x_test, y_test))`, all uint8: images of shape (n, 8, 8) with values 0 to 16, labels of
        shape (n,) with values 0 to 9; 1,438 images for training and 359 for testing.

    Example:
        >>> from pronghorn.datasets import digits
        >>> (x_train, y_train), (x_test, y_test) = digits.load_data()
        >>> x_train.shape, y_test.shape
        ((1438, 8, 8), (359,))

    Source: E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, https://doi.org/10.24432/C50P49, CC BY 4.0.
    """
    images, labels = load_npz(_FILE, ("images", "labels"), "reinstall pronghorn")
    is_test = np.zeros(len(labels), bool)
    for digit in range(10):
        members = np.flatnonzero(labels == digit)
        # Rounding the running count spreads the test images evenly and keeps the share of every class.
        count = np.floor(np.arange(1, len(members) + 1) * _TEST_FRACTION + 0.5)
        is_test[members[np.diff(count, prepend=0) > 0]] = True
    return (images[~is_test], labels[~is_test]), (images[is_test], labels[is_test])
