"""Handwritten digits of 28x28 pixels."""

from __future__ import annotations

from pronghorn.datasets.checked_arrays import Split, load_npz
from pronghorn.datasets.dataset_files import find_file

_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


def load_data(path: str = "mnist.npz") -> Split:
    """Load the MNIST digits, from the cache or the network.

    Args:
        path: name of the file in the cache.

    Returns:
        `((x_train, y_train), (x_test, y_test))`, all uint8: images of shape (60000, 28, 28) and (10000, 28, 28) with
        values 0 to 255, labels of shape (60000,) and (10000,) with values 0 to 9.

    Raises:
        ValueError: if the file is damaged.
        OSError: if it is not in the cache and cannot be downloaded.

    Example:
        >>> from pronghorn.datasets import mnist
        >>> (x_train, y_train), (x_test, y_test) = mnist.load_data()  # doctest: +SKIP

    Source: Y. LeCun, C. Cortes and C. Burges; CC BY-SA 3.0.
    """
    found = find_file(path, "datasets", _ORIGIN, _SHA256)
    x_train, y_train, x_test, y_test = load_npz(
        found, ("x_train", "y_train", "x_test", "y_test"), "remove it to download it again"
    )
    return (x_train, y_train), (x_test, y_test)
