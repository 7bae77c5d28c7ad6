"""Small colour images of a hundred classes."""

from __future__ import annotations

from pronghorn.datasets.checked_arrays import Split
from pronghorn.datasets.cifar import load_batches

_SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
_FOLDER = "cifar-100-python"


def load_data(label_mode: str = "fine") -> Split:
    """Load CIFAR-100, from the cache or the network.

    Args:
        label_mode: "fine" for 100 classes, "coarse" for 20 groups of them.

    Returns:
        `((x_train, y_train), (x_test, y_test))`, all uint8: images of shape (50000, 32, 32, 3) and (10000, 32, 32, 3)
        with values 0 to 255, labels of shape (50000, 1) and (10000, 1).

    Raises:
        ValueError: for an unknown `label_mode` or a damaged file.
        OSError: if the file is not in the cache and cannot be downloaded.

    Example:
        >>> from pronghorn.datasets import cifar100
        >>> (x_train, y_train), (x_test, y_test) = cifar100.load_data()  # doctest: +SKIP

    Source: A. Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(f"cifar100.load_data: label_mode must be 'fine' or 'coarse', got {label_mode!r}")
    train, test = load_batches(
        "cifar-100-python.tar.gz", _SHA256, ([f"{_FOLDER}/train"], [f"{_FOLDER}/test"]), f"{label_mode}_labels"
    )
    return train, test
