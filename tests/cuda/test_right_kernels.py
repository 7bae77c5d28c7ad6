"""Right kernels give right results in the CUDA simulator in every mode, and no sanitizer reports anything; on hardware,
where there is a program of the cases for it (simulator.py), they give the same.

The cases in right.cu are CUDA C++, streams, events and graphs; those in instructions.cu take every wrapper of cuda/ptx
to its reference in cuda/sim/ptx; those in divide.cu hold divisions by multiplication against divisions. What they
should print is worked out here.
"""

from __future__ import annotations

import functools

import ml_dtypes
import numpy as np
import pytest
import simulator

needs_compiler = pytest.mark.skipif(not simulator.COMPILER, reason="needs g++")
needs_device = pytest.mark.skipif(not simulator.DEVICE_PROGRAM, reason="PRONGHORN_CUDA_CASES does not name a program")

LANES = np.arange(32)


def _left(*shape: int) -> np.ndarray:
    return (np.arange(np.prod(shape)) * 7 % 23 - 11).reshape(shape)


def _right(*shape: int) -> np.ndarray:
    return (np.arange(np.prod(shape)) * 5 % 17 - 8).reshape(shape)


def _indices() -> np.ndarray:
    block, thread = np.indices((2, 3, 2)), np.indices((2, 3, 4))
    block = block[0] * 100000 + block[1] * 10000 + block[2] * 1000
    thread = thread[0] * 100 + thread[1] * 10 + thread[2]
    return np.add.outer(block, thread)


def _tf32_rounding(ties_to_even: bool = False) -> np.ndarray:
    """To 10 bits of fraction, ties away from zero, or to even as TMA rounds them."""
    n = np.arange(64)
    scaled = (1 + n / 8192) * 1024
    return (np.rint(scaled) if ties_to_even else np.floor(scaled + 0.5)) / 1024 * np.where(n % 2, -1, 1)


def _halves() -> np.ndarray:
    """Rounded to 10 and to 7 bits of fraction, ties to even."""
    n = np.arange(64)
    values = [(2048 + n) * np.where(n % 2, -1, 1), np.arange(32) * 2.0**-26, 65500 + np.arange(32) * 4]
    x = np.concatenate(values).astype("float32")
    with np.errstate(over="ignore"):
        return np.concatenate([x.astype(to).astype("float32") for to in ("float16", ml_dtypes.bfloat16)])


def _ldmatrix() -> np.ndarray:
    matrices = (np.arange(256) * 251).reshape(4, 8, 8) % 65536
    return np.concatenate([matrices, matrices.transpose(0, 2, 1)])


def _pipeline(rounds: int) -> np.ndarray:
    return np.arange(32 * rounds).reshape(rounds, 32)[:, ::-1].sum(0)


def _swizzled(box: np.ndarray, size: int, swizzle: int) -> np.ndarray:
    """In pieces of 16 bytes: piece i of the 8 in line l of 128 bytes goes to i xor l, as far as the swizzle is wide."""
    pieces = box.reshape(-1, 16 // size)
    placed = np.full(pieces.shape, np.nan)
    for i, piece in enumerate(pieces):
        line, within = divmod(i, 8)
        placed[line * 8 + (within ^ (line % 8) % max(swizzle // 16, 1))] = piece
    return placed


def _tile(box_columns: int, row: int, column: int, size: int, swizzle: int) -> np.ndarray:
    """A box of 16 rows of a 20 x 72 matrix."""
    matrix = np.zeros((60, 200))
    matrix[20:40, 64:136] = np.arange(20 * 72).reshape(20, 72)
    return _swizzled(matrix[20 + row : 36 + row, 64 + column : 64 + column + box_columns], size, swizzle)


def _pixels(corner: tuple[int, ...], box: tuple[int, ...], steps: tuple[int, ...] = (1, 1, 1)) -> np.ndarray:
    """A box of (images, rows, columns), 64 channels wide, of (3, 6, 5, 40) bfloat16 elements."""
    images = np.pad(_left(3, 6, 5, 40), [(10, 10), (10, 10), (10, 10), (0, 24)])
    picked = [slice(10 + c, 10 + c + n * s, s) for c, n, s in zip(corner, box, steps, strict=True)]
    return _swizzled(images[tuple(picked)], 2, 128)


def _three_axes() -> np.ndarray:
    tensor = np.pad(np.arange(4 * 6 * 20).reshape(4, 6, 20), [(0, 0), (0, 4), (0, 20)])
    return _swizzled(tensor[2, 1:9, 8:40], 4, 128)


def _product(n: int, depth: int, a_transposed: bool = False, b_transposed: bool = False) -> np.ndarray:
    a = _left(depth, 64).T if a_transposed else _left(64, depth)
    b = _right(depth, n) if b_transposed else _right(n, depth).T
    return a @ b


RIGHT = {
    "reverse_block": [np.concatenate([np.arange(64)[::-1], np.arange(64, 128)[::-1]])],
    "many_blocks": [np.arange(25600).reshape(100, 256)[:, ::-1]],
    "dynamic_shared": [np.arange(64) ^ 1],
    "indices": [_indices()],
    "warp_sum": [np.repeat([496, 1520], 32)],
    "sums_of_fours": [np.where(np.arange(64) // 4 % 2 == 0, np.arange(64) // 4 * 16 + 6, np.arange(64))],
    "shuffles": [
        np.concatenate(
            [
                np.maximum(LANES - 1, 0),
                np.where(LANES % 8 == 7, LANES, LANES + 1),
                np.where(LANES < 16, 3, 19),
                np.full(32, 11),
                np.full(32, 10),
                (LANES ^ 1) + 0.5,
            ]
        )
    ],
    "part_of_a_warp": [np.arange(48) ^ 1],
    "some_end_early": [np.concatenate([np.arange(40)[::-1], np.arange(40, 64)])],
    "last_block_sums": [np.array([190])],
    "atomics": [np.array([2016, 63, 5, 9])],
    "vectors": [np.arange(64).reshape(16, 4)[:, ::-1]],
    "graph": [np.zeros(4), np.array([6, 6, 3, 3])],
    "graph_of_two_branches": [np.array([11])],
    "stream_that_waits": [np.array([1])],
    "polled_event": [np.array([3])],
    "pinned_buffer_used_again": [np.array([1]), np.array([2])],
    "mma_bfloat16_product": [_left(16, 16) @ _right(16, 8)],
    "mma_float16_product": [_left(16, 16) @ _right(16, 8)],
    "mma_tf32_product": [_left(16, 8) @ _right(8, 8)],
    "tf32_rounding": [_tf32_rounding()],
    "ldmatrix_both_ways": [_ldmatrix()],
    "conversions_to_halves": [_halves()],
    "stores_of_words": [
        np.concatenate([np.arange(128).reshape(32, 4)[:, ::-1].ravel(), np.arange(64).reshape(32, 2)[:, ::-1].ravel()])
    ],
    "copy_async_4": [np.where(LANES == 31, 0, LANES)],
    "copy_async_8": [np.where(np.arange(64) // 2 == 31, 0, np.arange(64))],
    "copy_async_16": [np.where(np.arange(128) // 4 == 31, 0, np.arange(128))],
    "copy_pipeline": [_pipeline(7)],
    "named_barriers": [np.concatenate([163 - np.arange(64), np.arange(64, 160)])],
    "mbarrier_phases": [36 + 9 * (31 - LANES) / 32],
    "tile_none": [_tile(12, 1, 4, 4, 0)],
    "tile_32": [_tile(8, 2, 24, 4, 32)],
    "tile_64": [_tile(16, 0, 8, 4, 64)],
    "tile_128": [_tile(32, 3, 16, 4, 128)],
    "tile_128_beyond_the_end": [_tile(32, 12, 56, 4, 128)],
    "tile_64_before_the_start": [_tile(16, -3, -8, 4, 64)],
    "tile_float16": [_tile(64, 1, 8, 2, 128)],
    "pixels": [_pixels((1, 2, 0), (2, 3, 5))],
    "pixels_outside": [_pixels((2, -1, -1), (2, 4, 7))],
    "pixels_in_steps": [_pixels((1, 0, 1), (1, 3, 3), (1, 2, 2))],
    "pixels_in_steps_outside": [_pixels((0, -2, -3), (3, 4, 4), (1, 3, 2))],
    "three_axes": [_three_axes()],
    "tile_rounded_to_tf32": [_tf32_rounding(ties_to_even=True)],
    "wgmma_bfloat16_64": [_product(64, 64)],
    "wgmma_bfloat16_128_b_transposed": [_product(128, 64, b_transposed=True)],
    "wgmma_bfloat16_64_both_transposed": [_product(64, 32, a_transposed=True, b_transposed=True)],
    "wgmma_bfloat16_64_pattern_64": [_product(64, 64, b_transposed=True)],
    "wgmma_bfloat16_64_pattern_32": [_product(64, 32, a_transposed=True)],
    "wgmma_bfloat16_256": [_product(256, 64)],
    "wgmma_float16_64": [_product(64, 64)],
    "wgmma_float16_128_a_transposed": [_product(128, 64, a_transposed=True)],
    "wgmma_tf32_64": [_product(64, 32)],
    "wgmma_tf32_128": [_product(128, 64)],
    "wgmma_units": [_product(64, 16, a_transposed=True)],
    "warp_specialised_product": [_product(64, 256)],
    "quotients_of_all_small_numbers": [np.array([130, 0])],
    "quotients_of_edge_numbers": [np.array([505, 0])],
    "quotients_by_an_empty_axis": [np.array([1, 0])],
}

# to the race checker each CUDA thread is one, and it is slow to make them
TOO_MANY_THREADS_TO_WATCH = {"many_blocks"}


@functools.cache
def _printed(flavour: str, mode: str) -> dict[str, list[np.ndarray]]:
    """All cases, in one process."""
    cases = [case for case in RIGHT if flavour != "race" or case not in TOO_MANY_THREADS_TO_WATCH]
    result = simulator.run(flavour, cases, mode)
    assert result.returncode == 0 and not result.stderr, result.stdout[-1000:] + result.stderr
    return simulator.values(result.stdout)


def _check(case: str, printed: list[np.ndarray]) -> None:
    assert len(printed) == len(RIGHT[case])
    for value, wanted in zip(printed, RIGHT[case]):
        np.testing.assert_array_equal(value, wanted.ravel())


def test_every_case_is_held_against_what_it_should_print():
    files = [path for path in simulator.CASES if path.name in ("right.cu", "instructions.cu", "divide.cu")]
    assert sorted(RIGHT) == sorted(name for path in files for name in simulator.cases_in(path))


@functools.cache
def _on_device() -> tuple[dict[str, list[np.ndarray]], dict[str, str]]:
    return simulator.run_on_device(list(RIGHT))


@needs_device
@pytest.mark.parametrize("case", RIGHT)
def test_right_results_on_the_device(case):
    printed, failed = _on_device()
    assert case not in failed, failed[case]
    _check(case, printed[case])


@needs_compiler
@pytest.mark.parametrize("mode", simulator.MODES)
@pytest.mark.parametrize("case", RIGHT)
def test_right_results_in_every_mode(case, mode):
    _check(case, _printed("plain", mode)[case])


@needs_compiler
@pytest.mark.parametrize("flavour", ["address", "race"])
def test_sanitizers_report_nothing(flavour):
    printed = _printed(flavour, "late random")
    for case, lines in printed.items():
        _check(case, lines)


@needs_compiler
def test_a_misspelt_mode_is_refused(monkeypatch):
    monkeypatch.setitem(simulator.MODES, "misspelt", {"PRONGHORN_SIM_ASYNC": "lazy"})
    result = simulator.run("plain", ["reverse_block"], "misspelt")
    assert result.returncode != 0 and "PRONGHORN_SIM_ASYNC=lazy: wanted eager or late" in result.stderr
