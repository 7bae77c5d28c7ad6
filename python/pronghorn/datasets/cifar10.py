"""Small colour images of ten classes."""

from __future__ import annotations

from pronghorn.datasets.checked_arrays import Split
from pronghorn.datasets.cifar import load_batches

_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
_FOLDER = "cifar-10-batches-py"


def load_data() -> Split:
    """Load CIFAR-10, from the cache or the network.

    Returns:
        `((x_train, y_train), (x_test, y_test))`, all uint8: images of shape (50000, 32, 32, 3) and (10000, 32, 32, 3)
        with values 0 to 255, labels of shape (50000, 1) and (10000, 1) with values 0 to 9.

    Raises:
        ValueError: if the file is damaged.
        OSError: if it is not in the cache and cannot be downloaded.

    Example:
        >>> from pronghorn.datasets import cifar10
        >>> (x_train, y_train), (x_test, y_test) = cifar10.load_data()  # doctest: +SKIP

    Source: A. Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html.
    """
    train_files = [f"{_FOLDER}/data_batch_{number}" for number in range(1, 6)]
    train, test = load_batches("cifar-10-python.tar.gz", _SHA256, (train_files, [f"{_FOLDER}/test_batch"]), "labels")
    return train, test
