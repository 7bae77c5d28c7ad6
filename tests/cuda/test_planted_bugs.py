"""The CUDA simulator catches bugs: each case in planted.cu has one, and the table says what tells of it.

- ERRORS: the program ends with an error that names the place or the cause.
- WRONG: results are wrong (NaN, where something was not written yet) in this mode, and not by chance.
- SANITIZERS: the address or undefined-behaviour sanitizer reports it.
- RACES: the thread sanitizer reports a data race in this mode.
A bug may stand in more than one table.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
import simulator

pytestmark = pytest.mark.skipif(not simulator.COMPILER, reason="needs g++")

NOT_A_BUG = "product_with_no_bug"  # what the other products are made from

ERRORS = {
    ("barrier_in_a_branch", "forward"): "divergent __syncthreads: some threads are at line",
    ("too_much_shared", "forward"): "more than 48 KB of static shared memory",
    ("wrong_barrier_count", "forward"): r"deadlock: thread 0 waits at bar.sync, .*barrier.h:\d+; 64 of 128 threads",
    ("part_of_a_warp_at_a_barrier", "forward"): "barrier 1: 48 threads, wanted a multiple of 32",
    ("half_warp_shuffle", "forward"): r"the mask names a lane that has ended|deadlock: thread \d+ waits at __shfl_xor",
    ("lane_outside_its_mask", "forward"): "thread 16: .*the calling lane is not in its own mask",
    ("warps_diverge", "forward"): r"divergent warp: __shfl_xor_sync at line \d+ meets __shfl_xor_sync at line",
    ("too_much_dynamic", "forward"): "kernel beyond_dynamic_kernel: invalid configuration argument",
    ("misaligned_ldmatrix", "forward"): "ldmatrix: the row's address is no multiple of 16 bytes",
    ("freed_twice", "forward"): "cudaFree: invalid argument",
    ("too_many_threads", "forward"): "kernel too_many_threads_kernel: invalid configuration argument",
    ("global_store_to_shared", "forward"): "store_global: the address is one of shared memory",
    ("misaligned_copy", "forward"): "cp.async: an address is no multiple of 16 bytes",
    ("mbarrier_not_initialised", "forward"): "mbarrier: used before it was initialised",
    ("one_arrival_missing", "forward"): "deadlock: thread 0 waits at mbarrier wait",
    ("tile_with_too_many_bytes", "forward"): "deadlock: thread 0 waits at mbarrier wait",
    ("misaligned_tile", "forward"): "TMA: the tile's address is no multiple of 1024 bytes",
    ("tile_at_part_of_16_bytes", "forward"): "TMA: the tile's column is -20 bytes into its row, no multiple of 16",
    ("tile_never_awaited", "late"): "a copy of a tile was still under way when its block ended",
    ("tile_wider_than_its_swizzle", "forward"): "tensor_map: a box's rows have 256 bytes, wanted the swizzle's width",
    ("product_without_fence", "forward"): "wgmma: no wgmma.fence since registers may have changed",
    ("product_of_other_descriptors", "forward"): "wgmma: the threads of the warpgroup bring different descriptors",
    ("product_of_half_a_warpgroup", "forward"): "deadlock: thread 0 waits at wgmma",
    ("synchronize_in_capture", "forward"): "operation not permitted when stream is capturing",
    ("allocate_in_capture", "forward"): "cudaMalloc: operation not permitted when stream is capturing",
    ("fork_not_joined", "forward"): "end: capturing stream has unjoined work",
}
WRONG = {
    ("missing_barrier", "forward"): np.nan,
    ("uninitialised_shared", "forward"): np.nan,
    ("uninitialised_global", "forward"): np.nan,
    ("lane_outside_the_mask_read", "forward"): np.nan,
    ("copy_without_wait", "late"): np.nan,
    ("copy_with_one_wait_too_few", "late"): np.nan,
    ("tile_without_wait", "late"): np.nan,
    ("tile_awaited_in_the_wrong_phase", "late"): np.nan,
    ("product_without_wait", "late"): 0,
    ("graph_without_an_edge", "reverse"): 0,
    ("stream_that_does_not_wait", "late"): 0,
    ("pinned_buffer_used_too_early", "late"): 2,
}
SANITIZERS = {
    "beyond_global": "heap-buffer-overflow",
    "beyond_shared": "heap-buffer-overflow",
    "index_beyond_array": "index 32 out of bounds",
    "beyond_dynamic": "heap-buffer-overflow",
    "misaligned_vector": "misaligned address",
    "copy_beyond_the_end": "heap-buffer-overflow",
    "use_after_free": "heap-use-after-free",
}
RACES = {
    "missing_barrier": "forward",
    "scratch_reused": "forward",
    "missing_syncwarp": "forward",
    "blocks_race": "forward",
    "blocks_depend": "forward",
    "last_block_without_fence": "forward",
    "copy_without_barrier": "forward",
    "tile_without_wait": "forward",
    "stage_released_early": "late",
}


def test_every_planted_bug_is_caught_somewhere():
    (planted,) = [path for path in simulator.CASES if path.name == "planted.cu"]
    caught = {case for case, _ in (*ERRORS, *WRONG)} | set(SANITIZERS) | set(RACES)
    assert caught == set(simulator.cases_in(planted)) - {NOT_A_BUG}


@pytest.mark.parametrize(("case", "mode"), ERRORS)
def test_ends_with_an_error_that_names_the_place(case, mode):
    result = simulator.run("plain", [case], mode)
    assert result.returncode == 1
    assert re.search(ERRORS[case, mode], result.stdout), result.stdout


@pytest.mark.parametrize(("case", "mode"), WRONG)
def test_gives_wrong_results(case, mode):
    result = simulator.run("plain", [case], mode)
    assert result.returncode == 0, result.stdout
    (printed,) = simulator.values(result.stdout)[case]
    wanted = WRONG[case, mode]
    assert np.isnan(printed).any() if np.isnan(wanted) else (printed == wanted).any(), printed


@pytest.mark.parametrize("case", ["blocks_race", "blocks_depend"])
def test_results_hang_on_the_order_of_blocks(case):
    forward, reverse = (
        simulator.values(simulator.run("plain", [case], mode).stdout)[case][0] for mode in ("forward", "reverse")
    )
    assert (forward != reverse).any()


@pytest.mark.parametrize("case", SANITIZERS)
def test_is_reported_by_the_address_or_behaviour_sanitizer(case):
    result = simulator.run("address", [case])
    assert result.returncode != 0
    assert re.search(SANITIZERS[case], result.stderr), result.stderr


@pytest.mark.parametrize("case", RACES)
def test_is_reported_by_the_race_checker(case):
    result = simulator.run("race", [case], RACES[case])
    assert "data race" in result.stderr, result.stderr + result.stdout


@pytest.mark.parametrize("mode", simulator.MODES)
def test_the_same_kernel_without_a_bug_passes(mode):
    result = simulator.run("plain", [NOT_A_BUG], mode)
    (printed,) = simulator.values(result.stdout)[NOT_A_BUG]
    assert result.returncode == 0 and np.isfinite(printed).all() and (printed > 0).all()
