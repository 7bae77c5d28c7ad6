"""Threads: the same bits on any number of them; forks, several Python threads at once, limits and idleness."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import pronghorn as ph
from pronghorn import _core

ops = _core.ops


@pytest.fixture(autouse=True)
def _keep_the_number_of_threads():
    before = _core.num_threads()
    yield
    _core.set_num_threads(before)


def _array(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def _compiled(rows: int = 256) -> _core.Program:
    """A chain of products, sums over rows and elementwise work, each large enough to be shared."""
    graph = _core.Graph()
    with graph:
        x = graph.input((rows, 300), "float32")
        w = _core.convert(_array(300, 200, seed=1))
        hidden = ops.relu(ops.matmul(x, w))
        scores = ops.softmax(ops.matmul(hidden, w, transpose_b=True))
        sums = ops.reduce_sum(ops.exp(hidden), axes=(0,))
        graph.set_outputs([hidden, scores, sums, ops.matmul(hidden, scores, transpose_a=True)])
    return _core.compile(graph)


def _many_results() -> _core.Program:
    """A program that does little but allocate."""
    graph = _core.Graph()
    with graph:
        x = graph.input((4,), "float32")
        graph.set_outputs([ops.add(x, float(i)) for i in range(200)])
    return _core.compile(graph)


def _bits(results: list) -> list[bytes]:
    return [result.numpy().tobytes() for result in results]


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_programs_give_the_same_bits_on_any_number_of_threads(threads):
    program, x = _compiled(), _array(256, 300)
    _core.set_num_threads(1)
    alone = _bits(program.run([x]))
    _core.set_num_threads(threads)
    for _ in range(5):
        assert _bits(program.run([x])) == alone


@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
@pytest.mark.parametrize("size", [(17, 1000, 90), (1000, 17, 90), (150, 150, 900), (301, 299, 303)])
def test_products_give_the_same_bits_on_any_number_of_threads(size, transpose_a, transpose_b):
    m, n, k = size
    a = _core.convert(_array(*((k, m) if transpose_a else (m, k)), seed=1))
    b = _core.convert(_array(*((n, k) if transpose_b else (k, n)), seed=2))
    bits = set()
    for threads in (1, 2, 5):
        _core.set_num_threads(threads)
        bits.add(ops.matmul(a, b, transpose_a=transpose_a, transpose_b=transpose_b).numpy().tobytes())
    assert len(bits) == 1


@pytest.mark.parametrize(("op", "blocks"), [("lstm", 4), ("gru", 3), ("simple_rnn", 1)])
def test_recurrent_ops_give_the_same_bits_on_any_number_of_threads(op, blocks):
    batch, steps, units = 70, 9, 48
    kernel = _array(units, blocks * units, seed=1) / 7
    bias = [_array(blocks * units, seed=2)] if op == "gru" else []
    h0 = _array(batch, units, seed=3)
    states = [h0, _array(batch, units, seed=4)] if op == "lstm" else [h0]
    projected = _core.convert(_array(batch, steps, blocks * units))
    bits = set()
    for threads in (1, 2, 5):
        _core.set_num_threads(threads)
        with ph.GradientTape() as tape:
            tape.watch(projected)
            results = getattr(ops, op)(projected, kernel, *bias, *states)
            hidden = results[0] if isinstance(results, tuple) else results
        bits.add((hidden.numpy().tobytes(), tape.gradient(hidden, projected).numpy().tobytes()))
    assert len(bits) == 1


@pytest.mark.parametrize(("precision", "fewest_rows"), [("highest", 1), ("high", 16), ("medium", 16)])
def test_a_row_of_a_product_does_not_depend_on_its_batch(precision, fewest_rows):
    # what makes an evaluation the same for every batch size; AMX takes batches of 16 rows and more
    a, b = _array(70, 500, seed=1), _core.convert(_array(500, 40, seed=2))
    before = _core.matmul_precision()
    _core.set_matmul_precision(precision)
    try:
        whole = ops.matmul(_core.convert(a), b).numpy()
        for begin, rows in ((0, fewest_rows), (3, 17), (31, 39)):
            part = ops.matmul(_core.convert(a[begin : begin + rows]), b).numpy()
            np.testing.assert_array_equal(part, whole[begin : begin + rows])
    finally:
        _core.set_matmul_precision(before)


def test_the_number_of_threads_can_be_set():
    _core.set_num_threads(3)
    assert _core.num_threads() == 3
    for bad in (0, -1):
        with pytest.raises(ValueError, match=r"set_num_threads.*at least 1"):
            _core.set_num_threads(bad)
    assert _core.num_threads() == 3


def _child_ends_well(body) -> bool:
    """Runs `body` in a forked child; False if it returns something untrue, fails or hangs."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = 0 if body() else 1
        finally:
            os._exit(code)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.01)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return False


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_computes_and_so_does_its_own_child():
    _core.set_num_threads(3)
    program, x = _compiled(), _array(256, 300)
    expected = _bits(program.run([x]))  # the workers run now

    def child() -> bool:
        return _bits(program.run([x])) == expected

    def child_and_grandchild() -> bool:
        return child() and _child_ends_well(child) and child()

    assert _child_ends_well(child_and_grandchild)
    assert _bits(program.run([x])) == expected


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("busy_with", [_compiled, _many_results])
def test_a_fork_while_another_thread_computes(busy_with):
    # the child must find no lock held by a thread that it does not have
    _core.set_num_threads(2)
    program, x = _compiled(), _array(256, 300)
    expected = _bits(program.run([x]))
    other = busy_with()
    argument = x if busy_with is _compiled else np.ones(4, "float32")
    stop = threading.Event()

    def compute() -> None:
        while not stop.is_set():
            other.run([argument])

    busy = threading.Thread(target=compute)
    busy.start()
    try:
        for _ in range(40):
            assert _child_ends_well(lambda: _bits(program.run([x])) == expected)
    finally:
        stop.set()
        busy.join()


def test_several_python_threads_compute_at_once():
    _core.set_num_threads(2)
    x = _array(256, 300)
    expected = _bits(_compiled().run([x]))
    programs, right = [_compiled() for _ in range(4)], [0] * 4

    def compute(i: int) -> None:
        for _ in range(10):
            right[i] += _bits(programs[i].run([x])) == expected

    threads = [threading.Thread(target=compute, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert right == [10] * 4


def test_the_number_of_threads_changes_while_another_python_thread_computes():
    program, x = _compiled(), _array(256, 300)
    _core.set_num_threads(2)
    expected = _bits(program.run([x]))
    wrong: list[int] = []

    def compute() -> None:
        for i in range(40):
            if _bits(program.run([x])) != expected:
                wrong.append(i)

    busy = threading.Thread(target=compute)
    busy.start()
    threads = 0
    while busy.is_alive():
        threads = threads % 4 + 1
        _core.set_num_threads(threads)
        time.sleep(0.001)
    busy.join()
    assert not wrong


def test_workers_sleep_when_there_is_nothing_to_do():
    _core.set_num_threads(4)
    program, x = _compiled(), _array(256, 300)
    program.run([x])
    time.sleep(0.05)
    before = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - before < 0.1


def _threads_of_a_new_process(prefix: str = "", **environment: str) -> int:
    kept = {k: v for k, v in os.environ.items() if k not in ("PRONGHORN_NUM_THREADS", "OMP_NUM_THREADS")}
    code = f"{prefix}\nfrom pronghorn import _core\nprint(_core.num_threads())"
    result = subprocess.run(
        [sys.executable, "-c", code], env={**kept, **environment}, capture_output=True, text=True, check=True
    )
    return int(result.stdout)


def test_the_environment_says_how_many_threads():
    assert _threads_of_a_new_process(PRONGHORN_NUM_THREADS="3") == 3
    assert _threads_of_a_new_process(OMP_NUM_THREADS="5") == 5
    assert _threads_of_a_new_process(PRONGHORN_NUM_THREADS="3", OMP_NUM_THREADS="5") == 3
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    for nonsense in ("", "many", "0", "-2"):
        assert 1 <= _threads_of_a_new_process(PRONGHORN_NUM_THREADS=nonsense) <= usable


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no processor affinity")
def test_no_more_threads_than_processors_this_process_may_use():
    one = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    assert _threads_of_a_new_process(one) == 1


def test_a_process_with_workers_ends():
    code = """
import numpy as np
from pronghorn import _core
_core.set_num_threads(4)
x = _core.convert(np.ones((400, 400), "float32"))
print(float(_core.ops.matmul(x, x).numpy()[0, 0]))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout, result.stderr) == (0, "400.0\n", "")
