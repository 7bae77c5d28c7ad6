"""The file format of CIFAR-10 and CIFAR-100."""

from __future__ import annotations

import os
import pickle
import tarfile
import zlib
from collections.abc import Sequence

import numpy as np

from pronghorn import config
from pronghorn.datasets.dataset_files import find_file


def load_batches(
    name: str, sha256: str, members: Sequence[Sequence[str]], label_key: str
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Read groups of batches from a CIFAR archive.

    Args:
        name: file name of the archive.
        sha256: its sum; checked before anything in it is unpickled.
        members: for each result, the names of the files inside the archive.
        label_key: key of the labels in these files.

    Returns:
        For each group, images (n, 32, 32, 3) or (n, 3, 32, 32) as `image_data_format` says, and labels (n, 1); uint8.

    Raises:
        ValueError: if the archive is damaged.
        OSError: if it is not in the cache and cannot be downloaded.
    """
    path = find_file(name, "datasets", f"https://www.cs.toronto.edu/~kriz/{name}", sha256)
    try:
        with tarfile.open(path) as archive:
            return [_read_group(archive, group, label_key) for group in members]
    except (tarfile.TarError, KeyError, EOFError, zlib.error, pickle.UnpicklingError) as error:
        raise ValueError(f"{path} is damaged ({error}); remove it to download it again") from error


def _read_group(archive: tarfile.TarFile, group: Sequence[str], label_key: str) -> tuple[np.ndarray, np.ndarray]:
    images, labels = [], []
    for member in group:
        file = archive.extractfile(member)
        if file is None:
            raise KeyError(f"{os.path.basename(member)} is no file")
        batch = pickle.load(file, encoding="bytes")
        images.append(batch[b"data"].reshape(-1, 3, 32, 32))
        labels.append(np.asarray(batch[label_key.encode()], "uint8").reshape(-1, 1))
    pixels = np.concatenate(images).astype("uint8")
    if config.image_data_format() == "channels_last":
        pixels = np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))
    return pixels, np.concatenate(labels)
