"""Articles of clothing, 28x28 pixels."""

from __future__ import annotations

import os

from pronghorn.datasets.checked_arrays import Split, load_idx
from pronghorn.datasets.dataset_files import find_file

_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_FOLDER = os.path.join("datasets", "fashion-mnist")
# Where Debian's package dataset-fashion-mnist puts the files.
_SYSTEM_FOLDERS = ("/usr/share/datasets/fashion-mnist",)
# Sums of the content: Debian compresses the files anew.
_SHA256 = {
    "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def load_data() -> Split:
    """Load Fashion-MNIST, from the cache, Debian's package `dataset-fashion-mnist`, or the network.

    Returns:
        `((x_train, y_train), (x_test, y_test))`, all uint8: images of shape (60000, 28, 28) and (10000, 28, 28) with
        values 0 to 255, labels of shape (60000,) and (10000,) with values 0 to 9 (`CLASS_NAMES`).

    Raises:
        ValueError: if a file is damaged.
        OSError: if a file is at none of these places and cannot be downloaded.

    Example:
        >>> from pronghorn.datasets import fashion_mnist
        >>> (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()  # doctest: +SKIP

    Source: H. Xiao, K. Rasul and R. Vollgraf, https://github.com/zalandoresearch/fashion-mnist, MIT licence.
    """
    arrays = []
    for name, sha256 in _SHA256.items():
        path = find_file(name, _FOLDER, _ORIGIN + name, sha256, _SYSTEM_FOLDERS, sum_of_content=True)
        # A writable copy: the file's bytes are read-only.
        arrays.append(load_idx(path, "remove it to get it again").copy())
    x_train, y_train, x_test, y_test = arrays
    return (x_train, y_train), (x_test, y_test)
