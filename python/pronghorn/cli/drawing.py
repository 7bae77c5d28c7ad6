"""Small grey images drawn with characters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_SHADES = " ░▒▓█"
_LARGEST = 14


def draw_row(images: np.ndarray, captions: Sequence[str]) -> str:
    """Return images side by side, each with its caption below.

    Args:
        images: float array (n, height, width), values 0 to 1; large ones are made smaller.
        captions: n lines, cut to the width of an image unless they fit.

    Returns:
        Lines of text.
    """
    blocks = []
    for image, caption in zip(images, captions):
        step = -(-max(image.shape) // _LARGEST)
        height, width = (size // step * step for size in image.shape)
        small = image[:height, :width].reshape(height // step, step, width // step, step).mean(axis=(1, 3))
        shades = np.clip(small * len(_SHADES), 0, len(_SHADES) - 1).astype(int)
        # A character is about twice as high as wide.
        lines = ["".join(_SHADES[shade] * 2 for shade in row) for row in shades]
        width = max(len(lines[0]), len(caption))
        blocks.append([line.center(width) for line in [*lines, caption]])
    return "\n".join("   ".join(parts).rstrip() for parts in zip(*blocks))
