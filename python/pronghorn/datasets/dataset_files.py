"""Where the files of a data set come from: the cache, a Debian package, the network."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib

from pronghorn.utils.cache_folder import cache_folder
from pronghorn.utils.download import download, file_sum


def find_file(
    name: str, folder: str, origin: str, sha256: str, system_folders: tuple[str, ...] = (), sum_of_content: bool = False
) -> str:
    """Return the path of a data file, downloading it if no copy is at hand.

    Looks in the cache, then in `system_folders`, then at `origin`; the sum is checked wherever it comes from.

    Args:
        name: file name.
        folder: folder inside the cache.
        origin: URL.
        sha256: sum the file must have.
        system_folders: folders of system packages.
        sum_of_content: whether `sha256` is that of what a gzip file holds (compressors differ, the content does not).

    Raises:
        ValueError: if the file has the wrong sum.
        OSError: if the download fails; the message says which file to put where.
    """
    path = os.path.join(cache_folder(), folder, name)
    candidates = [path, *(os.path.join(system_folder, name) for system_folder in system_folders)]
    found = next((candidate for candidate in candidates if os.path.exists(candidate)), None)
    sum_of = content_sum if sum_of_content else file_sum
    if found is None:
        download(origin, path, sha256, sum_of=sum_of)
        return path
    got = sum_of(found, "sha256")
    if got != sha256:
        raise ValueError(f"{found} is damaged (sha256 {got}, expected {sha256}); remove it to download it again")
    return found


def content_sum(path: str, algorithm: str = "sha256") -> str:
    """Return the hexadecimal sum of the content of a gzip file.

    Raises:
        ValueError: if the file is damaged.
    """
    digest = hashlib.new(algorithm)
    try:
        with gzip.open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} is damaged ({error}); remove it to download it again") from error
    return digest.hexdigest()
