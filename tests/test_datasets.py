"""Data sets: shipped digits, search order, checks of damaged files."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest

from pronghorn import config, datasets
from pronghorn.datasets import checked_arrays, cifar, dataset_files, fashion_mnist


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return tmp_path


def test_digits_have_a_fixed_stratified_split():
    (x_train, y_train), (x_test, y_test) = datasets.digits.load_data()
    assert x_train.shape == (1438, 8, 8) and x_test.shape == (359, 8, 8)
    assert x_train.dtype == y_train.dtype == np.uint8
    assert x_train.max() == 16 and x_train.min() == 0
    counts = np.bincount(y_train) + np.bincount(y_test)
    np.testing.assert_allclose(np.bincount(y_test) / counts, 0.2, atol=0.01)
    again = datasets.digits.load_data()
    np.testing.assert_array_equal(again[1][0], x_test)


def test_digits_equal_those_of_scikit_learn():
    sklearn = pytest.importorskip("sklearn.datasets")
    theirs = sklearn.load_digits()
    (x_train, y_train), (x_test, y_test) = datasets.digits.load_data()
    ours = sorted(np.column_stack([np.concatenate([x_train, x_test]).reshape(-1, 64), np.r_[y_train, y_test]]).tolist())
    assert ours == sorted(np.column_stack([theirs.data, theirs.target]).astype(int).tolist())


def test_cache_folder_rules(monkeypatch):
    from pronghorn.utils.cache_folder import cache_folder

    monkeypatch.setenv("KERAS_HOME", "/somewhere")
    assert cache_folder() == "/somewhere"
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert cache_folder() == "/cache/keras"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == os.path.expanduser("~/.keras")


def idx_bytes(array):
    header = b"\0\0\x08" + bytes([array.ndim]) + b"".join(int(n).to_bytes(4, "big") for n in array.shape)
    return header + array.tobytes()


@pytest.fixture
def small_fashion(cache, monkeypatch):
    """Tiny files in the cache under the names and with the sums of the real ones."""
    folder = cache / "datasets" / "fashion-mnist"
    folder.mkdir(parents=True)
    sums = {}
    for name, array in {
        "train-images-idx3-ubyte.gz": np.arange(2 * 4, dtype=np.uint8).reshape(2, 2, 2),
        "train-labels-idx1-ubyte.gz": np.array([1, 2], np.uint8),
        "t10k-images-idx3-ubyte.gz": np.ones((1, 2, 2), np.uint8),
        "t10k-labels-idx1-ubyte.gz": np.array([3], np.uint8),
    }.items():
        (folder / name).write_bytes(gzip.compress(idx_bytes(array)))
        sums[name] = hashlib.sha256(idx_bytes(array)).hexdigest()
    monkeypatch.setattr(fashion_mnist, "_SHA256", sums)
    return folder


def test_fashion_mnist_is_read_from_the_cache(small_fashion):
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    assert x_train.shape == (2, 2, 2) and x_train[1, 1, 1] == 7
    assert y_train.tolist() == [1, 2] and y_test.tolist() == [3] and x_test.shape == (1, 2, 2)


@pytest.mark.parametrize("damage", [lambda b: b[:-9], lambda b: b"not gzip", lambda b: gzip.compress(b"other")])
def test_damaged_file_in_the_cache_is_named(small_fashion, damage):
    path = small_fashion / "train-images-idx3-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte.gz is damaged.*remove it"):
        fashion_mnist.load_data()


def test_system_folder_comes_after_the_cache(cache, tmp_path):
    system = tmp_path / "system"
    system.mkdir()
    (system / "a.bin").write_bytes(b"system")
    sha = hashlib.sha256(b"system").hexdigest()
    found = dataset_files.find_file("a.bin", "datasets", "file:///nothing", sha, (str(system),))
    assert found == str(system / "a.bin")
    (cache / "datasets").mkdir()
    (cache / "datasets" / "a.bin").write_bytes(b"system")
    found = dataset_files.find_file("a.bin", "datasets", "file:///nothing", sha, (str(system),))
    assert found == str(cache / "datasets" / "a.bin")


def test_download_is_checked_and_kept_only_if_right(cache, tmp_path):
    origin = tmp_path / "origin.bin"
    origin.write_bytes(b"content")
    sha = hashlib.sha256(b"content").hexdigest()
    found = dataset_files.find_file("b.bin", "datasets", origin.as_uri(), sha)
    assert Path(found).read_bytes() == b"content"
    with pytest.raises(ValueError, match="sha256"):
        dataset_files.find_file("c.bin", "datasets", origin.as_uri(), "0" * 64)
    assert sorted(os.listdir(cache / "datasets")) == ["b.bin"]


def test_without_network_the_error_says_where_to_put_the_file(cache):
    with pytest.raises(OSError, match=r"put it at .*datasets/mnist.npz"):
        dataset_files.find_file("mnist.npz", "datasets", "http://127.0.0.1:1/mnist.npz", "0" * 64)
    assert os.listdir(cache / "datasets") == []


def test_mnist_npz_is_read(cache, monkeypatch):
    folder = cache / "datasets"
    folder.mkdir()
    arrays = {name: np.zeros(3, np.uint8) for name in ("x_train", "y_train", "x_test", "y_test")}
    np.savez(folder / "mnist.npz", **arrays)
    sha = hashlib.sha256((folder / "mnist.npz").read_bytes()).hexdigest()
    monkeypatch.setattr(datasets.mnist, "_SHA256", sha)
    (x_train, _), (_, y_test) = datasets.mnist.load_data()
    assert x_train.shape == y_test.shape == (3,)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"\x93NUMPY"])
def test_damaged_npz(tmp_path, content):
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"x.npz is damaged.*do this"):
        checked_arrays.load_npz(str(path), ("a",), "do this")


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_cifar_archive(cache, data_format):
    folder = cache / "datasets"
    folder.mkdir()
    pixels = np.arange(2 * 3072, dtype=np.int64).reshape(2, 3072).astype(np.uint8)
    content = pickle.dumps({b"data": pixels, b"labels": [4, 5]})
    with tarfile.open(folder / "c.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("c/batch")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    sha = hashlib.sha256((folder / "c.tar.gz").read_bytes()).hexdigest()
    config.set_image_data_format(data_format)
    try:
        ((images, labels),) = cifar.load_batches("c.tar.gz", sha, [["c/batch"]], "labels")
    finally:
        config.set_image_data_format("channels_last")
    assert labels.tolist() == [[4], [5]]
    planes = images if data_format == "channels_first" else images.transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(planes.reshape(2, 3072), pixels)
    with pytest.raises(ValueError, match="damaged"):
        cifar.load_batches("c.tar.gz", sha, [["c/nothing"]], "labels")


def test_cifar100_checks_label_mode():
    with pytest.raises(ValueError, match="label_mode"):
        datasets.cifar100.load_data("medium")
