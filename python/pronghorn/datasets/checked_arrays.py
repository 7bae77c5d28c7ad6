"""Reading of data files, with errors that name the file and say what to do."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Sequence

import numpy as np

Split = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def load_npz(path: str, names: Sequence[str], remedy: str) -> list[np.ndarray]:
    """Read arrays from an .npz file.

    Args:
        path: the file.
        names: names of the arrays.
        remedy: what the user can do about a damaged file.

    Raises:
        ValueError: if the file is damaged or lacks an array.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return [arrays[name] for name in names]
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is damaged ({error}); {remedy}") from error


def load_idx(path: str, remedy: str) -> np.ndarray:
    """Read a gzip-compressed file of the IDX format (as of MNIST) holding unsigned bytes.

    Args:
        path: the file.
        remedy: what the user can do about a damaged file.

    Raises:
        ValueError: if the file is damaged.
    """
    try:
        with gzip.open(path, "rb") as file:
            content = file.read()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} is damaged ({error}); {remedy}") from error
    # Magic number: two zero bytes, 8 for unsigned bytes, number of dimensions; then the sizes, big-endian.
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise ValueError(f"{path} is no IDX file of unsigned bytes; {remedy}")
    start = 4 + 4 * content[3]
    shape = tuple(int(size) for size in np.frombuffer(content[4:start], ">u4"))
    if len(shape) != content[3] or len(content) - start != np.prod(shape, dtype=np.int64):
        raise ValueError(f"{path} is damaged (holds {len(content) - start} values, shape says {shape}); {remedy}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
