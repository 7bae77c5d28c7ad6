"""Download a file once and keep it."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable

from pronghorn.utils.atomic_file import replacing
from pronghorn.utils.cache_folder import cache_folder


def get_file(
    fname: str | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | list[str] | None = "auto",
    cache_dir: str | None = None,
    force_download: bool = False,
) -> str:
    """Download a file if it is not in the cache yet.

    The file is written beside its place, checked, then moved there: a broken download never stays.

    Args:
        fname: name of the file in the cache; None takes the last part of `origin`.
        origin: URL of the file.
        untar: same as `extract`.
        md5_hash: MD5 sum; `file_hash` is preferred.
        file_hash: sum the file must have.
        cache_subdir: folder inside the cache.
        hash_algorithm: "sha256", "md5" or "auto" to tell from the length of the sum.
        extract: whether to unpack the file as an archive, next to it.
        archive_format: "tar", "zip", "auto" or None.
        cache_dir: the cache; None takes $KERAS_HOME, else $XDG_CACHE_HOME/keras, else ~/.keras.
        force_download: whether to download even if the file is there.

    Returns:
        Path of the file, or of the folder it was unpacked into.

    Raises:
        ValueError: if `origin` is missing or the sum of the download is wrong.
        OSError: if the download fails; the message says where to put the file by hand.

    Example:
        >>> from pronghorn import utils
        >>> path = utils.get_file("mnist.npz", "https://storage.googleapis.com/x/mnist.npz")  # doctest: +SKIP
    """
    if not origin:
        raise ValueError("get_file: origin (a URL) is missing")
    name = fname or os.path.basename(urllib.parse.urlsplit(origin).path)
    if not name:
        raise ValueError(f"get_file: cannot tell a file name from origin={origin!r}, give fname")
    file_hash = file_hash or md5_hash
    folder = os.path.join(os.path.expanduser(cache_dir) if cache_dir else cache_folder(), cache_subdir)
    path = os.path.join(folder, name)
    fresh = os.path.exists(path) and not force_download
    if fresh and file_hash is not None and file_sum(path, _algorithm(hash_algorithm, file_hash)) != file_hash:
        fresh = False
    if not fresh:
        download(origin, path, file_hash, _algorithm(hash_algorithm, file_hash or ""))
    if not (extract or untar):
        return path
    target = path + "_extracted" if extract else path.removesuffix(".gz").removesuffix(".tar")
    if not fresh or not os.path.exists(target):
        unpack(path, target, archive_format)
    return target


def download(
    origin: str,
    path: str,
    file_hash: str | None,
    algorithm: str = "sha256",
    sum_of: Callable[[str, str], str] | None = None,
) -> None:
    """Fetch `origin`, check its sum and move it to `path`.

    Args:
        origin: URL.
        path: where the file shall stand.
        file_hash: sum it must have, None for no check.
        algorithm: "sha256" or "md5".
        sum_of: function of (path, algorithm) that gives the sum; None takes that of the file.

    Raises:
        ValueError: if the sum is wrong.
        OSError: if the download fails.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    print(f"Downloading data from {origin}")
    with replacing(path) as temporary:
        try:
            with urllib.request.urlopen(origin, timeout=60) as reply, open(temporary, "wb") as file:
                shutil.copyfileobj(reply, file)
        except (urllib.error.URLError, OSError) as error:
            raise OSError(f"cannot download {origin} ({error}); get the file elsewhere and put it at {path}") from error
        if file_hash is not None:
            got = (sum_of or file_sum)(temporary, algorithm)
            if got != file_hash:
                raise ValueError(f"{origin}: {algorithm} sum is {got}, expected {file_hash}; the file was not kept")


def file_sum(path: str, algorithm: str = "sha256") -> str:
    """Return the hexadecimal sum of a file."""
    digest = hashlib.new(algorithm)
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def unpack(path: str, target: str, archive_format: str | list[str] | None = "auto") -> None:
    """Unpack a tar or zip archive into folder `target`.

    Raises:
        ValueError: if the file is no archive of the given format.
    """
    wanted = ["tar", "zip"] if archive_format in ("auto", None) else archive_format
    if isinstance(wanted, str):
        wanted = [wanted]
    assert wanted is not None
    if "tar" in wanted and tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            if hasattr(tarfile, "data_filter"):
                archive.extractall(target, filter="data")
            elif any(os.path.isabs(name) or ".." in name.split("/") for name in archive.getnames()):
                # Python before 3.10.12 does not refuse such members itself.
                raise ValueError(f"{path} has members outside its folder")
            else:
                archive.extractall(target)
    elif "zip" in wanted and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as zipped:
            zipped.extractall(target)
    else:
        raise ValueError(f"{path} is no archive of format {' or '.join(wanted)}")


def _algorithm(name: str, file_hash: str) -> str:
    if name in ("sha256", "md5"):
        return name
    if name != "auto":
        raise ValueError(f"get_file: hash_algorithm must be 'auto', 'sha256' or 'md5', got {name!r}")
    return "md5" if len(file_hash) == 32 else "sha256"
