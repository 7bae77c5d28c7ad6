"""Every native op against NumPy in float64, its gradient against finite differences, programs against eager."""

from __future__ import annotations

import importlib
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import pronghorn as ph
from pronghorn import _core
from pronghorn.ops import operators  # noqa: F401  tests multiply tensors
from sample import HALVES, Sample

FAMILIES = sorted(path.stem for path in (Path(__file__).parent / "ops").glob("*.py"))
SAMPLES = [sample for family in FAMILIES for sample in importlib.import_module(f"ops.{family}").SAMPLES]
VALUES = [sample for sample in SAMPLES if sample.raises is None]
ERRORS = [sample for sample in SAMPLES if sample.raises is not None]
TABLE = {entry["name"]: entry for entry in _core.op_table()}
TOLERANCES = {"float64": (1e-12, 1e-13), "float32": (1e-5, 1e-6), "float16": (2e-3, 2e-3), "bfloat16": (1.6e-2, 1.6e-2)}


def _name(sample: Sample) -> str:
    return f"{sample.op}-{sample.id}"


def _numpy_dtype(dtype: str) -> np.dtype:
    return np.dtype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)


def _is_floating(array: np.ndarray) -> bool:
    return np.asarray(array).dtype.name in ("float32", "float64")


def _inputs(sample: Sample, dtype: str) -> list[np.ndarray]:
    def converted(i: int, x: np.ndarray) -> np.ndarray:
        own = "float32" if i in sample.wide and dtype in HALVES else dtype
        with np.errstate(over="ignore"):
            return np.asarray(x).astype(_numpy_dtype(own)) if _is_floating(x) else np.asarray(x)

    return [converted(i, x) for i, x in enumerate(sample.inputs)]


def _call(sample: Sample, inputs: list) -> list:
    function = getattr(_core.ops, sample.op)
    attrs = sample.attrs
    results = function(inputs, **attrs) if TABLE[sample.op]["variadic"] else function(*inputs, **attrs)
    return list(results) if isinstance(results, tuple) else [results]


def _expected(sample: Sample, inputs: list[np.ndarray]) -> list[np.ndarray]:
    wide = [x.astype("float64") if x.dtype.kind not in "biu" else x for x in inputs]
    with np.errstate(all="ignore"):
        results = sample.reference(*wide)
    return [np.asarray(result) for result in (results if isinstance(results, tuple) else [results])]


def _check(sample: Sample, dtype: str) -> None:
    inputs = _inputs(sample, dtype)
    results, expected = _call(sample, [_core.convert(x) for x in inputs]), _expected(sample, inputs)
    assert len(results) == len(expected)
    rtol, atol = TOLERANCES.get(dtype, (0.0, 0.0))
    if dtype == "float32":
        rtol, atol = sample.rtol or rtol, sample.atol or atol
    for result, wanted in zip(results, expected):
        assert result.shape == wanted.shape
        values = result.numpy()
        if wanted.dtype.kind in "biu":
            np.testing.assert_array_equal(values, wanted)
            continue
        if result.dtype in ("float16", "bfloat16"):
            with np.errstate(over="ignore"):
                wanted = wanted.astype(values.dtype)
        np.testing.assert_allclose(values.astype("float64"), wanted.astype("float64"), rtol=rtol, atol=atol)


@pytest.mark.parametrize("sample", VALUES, ids=_name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values(sample, dtype):
    if dtype == "float64" and not any(_is_floating(x) for x in sample.inputs):
        pytest.skip("no floating input")
    _check(sample, dtype)


@pytest.mark.parametrize(
    ("sample", "dtype"), [pytest.param(s, d, id=f"{_name(s)}-{d}") for s in VALUES for d in s.dtypes]
)
def test_other_dtypes(sample, dtype):
    _check(sample, dtype)


def _traced(sample: Sample, inputs: list[np.ndarray]) -> list[np.ndarray]:
    graph = _core.Graph()
    with graph:
        graph.set_outputs(_call(sample, [graph.input(x.shape, x.dtype.name) for x in inputs]))
    return [result.numpy() for result in _core.compile(graph).run(inputs)]


@pytest.mark.parametrize("sample", VALUES, ids=_name)
def test_a_program_gives_what_eager_calls_give(sample):
    inputs = _inputs(sample, "float32")
    for result, eager in zip(_traced(sample, inputs), _call(sample, [_core.convert(x) for x in inputs])):
        assert result.shape == eager.shape
        assert result.tobytes() == eager.numpy().tobytes()


@pytest.mark.parametrize("sample", VALUES, ids=_name)
def test_the_number_of_threads_does_not_matter(sample):
    inputs = [_core.convert(x) for x in _inputs(sample, "float32")]
    before = _core.num_threads()
    try:
        _core.set_num_threads(1)
        one = _call(sample, inputs)
        _core.set_num_threads(2)
        two = _call(sample, inputs)
    finally:
        _core.set_num_threads(before)
    for a, b in zip(one, two):
        assert a.numpy().tobytes() == b.numpy().tobytes()


def _targets(sample: Sample, results: list) -> list:
    """Of the results in float64 those that have a gradient."""
    chosen = results if sample.targets is None else [results[i] for i in sample.targets]
    return [result for result in chosen if result.dtype == "float64"]


def _weighted(sample: Sample, inputs: list, weights: list[np.ndarray]) -> float:
    targets = _targets(sample, _call(sample, [_core.convert(x) for x in inputs]))
    return sum(float((target.numpy() * weight).sum()) for target, weight in zip(targets, weights))


def _has_gradient(sample: Sample) -> bool:
    return bool(sample.grad) and TABLE[sample.op]["has_gradient"] and any(_is_floating(x) for x in sample.inputs)


@pytest.mark.parametrize("sample", [sample for sample in VALUES if _has_gradient(sample)], ids=_name)
def test_gradients_are_finite_differences(sample):
    inputs = _inputs(sample, "float64")
    chosen = range(len(inputs)) if sample.grad is True else sample.grad
    chosen = [i for i in chosen if _is_floating(inputs[i])]
    rng = np.random.default_rng(1)
    tensors = [_core.convert(x) for x in inputs]
    with ph.GradientTape() as tape:
        for i in chosen:
            tape.watch(tensors[i])
        targets = _targets(sample, _call(sample, tensors))
    weights = [rng.normal(size=target.shape) for target in targets]
    assert targets, "no floating result"
    grads = tape.gradient(targets, [tensors[i] for i in chosen], output_gradients=weights, unconnected_gradients="zero")
    for i, grad in zip(chosen, grads):
        x = inputs[i]
        assert grad.shape == x.shape
        assert grad.dtype == "float64"
        if x.size == 0:
            continue
        step = 1e-6
        directions = list(np.eye(x.size).reshape(x.size, *x.shape)) if x.size <= 16 else rng.normal(size=(6, *x.shape))
        for direction in directions:
            shifted = [[y if j != i else y + sign * step * direction for j, y in enumerate(inputs)] for sign in (1, -1)]
            high, low = (_weighted(sample, values, weights) for values in shifted)
            measured = (high - low) / (2 * step)
            np.testing.assert_allclose(float((grad.numpy() * direction).sum()), measured, rtol=2e-5, atol=2e-7)


@pytest.mark.parametrize("sample", ERRORS, ids=_name)
def test_errors_say_what_is_wrong(sample):
    exception, message = sample.raises
    with pytest.raises(exception, match=message):
        for result in _call(sample, [_core.convert(x) for x in _inputs(sample, "float32")]):
            result.numpy()  # a GPU finds a wrong index when it gets there


# Their gradients are kernels that have no gradient of their own.
ONCE_DIFFERENTIABLE = {
    "batch_norm_train",
    "gru",
    "layer_norm",
    "lstm",
    "max_pool2d",
    "simple_rnn",
    "sparse_cross_entropy",
}


def _twice(sample: Sample) -> bool:
    size = sum(x.size for x in sample.inputs)
    return _has_gradient(sample) and sample.op not in ONCE_DIFFERENTIABLE and 0 < size <= 200


@pytest.mark.parametrize("sample", [sample for sample in VALUES if _twice(sample)], ids=_name)
def test_second_derivatives_are_finite_differences_of_the_first(sample):
    inputs = _inputs(sample, "float64")
    chosen = range(len(inputs)) if sample.grad is True else sample.grad
    chosen = [i for i in chosen if _is_floating(inputs[i]) and inputs[i].size]
    rng = np.random.default_rng(2)
    directions = [rng.normal(size=inputs[i].shape) for i in chosen]

    def slope(arrays: list[np.ndarray]) -> tuple[float, list]:
        """The derivative of the squared results along `directions`, and its gradient."""
        tensors = [_core.convert(x) for x in arrays]
        sources = [tensors[i] for i in chosen]
        with ph.GradientTape() as outer:
            outer.watch(sources)
            with ph.GradientTape() as inner:
                inner.watch(sources)
                results = [result for result in _call(sample, tensors) if result.dtype == "float64"]
                squares = [_core.ops.square(result) for result in results]
            grads = inner.gradient(squares, sources, unconnected_gradients="zero")
            total = _core.convert(np.float64(0))
            for grad, direction in zip(grads, directions):
                total = total + _core.ops.reduce_sum(grad * direction)
        return float(total), outer.gradient(total, sources, unconnected_gradients="zero")

    second = slope(inputs)[1]
    step = 1e-6
    for i, grad in zip(chosen, second):
        direction = rng.normal(size=inputs[i].shape)
        high, low = (
            slope([x if j != i else x + sign * step * direction for j, x in enumerate(inputs)])[0] for sign in (1, -1)
        )
        np.testing.assert_allclose((grad.numpy() * direction).sum(), (high - low) / (2 * step), rtol=1e-4, atol=1e-5)
