"""3 x 3 convolutions of many channels without strides, which Winograd's filtering computes: tiles that reach beyond the
image on every side, channels and filters that fill no vector, blocks of tiles that are cut short."""

from __future__ import annotations

from typing import Any

import numpy as np

from sample import Sample, normal

# id: (batch, rows, columns, channels, filters, (top, bottom, left, right))
CASES: dict[str, tuple[int, int, int, int, int, tuple[int, int, int, int]]] = {
    "valid": (2, 10, 14, 16, 16, (0, 0, 0, 0)),
    "same, whole tiles": (3, 12, 8, 16, 32, (1, 1, 1, 1)),
    "same, ragged": (2, 11, 15, 17, 35, (1, 1, 1, 1)),
    "all of the kernel's overhang": (1, 7, 6, 40, 20, (2, 2, 2, 2)),
    "uneven pads": (2, 9, 11, 33, 18, (0, 2, 1, 0)),
    "pads wider than the kernel": (1, 6, 8, 32, 32, (3, 1, 0, 4)),
    "one tile": (1, 4, 4, 24, 48, (1, 1, 1, 1)),
    "many blocks of tiles": (9, 33, 29, 16, 17, (1, 1, 1, 1)),
    "deep": (1, 8, 8, 390, 16, (1, 1, 1, 1)),
    "no image": (0, 8, 8, 16, 16, (1, 1, 1, 1)),
}


def _padded(x: np.ndarray, pads: tuple[int, int, int, int]) -> np.ndarray:
    return np.pad(x, ((0, 0), pads[:2], pads[2:], (0, 0)))


def _forward(x: np.ndarray, kernel: np.ndarray, pads: tuple[int, int, int, int]) -> np.ndarray:
    seen = np.lib.stride_tricks.sliding_window_view(_padded(x, pads), (3, 3), axis=(1, 2))
    return np.einsum("nhwcrs,rscf->nhwf", seen, kernel, optimize=True)


def _input_gradient(dy: np.ndarray, kernel: np.ndarray, x: np.ndarray, pads: tuple[int, int, int, int]) -> np.ndarray:
    dx = np.zeros_like(_padded(x, pads))
    for r in range(3):
        for s in range(3):
            dx[:, r : r + dy.shape[1], s : s + dy.shape[2]] += dy @ kernel[r, s].T
    return dx[:, pads[0] : pads[0] + x.shape[1], pads[2] : pads[2] + x.shape[2]]


def _kernel_gradient(x: np.ndarray, dy: np.ndarray, pads: tuple[int, int, int, int]) -> np.ndarray:
    seen = np.lib.stride_tricks.sliding_window_view(_padded(x, pads), (3, 3), axis=(1, 2))
    return np.einsum("nhwcrs,nhwf->rscf", seen, dy, optimize=True)


def _samples() -> list[Sample]:
    samples = []
    for name, (batch, rows, columns, channels, filters, pads) in CASES.items():
        x, kernel = normal(batch, rows, columns, channels), normal(3, 3, channels, filters, seed=1, scale=0.1)
        y = _forward(x, kernel, pads)
        dy = normal(*y.shape, seed=2)
        attrs: dict[str, Any] = {"padding": "explicit", "pads": pads}
        ops: list[tuple[str, Any, Any, dict[str, Any]]] = [
            ("conv2d", (x, kernel), lambda x, k, p=pads: _forward(x, k, p), attrs),
            (
                "conv2d_input_grad",
                (dy, kernel),
                lambda dy, k, x=x, p=pads: _input_gradient(dy, k, x, p),
                {**attrs, "size": (rows, columns)},
            ),
            (
                "conv2d_kernel_grad",
                (x, dy),
                lambda x, dy, p=pads: _kernel_gradient(x, dy, p),
                {**attrs, "size": (3, 3)},
            ),
        ]
        for op, inputs, reference, settings in ops:
            largest = np.abs(reference(*inputs)).max(initial=1.0)
            samples.append(
                Sample(name, op, inputs, settings, reference, grad=False, rtol=1e-5, atol=2e-5 * float(largest))
            )
    return samples


SAMPLES = _samples()
