"""Seeds: two uint32 numbers, a key and a counter, from which every random op computes its numbers."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from pronghorn import _core, arguments, naming
from pronghorn.tensor import Tensor
from pronghorn.variable import Variable

_MASK = 0xFFFFFFFF

_global: SeedGenerator | None = None


def make_default_seed() -> int:
    """Return a seed drawn from Python's `random`, which `set_random_seed` seeds.

    Example:
        >>> from pronghorn import random
        >>> 1 <= random.make_default_seed() <= 10**9
        True
    """
    return random.randint(1, 10**9)


def _key_and_counter(seed: int) -> np.ndarray:
    return np.array([seed & _MASK, 0], dtype="uint32")


class SeedGenerator:
    """A source of seeds: each random op that is given it draws other numbers.

    Its state is a variable, so it also advances inside compiled programs.

    Args:
        seed: int; None draws one from Python's `random`.
        name: name; None makes one.

    Raises:
        ValueError: if `seed` is not an integer.

    Example:
        >>> from pronghorn import random
        >>> generator = random.SeedGenerator(seed=1)
        >>> a, b = (random.uniform((2,), seed=generator).numpy() for _ in range(2))
        >>> bool((a != b).all())
        True
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer))):
            raise ValueError(f"SeedGenerator: seed must be an integer or None, got {seed!r}")
        if name is not None and not isinstance(name, str):
            raise ValueError(f"SeedGenerator: name must be a string or None, got {name!r}")
        self.name = naming.auto_name(type(self).__name__) if name is None else name
        self._initial_seed = None if seed is None else int(seed)
        start = make_default_seed() if seed is None else int(seed)
        self.state = Variable(_key_and_counter(start), trainable=False, name="seed_generator_state")
        self.state.path = "/".join(filter(None, (naming.current_path(), self.name, "seed_generator_state")))

    def next(self, ordered: bool = True) -> Tensor:
        """Return the present state, uint32 of shape (2,), and advance it.

        Args:
            ordered: whether the counter goes up by one; otherwise it jumps about.
        """
        present = self.state.value
        if ordered:
            self.state.assign(_core.ops.add(present, np.array([0, 1], dtype="uint32")))
        else:
            mixed = _core.ops.multiply(_core.ops.add(present, np.uint32(1)), np.uint32(5387))
            self.state.assign(_core.ops.mod(mixed, np.uint32(933199)))
        return present

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """Make a generator from what `get_config` returned."""
        return cls(**arguments.config_of(config, "SeedGenerator"))


def global_seed_generator() -> SeedGenerator:
    """Return the generator that random ops use when they are given no seed."""
    global _global
    if _global is None:
        _global = SeedGenerator()
    return _global


def set_random_seed(seed: int) -> None:
    """Seed Python's `random`, NumPy and this library: everything drawn afterwards can be repeated.

    Args:
        seed: int in [0, 2**32).

    Raises:
        ValueError: if `seed` is not such an integer.

    Example:
        >>> from pronghorn import random
        >>> random.set_random_seed(7)
        >>> a = random.normal((2,)).numpy()
        >>> random.set_random_seed(7)
        >>> bool((a == random.normal((2,)).numpy()).all())
        True
    """
    global _global
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed <= _MASK:
        raise ValueError(f"set_random_seed: seed must be an integer in [0, 2**32), got {seed!r}")
    random.seed(int(seed))
    np.random.seed(int(seed))
    _global = SeedGenerator(int(seed), name="global_seed_generator")


def draw_seed(seed: SeedGenerator | int | None) -> Tensor:
    """Return the uint32 seed tensor of shape (2,) that `seed` stands for.

    An int gives the same tensor each time, a SeedGenerator its next one, None the next one of the global generator.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is None:
        return global_seed_generator().next()
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
        return _core.convert(_key_and_counter(int(seed)))
    raise ValueError(f"seed must be an integer, a SeedGenerator or None, got {seed!r}")
