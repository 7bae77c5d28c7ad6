"""The ops package against NumPy: on concrete tensors, inside programs and on symbolic tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from pronghorn import KerasTensor, _core, ops, symbolic
from sample import distinct, integers, normal

NO_PROGRAM = "its result depends on values"


class Call(NamedTuple):
    """A call of an op on arrays, and what NumPy says of it."""

    name: str
    function: Callable[..., Any]
    reference: Callable[..., Any]
    inputs: tuple[np.ndarray, ...]
    in_programs: bool = True


def _call(name: str, reference: Any, *inputs: np.ndarray, in_programs: bool = True, **kwargs: Any) -> Call:
    return Call(name, lambda *xs: getattr(ops, name)(*xs, **kwargs), reference, inputs, in_programs)


def _calls() -> list[Call]:
    a, b, v, w = normal(3, 4), normal(4, 5, seed=1), normal(6), normal(6, seed=2)
    cube, spaced, mask = normal(2, 3, 4), distinct(4, 5), integers(0, 2, 3, 4, dtype="bool")
    nan = a.copy()
    nan[1, 2] = np.nan
    ids = np.array([0, 2, 0, 1], "int32")
    rows = normal(4, 3)
    positions = np.array([[1, 0], [0, 2], [1, 0]], "int32")
    scattered = np.zeros((2, 3))
    np.add.at(scattered, tuple(positions.T), v[:3])
    last = np.zeros((2, 3))
    last[1, 0], last[0, 2] = v[2], v[1]
    return [
        _call("matmul", np.matmul, a, b),
        _call("matmul", np.matmul, cube, normal(4, 2)),
        _call("matmul", np.matmul, normal(2, 1, 3, 4), normal(5, 4, 2)),
        _call("matmul", np.matmul, v, normal(6, 2)),
        _call("matmul", np.matmul, normal(3, 6), v),
        _call("matmul", np.matmul, v, w),
        _call("dot", np.dot, cube, normal(4, 2)),
        _call("tensordot", lambda x, y: np.tensordot(x, y, 1), cube, b, axes=1),
        _call(
            "tensordot", lambda x, y: np.tensordot(x, y, [[2, 0], [0, 1]]), cube, normal(4, 2, 5), axes=[[2, 0], [0, 1]]
        ),
        _call("inner", np.inner, a, normal(5, 4)),
        _call("outer", np.outer, v, a),
        _call("vdot", np.vdot, v, w),
        _call("trace", np.trace, a),
        _call("kron", np.kron, a, normal(2, 3)),
        _call("cross", np.cross, normal(5, 3), normal(5, 3, seed=3)),
        _call("vander", np.vander, v),
        *[
            Call("einsum", lambda *xs, s=s: ops.einsum(s, *xs), lambda *xs, s=s: np.einsum(s, *xs), xs)
            for s, xs in (
                ("ij,jk->ik", (a, b)),
                ("bij,bkj->bik", (cube, cube)),
                ("ij->ji", (a,)),
                ("ij->", (a,)),
                ("ii->i", (normal(3, 3),)),
                ("i,j->ij", (v, w)),
                ("...ij,jk->...ik", (cube, b)),
                ("ij,jk,k->i", (a, b, normal(5))),
                ("bhqd,bhkd->bhqk", (normal(2, 3, 4, 5), normal(2, 3, 6, 5))),
                ("ij,ij", (a, a)),
            )
        ],
        *[
            _call("norm", lambda x, o=o: np.linalg.norm(x, o, axis=1), a, ord=o, axis=1)
            for o in (None, 1, 2, 3, np.inf, 0)
        ],
        _call("norm", lambda x: np.linalg.norm(x, 1, axis=(0, 1), keepdims=True), a, ord=1, axis=(0, 1), keepdims=True),
        _call("normalize", lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True), a),
        _call("sum", lambda x: x.sum(1), a, axis=1),
        _call("mean", lambda x: x.mean((0, 2), keepdims=True), cube, axis=(0, 2), keepdims=True),
        _call("prod", lambda x: x.prod(), a),
        _call("var", lambda x: x.var(0), a, axis=0),
        _call("std", lambda x: x.std(), a),
        _call("max", lambda x: x.max(-1), spaced, axis=-1),
        _call("min", lambda x: x.min(), spaced),
        _call("ptp", lambda x: np.ptp(x, 1), spaced, axis=1),
        _call("all", lambda x: x.all(0), mask, axis=0),
        _call("any", lambda x: x.any(1, keepdims=True), mask, axis=1, keepdims=True),
        _call("argmax", lambda x: x.argmax(), spaced),
        _call("argmin", lambda x: x.argmin(0), spaced, axis=0),
        _call("cumsum", lambda x: x.cumsum(1), a, axis=1),
        _call("cumprod", lambda x: x.cumprod(), v),
        _call("logsumexp", lambda x: np.log(np.exp(x).sum(1)), a, axis=1),
        _call("count_nonzero", lambda x: np.count_nonzero(x, 0), mask, axis=0),
        _call(
            "average", lambda x: np.average(x, 1, [1, 2, 3, 4]), a, axis=1, weights=np.array([1.0, 2, 3, 4], "float32")
        ),
        _call("diff", lambda x: np.diff(x, 2, 0), b, n=2, axis=0),
        _call("trapezoid", lambda x: np.trapezoid(x) if hasattr(np, "trapezoid") else np.trapz(x), a),
        _call("median", lambda x: np.median(x, 0), b, axis=0),
        _call("median", np.median, a),
        _call("quantile", lambda x: np.quantile(x, [0.1, 0.5], 1), b, q=[0.1, 0.5], axis=1),
        _call("percentile", lambda x: np.percentile(x, 30, method="nearest"), a, q=30, method="nearest"),
        _call("nansum", np.nansum, nan),
        _call("nanmean", lambda x: np.nanmean(x, 1), nan, axis=1),
        _call("nanvar", np.nanvar, nan),
        _call("nanmax", lambda x: np.nanmax(x, 1), nan, axis=1),
        _call("nanargmin", np.nanargmin, nan),
        _call("corrcoef", np.corrcoef, a),
        _call("isin", lambda x: np.isin(x, [1, 3]), integers(0, 5, 9), x2=np.array([1, 3], "int32")),
        _call("histogram", lambda x: np.histogram(x, 5), v, bins=5, in_programs=False),
        _call("reshape", lambda x: x.reshape(2, 6), a, newshape=(2, -1)),
        _call("ravel", np.ravel, cube),
        _call("transpose", np.transpose, cube),
        _call("transpose", lambda x: x.transpose(1, 0, 2), cube, axes=(1, 0, 2)),
        _call("swapaxes", lambda x: np.swapaxes(x, 0, -1), cube, axis1=0, axis2=-1),
        _call("moveaxis", lambda x: np.moveaxis(x, (0, 1), (-1, 0)), cube, source=(0, 1), destination=(-1, 0)),
        _call("expand_dims", lambda x: x[:, None], a, axis=1),
        _call("expand_dims", lambda x: np.expand_dims(x, (0, -1)), a, axis=(0, -1)),
        _call("squeeze", np.squeeze, normal(1, 3, 1)),
        _call("squeeze", lambda x: np.squeeze(x, 0), normal(1, 3, 1), axis=0),
        Call("concatenate", lambda *xs: ops.concatenate(xs, axis=-1), lambda *xs: np.concatenate(xs, -1), (a, nan)),
        Call("stack", lambda *xs: ops.stack(xs, axis=1), lambda *xs: np.stack(xs, 1), (a, a)),
        Call("hstack", lambda *xs: ops.hstack(xs), lambda *xs: np.hstack(xs), (a, a)),
        Call("vstack", lambda *xs: ops.vstack(xs), lambda *xs: np.vstack(xs), (v, w)),
        Call("dstack", lambda *xs: ops.dstack(xs), lambda *xs: np.dstack(xs), (v, w)),
        _call("append", np.append, a, v),
        _call("split", lambda x: tuple(np.split(x, 2, 1)), a, indices_or_sections=2, axis=1),
        _call("split", lambda x: tuple(np.split(x, [1, 3], -1)), a, indices_or_sections=[1, 3], axis=-1),
        _call("array_split", lambda x: tuple(np.array_split(x, 4)), v, indices_or_sections=4),
        _call("hsplit", lambda x: tuple(np.hsplit(x, 2)), a, indices_or_sections=2),
        _call("unstack", lambda x: tuple(x.transpose(1, 0)), a, axis=1),
        *[
            _call("pad", lambda x, m=m: np.pad(x, ((1, 2), (0, 1)), mode=m), a, pad_width=((1, 2), (0, 1)), mode=m)
            for m in ("constant", "edge", "reflect", "symmetric")
        ],
        _call("pad", lambda x: np.pad(x, 1, constant_values=7), a, pad_width=1, constant_values=7),
        _call("tile", lambda x: np.tile(x, (2, 1, 3)), a, repeats=(2, 1, 3)),
        _call("tile", lambda x: np.tile(x, 2), a, repeats=2),
        _call("repeat", lambda x: np.repeat(x, 3, 1), a, repeats=3, axis=1),
        _call("repeat", lambda x: np.repeat(x, [1, 0, 2], 0), a, repeats=[1, 0, 2], axis=0),
        _call("flip", np.flip, cube),
        _call("flip", lambda x: np.flip(x, 1), cube, axis=1),
        _call("roll", lambda x: np.roll(x, (1, -2), (0, 1)), a, shift=(1, -2), axis=(0, 1)),
        _call("roll", lambda x: np.roll(x, 5), a, shift=5),
        *[_call("rot90", lambda x, k=k: np.rot90(x, k), a, k=k) for k in range(4)],
        _call("diag", np.diag, a),
        _call("diag", lambda x: np.diag(x, -1), v, k=-1),
        _call("diagonal", lambda x: np.diagonal(x, 1, 1, 2), cube, offset=1, axis1=1, axis2=2),
        _call("broadcast_to", lambda x: np.broadcast_to(x, (2, 3, 4)), a, shape=(2, 3, 4)),
        _call("tril", np.tril, cube),
        _call("triu", lambda x: np.triu(x, 1), a, k=1),
        _call("zeros_like", np.zeros_like, a),
        _call("full_like", lambda x: np.full_like(x, 2.5), a, fill_value=2.5),
        Call(
            "meshgrid",
            lambda x, y: ops.meshgrid(x, y, indexing="ij"),
            lambda x, y: tuple(np.meshgrid(x, y, indexing="ij")),
            (v, w[:2]),
            False,
        ),
        _call("slice", lambda x: x[1:3, 0:2], a, start_indices=(1, 0), shape=(2, 2)),
        Call(
            "slice_update",
            lambda x, u: ops.slice_update(x, (1, 1), u),
            lambda x, u: np.block([[x[:1, :1], x[:1, 1:]], [x[1:, :1], np.block([u, x[1:, 3:]])]]),
            (a, normal(2, 2, seed=5)),
        ),
        _call("take", lambda x: np.take(x, [2, 0], 1), a, indices=[2, 0], axis=1),
        _call("take", lambda x: np.take(x, [[5, 0]]), a, indices=[[5, 0]]),
        _call(
            "take_along_axis",
            lambda x: np.take_along_axis(x, np.array([[0], [3], [-1]]), 1),
            a,
            indices=np.array([[0], [3], [-1]]),
            axis=1,
        ),
        _call("one_hot", lambda x: np.eye(3)[x], ids, num_classes=3),
        _call("one_hot", lambda x: np.eye(3)[x].T, ids, num_classes=3, axis=0),
        _call("multi_hot", lambda x: np.eye(4)[x].max(-2), np.array([[0, 2], [3, 3]], "int32"), num_classes=4),
        _call("sort", lambda x: np.sort(x, 0), spaced, axis=0),
        _call("argsort", lambda x: np.argsort(x, -1, kind="stable"), spaced),
        _call("top_k", lambda x: (-np.sort(-x, -1)[:, :2], np.argsort(-x, -1, kind="stable")[:, :2]), spaced, k=2),
        Call(
            "in_top_k",
            lambda t, p: ops.in_top_k(t, p, 2),
            lambda t, p: np.argsort(np.argsort(-p, -1))[np.arange(4), t] < 2,
            (ids, spaced),
        ),
        _call("searchsorted", lambda s, x: np.searchsorted(s, x), np.sort(v), normal(2, 3)),
        _call("digitize", np.digitize, a, np.sort(v)),
        _call("bincount", np.bincount, ids, in_programs=False),
        _call("nonzero", np.nonzero, mask, in_programs=False),
        _call("unique", np.unique, ids, in_programs=False),
        Call(
            "segment_sum",
            lambda x, i: ops.segment_sum(x, i, 3),
            lambda x, i: np.stack([x[i == s].sum(0) for s in range(3)]),
            (rows, ids),
        ),
        Call(
            "segment_max",
            lambda x, i: ops.segment_max(x, i, 3),
            lambda x, i: np.stack([x[i == s].max(0) for s in range(3)]),
            (rows, ids),
        ),
        Call("scatter", lambda i, x: ops.scatter(i, x, (2, 3)), lambda i, x: scattered, (positions, v[:3])),
        Call(
            "scatter_update",
            lambda x, i, u: ops.scatter_update(x, i, u),
            lambda x, i, u: last,
            (np.zeros((2, 3)), positions, v[:3]),
        ),
        Call(
            "scatter_update",
            lambda x, i, u: ops.scatter_update(x, i, u, "add"),
            lambda x, i, u: x + scattered,
            (normal(2, 3), positions, v[:3]),
        ),
        _call("unravel_index", lambda i: np.unravel_index(i, (2, 3)), np.array([1, 5], "int32"), shape=(2, 3)),
        Call("where", ops.where, np.where, (mask, a, np.float64(1.5))),
        Call(
            "select",
            lambda c, x, y: ops.select([c, ~c], [x, y], 7.0),
            lambda c, x, y: np.where(c, x, y),
            (mask, a, nan),
        ),
        _call("clip", lambda x: np.clip(x, -0.5, 0.5), a, x_min=-0.5, x_max=0.5),
        _call("nan_to_num", np.nan_to_num, nan),
        _call(
            "divide_no_nan",
            lambda x, y: np.where(y == 0, 0, x / np.where(y == 0, 1, y)),
            a,
            integers(0, 2, 3, 4).astype("float64"),
        ),
        _call("round", lambda x: np.round(x, 2), a, decimals=2),
        _call("isclose", np.isclose, a, nan),
        *[
            _call(name, getattr(np, name), *[normal(3, 4, seed=i) for i in range(arity)])
            for name, arity in (
                ("log2", 1),
                ("log10", 1),
                ("exp2", 1),
                ("logaddexp", 2),
                ("logaddexp2", 2),
                ("cbrt", 1),
                ("hypot", 2),
                ("deg2rad", 1),
                ("rad2deg", 1),
                ("fmod", 2),
                ("heaviside", 2),
                ("sinc", 1),
                ("fmax", 2),
                ("fmin", 2),
                ("signbit", 1),
            )
            if name not in ("log2", "log10")
        ],
        _call("log2", np.log2, np.abs(a)),
        _call("log10", np.log10, np.abs(a)),
        _call("relu6", lambda x: np.clip(x, 0, 6), a * 5),
        _call("silu", lambda x: x / (1 + np.exp(-x)), a),
        _call("log_sigmoid", lambda x: -np.log1p(np.exp(-x)), a),
        _call("leaky_relu", lambda x: np.where(x > 0, x, 0.2 * x), a),
        _call("elu", lambda x: np.where(x > 0, x, np.expm1(x)), a),
        _call("gelu", lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))), a),
        _call("softsign", lambda x: x / (1 + np.abs(x)), a),
        _call("hard_sigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1), a * 3),
        _call("softmax", lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True), a),
        _call("log_softmax", lambda x: x - np.log(np.exp(x).sum(0)), a, axis=0),
        _call("glu", lambda x: x[:, :2] / (1 + np.exp(-x[:, 2:])), a),
        *[
            Call("get_item", lambda x, k=k: x[k], lambda x, k=k: x[k], (cube,))
            for k in (
                0,
                -1,
                (1, 2),
                np.s_[:, 1],
                np.s_[..., 0],
                np.s_[::-1, 1:],
                np.s_[:, None, ::2],
                np.s_[1, ..., None],
                np.s_[:, -2:],
                np.s_[:, 5:],
                (np.array([1, 0]),),
                np.s_[:, np.array([2, -1])],
                (np.array([0, 1]), np.array([2, 0])),
                np.s_[:, np.array([0, 2]), np.array([1, 3])],
                (slice(None), [0, 2]),
            )
        ],
        Call("get_item", lambda x, m: x[m], lambda x, m: x[m], (a, mask), False),
    ]


CALLS = _calls()
IDS = [f"{i}-{call.name}" for i, call in enumerate(CALLS)]


def _single(x: np.ndarray) -> np.ndarray:
    x = np.asarray(x)
    return x.astype("float32") if x.dtype == "float64" else x


def _flat(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (list, tuple)) else [result]


def _check(results: list[Any], expected: list[Any]) -> None:
    assert len(results) == len(expected)
    for result, wanted in zip(results, expected):
        wanted = np.asarray(wanted)
        assert tuple(result.shape) == wanted.shape
        np.testing.assert_allclose(np.asarray(result), wanted, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("call", CALLS, ids=IDS)
def test_eager(call):
    inputs = [_core.convert(_single(x)) for x in call.inputs]
    _check(_flat(call.function(*inputs)), _flat(call.reference(*call.inputs)))


@pytest.mark.parametrize(
    "call", [c for c in CALLS if c.in_programs], ids=[i for i, c in zip(IDS, CALLS) if c.in_programs]
)
def test_in_a_program(call):
    inputs = [_single(x) for x in call.inputs]
    graph = _core.Graph()
    with graph:
        graph.set_outputs(_flat(call.function(*[graph.input(x.shape, x.dtype.name) for x in inputs])))
    _check(_core.compile(graph).run(inputs), _flat(call.reference(*call.inputs)))


@pytest.mark.parametrize(
    "call", [c for c in CALLS if c.in_programs], ids=[i for i, c in zip(IDS, CALLS) if c.in_programs]
)
def test_on_symbolic_tensors(call):
    inputs = [_single(x) for x in call.inputs]
    concrete = _flat(call.function(*[_core.convert(x) for x in inputs]))
    placeholders = [KerasTensor(x.shape, x.dtype.name) for x in inputs]
    for result, symbol in zip(concrete, _flat(call.function(*placeholders))):
        assert isinstance(symbol, KerasTensor)
        assert (symbol.shape, symbol.dtype) == (result.shape, result.dtype)
        assert isinstance(symbolic.node_of(symbol).operation, symbolic.OpCall)


@pytest.mark.parametrize(
    ("function", "dtype"),
    [
        (lambda: ops.add(ops.ones(2, "int32"), 1), "int32"),
        (lambda: ops.add(ops.ones(2, "int32"), 1.5), "float32"),
        (lambda: ops.add(ops.ones(2, "float16"), 1.5), "float16"),
        (lambda: ops.add(ops.ones(2, "float16"), ops.ones(2, "int64")), "float16"),
        (lambda: ops.add(ops.ones(2, "float16"), ops.ones(2, "bfloat16")), "float32"),
        (lambda: ops.add(ops.ones(2, "int8"), ops.ones(2, "uint8")), "int16"),
        (lambda: ops.divide(ops.ones(2, "int32"), 2), "float32"),
        (lambda: ops.exp(ops.ones(2, "int64")), "float32"),
        (lambda: ops.sum(ops.ones(2, "bool")), "int32"),
        (lambda: ops.sum(ops.ones(2, "int8")), "int32"),
        (lambda: ops.sum(ops.ones(2, "uint8")), "uint32"),
        (lambda: ops.sum(ops.ones(2, "bfloat16")), "bfloat16"),
        (lambda: ops.mean(ops.ones(2, "int32")), "float32"),
        (lambda: ops.max(ops.ones(2, "bool")), "bool"),
        (lambda: ops.argmax(ops.ones(2, "float16")), "int32"),
        (lambda: ops.cumsum(ops.ones(2, "bool")), "int32"),
        (lambda: ops.where(ops.ones(2, "bool"), 1, ops.ones(2, "float64")), "float64"),
        (lambda: ops.arange(3), "int32"),
        (lambda: ops.arange(3.0), "float32"),
        (lambda: ops.linspace(0, 1, 3), "float32"),
        (lambda: ops.convert_to_tensor([1, 2]), "int32"),
        (lambda: ops.convert_to_tensor([1.0, 2]), "float32"),
        (lambda: ops.convert_to_tensor(np.ones(2)), "float64"),
        (lambda: ops.convert_to_tensor([True]), "bool"),
        (lambda: ops.matmul(ops.ones((2, 2), "bfloat16"), ops.ones((2, 2), "bfloat16")), "bfloat16"),
        (lambda: ops.sort(ops.ones(2, "bfloat16")), "bfloat16"),
        (lambda: ops.take(ops.ones(2, "int8"), [0]), "int8"),
        (lambda: ops.equal(ops.ones(2), 1), "bool"),
        (lambda: ops.logical_and(ops.ones(2), 1), "bool"),
    ],
)
def test_dtypes_are_keras_s(function, dtype):
    assert function().dtype == dtype


@pytest.mark.parametrize(
    ("function", "exception", "message"),
    [
        (lambda: ops.reshape(ops.ones((2, 3)), (4, -1)), ValueError, r"\(2, 3\)"),
        (lambda: ops.concatenate([], 0), ValueError, r"concatenate.*empty"),
        (lambda: ops.split(ops.ones(5), 2), ValueError, r"split.*5.*2"),
        (lambda: ops.matmul(ops.ones((2, 3)), ops.ones((4, 2))), ValueError, r"matmul.*\(2, 3\).*\(4, 2\)"),
        (lambda: ops.einsum("ij,jk->ik", ops.ones((2, 3))), ValueError, r"einsum.*2 operands"),
        (lambda: ops.top_k(ops.ones(3), 4), ValueError, r"top_k.*4"),
        (lambda: ops.take(ops.ones(3), [5]), IndexError, r"take.*5.*3"),
        (lambda: ops.ones(3)[4], IndexError, r"index 4.*size 3"),
        (lambda: ops.ones(3)[1, 2], IndexError, r"too many indices"),
        (lambda: ops.pad(ops.ones(3), 1, mode="wrap"), ValueError, r"pad.*mode.*wrap"),
        (lambda: ops.max(ops.ones((0, 2)), axis=0), ValueError, r"reduce_max.*\(0, 2\)"),
        (lambda: ops.cast(ops.ones(2), "complex64"), (ValueError, TypeError), r"complex64"),
        (lambda: ops.squeeze(ops.ones((2, 1)), 0), ValueError, r"squeeze.*axis 0.*\(2, 1\)"),
        (lambda: ops.where(ops.ones(2), 1), ValueError, r"where: x1 and x2 must both be given, or neither"),
        (lambda: ops.zeros((2, -1)), ValueError, r"-1"),
    ],
)
def test_errors(function, exception, message):
    with pytest.raises(exception, match=message):
        function()


def test_what_is_known_of_symbolic_tensors():
    x = KerasTensor((None, 3), "int32")
    assert (ops.shape(x), ops.size(x), ops.ndim(x), ops.dtype(x)) == ((None, 3), None, 2, "int32")
    assert ops.size(ops.zeros((2, 3))) == 6


def test_python_numbers_lose_nothing_on_the_way_to_64_bits():
    for make in (ops.convert_to_tensor, ops.cast, ops.array):
        np.testing.assert_array_equal(make([0.1, 1 / 3], "float64"), [0.1, 1 / 3])
    np.testing.assert_array_equal(ops.full((1,), 0.1, "float64"), [0.1])
    np.testing.assert_array_equal(ops.convert_to_tensor(2**40 + 1, "int64"), 2**40 + 1)


SATURATED = [  # values, their dtype, the dtype wanted, what comes out
    ([300, -5], "int64", "uint8", [255, 0]),
    ([300, -5, 40000], "int64", "int8", [127, -5, 127]),
    ([-1, 5], "int32", "uint32", [0, 5]),
    ([2**62], "int64", "float16", [65504.0]),
    ([1e5, -1e9, np.inf, 2.5], "float32", "float16", [65504.0, -65504.0, 65504.0, 2.5]),
    ([1e20, -1e20, 7.9], "float32", "int32", [2**31 - 128, -(2**31), 7]),
    ([1e300, -1e300], "float64", "int64", [2**63 - 1024, -(2**63)]),
    ([1e300], "float64", "float32", [np.finfo("float32").max]),
    ([300.0, -7.0], "bfloat16", "int8", [127, -7]),
    ([True, False], "bool", "int8", [1, 0]),
]  # fmt: skip


@pytest.mark.parametrize("values, source, wanted, expected", SATURATED)
def test_saturate_cast_ends_at_the_range_of_the_dtype(values, source, wanted, expected):
    result = ops.saturate_cast(ops.convert_to_tensor(values, source), wanted)
    assert result.dtype == wanted
    np.testing.assert_array_equal(result.numpy(), np.array(expected, wanted))


def test_dtypes_of_arrays_are_dtypes():
    for dtype in ("float64", "float32", "int64", "bool"):
        assert ops.ones((2,), dtype=np.dtype(dtype)).dtype == ops.zeros((2,), dtype=np.dtype(dtype).type).dtype == dtype
    np.testing.assert_array_equal(ops.linspace(np.float64(0), np.float64(1), 3), [0.0, 0.5, 1.0])


def test_where_without_values_gives_the_indices_that_are_not_zero():
    rows, columns = ops.where([[0, 3], [4, 0]])
    np.testing.assert_array_equal(rows, [0, 1])
    np.testing.assert_array_equal(columns, [1, 0])
