"""Ops of neural networks in Keras's words: against NumPy, on symbolic tensors, in half precision, with bad input."""

from __future__ import annotations

import numpy as np
import pytest

import pronghorn as ph
from pronghorn import ops

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 3, 5)).astype("float32")
P = np.abs(X) + 0.1
LABELS = RNG.integers(0, 5, size=(4, 3))


def _softmax(x, axis):
    raised = np.exp(x - x.max(axis=axis, keepdims=True))
    return raised / raised.sum(axis=axis, keepdims=True)


def _close(result, wanted, tolerance=1e-5):
    np.testing.assert_allclose(np.asarray(result.numpy(), "float64"), wanted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("axis", [-1, 0, 1, (1, 2), (0, 2)])
def test_softmax_along_axes(axis):
    wanted = _softmax(X.astype("float64"), axis)
    _close(ops.softmax(X, axis), wanted)
    _close(ops.log_softmax(X, axis), np.log(wanted))


def test_half_precision_is_computed_in_float32():
    x = ops.cast(X, "float16")
    wanted = _softmax(X.astype("float16").astype("float64"), -1)
    for result, value in ((ops.softmax(x), wanted), (ops.log_softmax(x), np.log(wanted))):
        assert result.dtype == "float16"
        _close(result, value, 2e-3)
    y, mean, variance = ops.batch_normalization_train(ops.cast(X, "bfloat16"), None, None, axis=-1)
    assert (y.dtype, mean.dtype, variance.dtype) == ("bfloat16",) * 3


def test_sparsemax_is_a_projection_onto_the_simplex():
    y = ops.sparsemax(X, axis=1).numpy()
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-6)
    assert (y >= 0).all()
    assert (y == 0).any()
    _close(ops.sparsemax([0.1, 0.2, 0.0]), np.array([1 / 3, 1 / 3 + 0.1, 1 / 3 - 0.1]))


@pytest.mark.parametrize("from_logits", [False, True])
def test_cross_entropies_by_class_number_and_by_distribution_agree(from_logits):
    scores = X if from_logits else P
    wide = scores.astype("float64")
    p = _softmax(wide, -1) if from_logits else np.clip(wide / wide.sum(-1, keepdims=True), 1e-7, 1 - 1e-7)
    hot = np.eye(5)[LABELS]
    wanted = -(hot * np.log(p)).sum(-1)
    _close(ops.sparse_categorical_crossentropy(LABELS, scores, from_logits), wanted)
    _close(ops.sparse_categorical_crossentropy(LABELS[..., None], scores, from_logits), wanted)
    _close(ops.sparse_categorical_crossentropy(LABELS.astype("float32"), scores, from_logits), wanted)
    _close(ops.categorical_crossentropy(hot, scores, from_logits), wanted)
    moved = np.moveaxis(scores, -1, 1)
    _close(ops.sparse_categorical_crossentropy(LABELS, moved, from_logits, axis=1), wanted)
    _close(ops.categorical_crossentropy(np.moveaxis(hot, -1, 1), moved, from_logits, axis=1), wanted)


def test_probabilities_of_zero_are_clipped():
    loss = ops.sparse_categorical_crossentropy([0], [[0.0, 1.0]]).numpy()
    np.testing.assert_allclose(loss, [-np.log(1e-7)], rtol=1e-6)
    np.testing.assert_allclose(ops.binary_crossentropy([1.0], [0.0]).numpy(), [-np.log(1e-7)], rtol=1e-6)


def test_binary_cross_entropy_from_logits_is_stable_and_has_the_right_slope():
    x = np.array([-1000.0, -2.0, 0.0, 3.0, 1000.0], "float32")
    for target in (0.0, 0.3, 1.0):
        t = np.full(5, target, "float32")
        wide = x.astype("float64")
        wanted = np.maximum(wide, 0) - wide * target + np.log1p(np.exp(-np.abs(wide)))
        logits = ops.convert_to_tensor(x)
        with ph.GradientTape() as tape:
            tape.watch(logits)
            loss = ops.binary_crossentropy(t, logits, from_logits=True)
        _close(loss, wanted, 1e-4)
        with np.errstate(over="ignore"):
            _close(tape.gradient(loss, logits), 1 / (1 + np.exp(-wide)) - target, 1e-5)


def test_moments_and_batch_normalization():
    mean, variance = ops.moments(X, axes=[0, 1])
    wide = X.astype("float64")
    _close(mean, wide.mean((0, 1)))
    _close(variance, wide.var((0, 1)))
    assert ops.moments(X, axes=[0, 1], keepdims=True)[0].shape == (1, 1, 5)
    gamma, beta = RNG.normal(size=(2, 5)).astype("float32")
    wanted = (wide - wide.mean((0, 1))) / np.sqrt(wide.var((0, 1)) + 1e-3) * gamma + beta
    _close(ops.batch_normalization(X, mean, variance, -1, offset=beta, scale=gamma), wanted)
    _close(ops.batch_normalization_train(X, beta, gamma, -1)[0], wanted)
    plain = ops.batch_normalization_train(np.moveaxis(X, -1, 1), None, None, 1)[0]
    _close(plain, np.moveaxis((wide - wide.mean((0, 1))) / np.sqrt(wide.var((0, 1)) + 1e-3), -1, 1))


@pytest.mark.parametrize("axis", [-1, 1, (1, 2), [0, 2]])
def test_layer_and_rms_normalization(axis):
    wide, axes = X.astype("float64"), axis if isinstance(axis, int) else tuple(axis)
    shape = tuple(X.shape[i] for i in ([axes] if isinstance(axes, int) else axes))
    gamma, beta = (RNG.normal(size=shape).astype("float32") for _ in range(2))
    sizes = [X.shape[i] if i in np.atleast_1d(axes) % 3 else 1 for i in range(3)]
    hat = (wide - wide.mean(axes, keepdims=True)) / np.sqrt(wide.var(axes, keepdims=True) + 1e-3)
    wanted = hat * gamma.reshape(sizes) + beta.reshape(sizes)
    _close(ops.layer_normalization(X, gamma, beta, axis=axis, epsilon=1e-3), wanted)
    _close(ops.layer_normalization(X, axis=axis, epsilon=1e-3), hat)
    root = np.sqrt(np.square(wide).mean(axes, keepdims=True) + 1e-3)
    _close(ops.rms_normalization(X, axis=axis, epsilon=1e-3), wide / root)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_normalize(order):
    wide = X.astype("float64")
    norms = (np.abs(wide) ** order).sum(1, keepdims=True) ** (1 / order)
    _close(ops.normalize(X, axis=1, order=order), wide / norms)


def test_normalize_of_zeros_is_zero():
    assert not ops.normalize(np.zeros((2, 3), "float32")).numpy().any()


def test_attention_masks_and_scales():
    q, k, v = RNG.normal(size=(3, 2, 5, 3, 4)).astype("float32")
    scores = np.einsum("btnh,bsnh->bnts", q, k).astype("float64") / 2
    _close(ops.dot_product_attention(q, k, v), np.einsum("bnts,bsnh->btnh", _softmax(scores, -1), v))
    causal = np.where(np.tri(5, dtype=bool), scores, -np.inf)
    _close(ops.dot_product_attention(q, k, v, is_causal=True), np.einsum("bnts,bsnh->btnh", _softmax(causal, -1), v))
    mask = RNG.random(size=(2, 1, 5, 5)) < 0.7
    mask[..., 0] = True
    masked = np.where(mask, scores, -np.inf)
    _close(ops.dot_product_attention(q, k, v, mask=mask), np.einsum("bnts,bsnh->btnh", _softmax(masked, -1), v))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_depth_and_space_are_inverse(data_format):
    x = RNG.normal(size=(2, 4, 8, 12)).astype("float32")
    packed = ops.space_to_depth(x, 2, data_format)
    assert packed.shape == ((2, 2, 4, 48) if data_format == "channels_last" else (2, 16, 4, 6))
    np.testing.assert_array_equal(ops.depth_to_space(packed, 2, data_format).numpy(), x)


def test_channels_keep_keras_order_when_they_come_first():
    x = np.arange(8.0).reshape(1, 8, 1, 1)
    y = ops.depth_to_space(x, 2, "channels_first").numpy()
    np.testing.assert_array_equal(y, np.arange(8.0).reshape(1, 2, 2, 2))
    last = ops.depth_to_space(np.arange(8.0).reshape(1, 1, 1, 8), 2).numpy()
    np.testing.assert_array_equal(last, np.arange(8.0).reshape(1, 2, 2, 2))


def test_symbolic_calls_become_layers_of_a_model():
    inputs = ph.Input((3, 5))
    hidden = ops.layer_normalization(ops.softmax(inputs))
    model = ph.Model(inputs, ops.normalize(hidden, axis=1))
    assert hidden.shape == (None, 3, 5)
    _close(model(X), ops.normalize(ops.layer_normalization(ops.softmax(X)), axis=1).numpy())


@pytest.mark.parametrize(
    ("call", "exception", "message"),
    [
        (lambda: ops.softmax(X, axis=3), ValueError, "axis"),
        (lambda: ops.categorical_crossentropy(X[0], X), ValueError, "same shape"),
        (lambda: ops.binary_crossentropy(X[0], X), ValueError, "same shape"),
        (lambda: ops.sparse_categorical_crossentropy(LABELS[0], X), ValueError, r"\(4, 3\)"),
        (lambda: ops.sparse_categorical_crossentropy(LABELS + 5, X), IndexError, r"must lie in \[0, 5\)"),
        (lambda: ops.sparse_categorical_crossentropy(1, 1.0), ValueError, "at least one dimension"),
        (lambda: ops.moments(X, 0, synchronized=True), ValueError, "synchronized"),
        (lambda: ops.normalize(X, order=0), ValueError, "order"),
        (lambda: ops.layer_normalization(X, axis=3), ValueError, "axis"),
        (lambda: ops.layer_normalization(X, center=True), TypeError, "center"),
        (lambda: ops.dot_product_attention(X, X, X), ValueError, "four dimensions"),
        (lambda: ops.depth_to_space(np.ones((1, 2, 2, 3)), 2), ValueError, "3 channels"),
        (lambda: ops.space_to_depth(np.ones((1, 3, 2, 3)), 2), ValueError, "3 x 2"),
        (lambda: ops.space_to_depth(X, 2), ValueError, "four dimensions"),
    ],
)
def test_errors_say_what_is_wrong(call, exception, message):
    with pytest.raises(exception, match=message):
        call()


def test_attention_of_grouped_queries_is_that_of_repeated_keys_and_values():
    rng = np.random.default_rng(0)
    query, (key, value) = rng.normal(size=(2, 3, 4, 5)), rng.normal(size=(2, 2, 6, 2, 5))
    wanted = ops.dot_product_attention(query, np.repeat(key, 2, axis=2), np.repeat(value, 2, axis=2))
    _close(ops.dot_product_attention(query, key, value), wanted.numpy(), 1e-12)
    with pytest.raises(ValueError, match="must have the same number of heads, of which the query's is a multiple"):
        ops.dot_product_attention(query, key[:, :, :1], value)
