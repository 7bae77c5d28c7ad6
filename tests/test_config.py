"""Global settings: dtype policy, interactive logging, and what `backend` says."""

from __future__ import annotations

import logging

import numpy as np
import pytest

import pronghorn as ph
from pronghorn import backend, config, dtype_policy, layers, ops


@pytest.fixture(autouse=True)
def _settings_as_before():
    before, default = dict(config._settings), dict(vars(dtype_policy.default))
    yield
    config._settings.update(before)
    vars(dtype_policy.default).update(default)


def test_layers_take_the_dtype_policy_that_was_set():
    assert config.dtype_policy() == ph.DTypePolicy("float32")
    config.set_floatx("float64")
    assert config.dtype_policy().name == layers.Dense(1).dtype == "float64"
    config.set_dtype_policy("float32")
    assert layers.Dense(1).dtype_policy == config.dtype_policy() == ph.DTypePolicy("float32")
    config.set_dtype_policy(ph.DTypePolicy("float64"))
    assert layers.Dense(1).compute_dtype == "float64" and layers.Dense(1, dtype="float32").compute_dtype == "float32"
    assert layers.Dense(1)(np.ones((1, 2), "float32")).dtype == "float64"


@pytest.mark.parametrize("policy", [None, 32, "float33"])
def test_what_is_no_dtype_policy_is_refused(policy):
    with pytest.raises(ValueError, match="DTypePolicy"):
        config.set_dtype_policy(policy)


def test_messages_are_logged_where_interactive_logging_is_off(capsys, caplog):
    model = ph.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    data = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    assert config.is_interactive_logging_enabled()
    ph.utils.disable_interactive_logging()
    assert not ph.utils.is_interactive_logging_enabled()
    with caplog.at_level(logging.INFO, "pronghorn"):
        model.fit(*data, epochs=2)
    assert capsys.readouterr().out == ""
    assert "Epoch 2/2" in caplog.messages and sum("loss: " in message for message in caplog.messages) == 2
    config.enable_interactive_logging()
    model.fit(*data, epochs=2)
    assert "Epoch 2/2" in capsys.readouterr().out


def test_backend_has_the_settings():
    assert backend.backend() == config.backend() == ph.backend.backend()
    backend.set_epsilon(1e-3)
    assert config.epsilon() == backend.epsilon() == 1e-3
    assert backend.floatx() == "float32" and backend.image_data_format() == "channels_last"


def test_automatic_names_start_again_after_clear_session():
    names = []
    for _ in range(2):
        ph.utils.clear_session()
        names.append([layers.Dense(1).name, layers.Dense(1).name])
    assert names == [["dense", "dense_1"]] * 2
    assert backend.get_uid("dense") == 3 and backend.get_uid("other") == 1 and backend.get_uid("other") == 2


def test_dtypes_and_symbolic_tensors_are_told_apart():
    assert backend.standardize_dtype(None) == "float32" and ph.utils.standardize_dtype(np.int64) == "int64"
    assert backend.is_float_dtype("bfloat16") and not backend.is_float_dtype("int8")
    assert backend.is_int_dtype("uint8") and not backend.is_int_dtype("bool")
    assert backend.result_type("int32", "float16") == "float16"
    assert ph.utils.is_keras_tensor(ph.Input((1,))) and not ph.utils.is_keras_tensor(ph.ops.ones(1))


def _convolution_error():
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, 16, 16, 32)).astype("float32"), rng.normal(size=(3, 3, 32, 32)).astype("float32")
    got = ops.convert_to_numpy(ops.conv(x, kernel, padding="same"))
    want = ops.convert_to_numpy(ops.conv(x.astype("float64"), kernel.astype("float64"), padding="same"))
    return np.abs(got - want).max() / np.abs(want).max()


def test_the_highest_matmul_precision_is_more_exact(_highest_precision):
    assert config.matmul_precision() == "highest"
    with ph.device("cpu"):
        assert _convolution_error() < 1e-6
        config.set_matmul_precision("high")
        assert 1e-6 < _convolution_error() < 2e-5


@pytest.fixture
def _highest_precision():
    config.set_matmul_precision("highest")
    yield
    config.set_matmul_precision("high")


@pytest.mark.parametrize(("value", "error"), [("low", ValueError), (None, TypeError), (1, TypeError)])
def test_an_unknown_matmul_precision_is_refused(value, error):
    with pytest.raises(error, match="precision"):
        config.set_matmul_precision(value)


def test_the_number_of_threads_is_set():
    before = config.num_threads()
    config.set_num_threads(3)
    assert config.num_threads() == 3
    config.set_num_threads(before)
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="threads"):
            config.set_num_threads(wrong)


def test_clearing_the_session_forgets_the_dtype_policy():
    config.set_dtype_policy("mixed_float16")
    backend.clear_session()
    assert layers.Dense(1).compute_dtype == "float32"
