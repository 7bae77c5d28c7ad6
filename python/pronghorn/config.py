"""Global settings: default dtypes, epsilon, image data format, where messages go."""

from __future__ import annotations

from typing import Any

from pronghorn import _core, arguments
from pronghorn.devices import list_devices as list_devices
from pronghorn.dtype_policy import DTypePolicy, default

_FLOAT_TYPES = ("float16", "bfloat16", "float32", "float64")
_DATA_FORMATS = ("channels_last", "channels_first")

_settings: dict[str, Any] = {
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "interactive_logging": True,
}


def floatx() -> str:
    """Return the default float dtype, as a string.

    Example:
        >>> import pronghorn as ph
        >>> ph.config.floatx()
        'float32'
    """
    return default.floatx


def set_floatx(value: str) -> None:
    """Set the default float dtype.

    Args:
        value: "float16", "bfloat16", "float32" or "float64".

    Raises:
        ValueError: for any other value.
    """
    if value not in _FLOAT_TYPES:
        raise ValueError(f"set_floatx: value must be one of {_FLOAT_TYPES}, got {value!r}")
    default.floatx = value


def epsilon() -> float:
    """Return the small number used to keep divisions and logarithms finite."""
    return _settings["epsilon"]


def set_epsilon(value: float) -> None:
    """Set the small number used to keep divisions and logarithms finite.

    Raises:
        ValueError: if `value` is not a positive number.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        raise ValueError(f"set_epsilon: value must be a positive number, got {value!r}")
    _settings["epsilon"] = arguments.number(value, "set_epsilon: value")


def image_data_format() -> str:
    """Return the default image layout, "channels_last" or "channels_first"."""
    return _settings["image_data_format"]


def set_image_data_format(data_format: str) -> None:
    """Set the default image layout.

    Raises:
        ValueError: if `data_format` is neither "channels_last" nor "channels_first".
    """
    if data_format not in _DATA_FORMATS:
        raise ValueError(f"set_image_data_format: data_format must be one of {_DATA_FORMATS}, got {data_format!r}")
    _settings["image_data_format"] = data_format


def standardize_data_format(data_format: str | None) -> str:
    """Return `data_format` checked, or the default where it is None.

    Raises:
        ValueError: if `data_format` is neither None nor a known layout.
    """
    if data_format is None:
        return image_data_format()
    if data_format not in _DATA_FORMATS:
        raise ValueError(f"data_format must be one of {_DATA_FORMATS}, got {data_format!r}")
    return data_format


def dtype_policy() -> DTypePolicy:
    """Return the dtype policy of layers that are given none; that of `floatx` unless another was set.

    Example:
        >>> import pronghorn as ph
        >>> ph.config.dtype_policy()
        <DTypePolicy "float32">
    """
    return DTypePolicy(floatx()) if default.policy is None else default.policy


def set_dtype_policy(policy: DTypePolicy | str) -> None:
    """Set the dtype policy of layers that are given none.

    Args:
        policy: a `DTypePolicy` or the name of one, such as "mixed_bfloat16".

    Raises:
        ValueError: for anything else.

    Example:
        >>> import pronghorn as ph
        >>> ph.config.set_dtype_policy("mixed_bfloat16")
        >>> layer = ph.layers.Dense(2)
        >>> layer(ph.ops.ones((1, 3))).dtype, layer.kernel.dtype
        ('bfloat16', 'float32')
        >>> ph.config.set_dtype_policy("float32")
    """
    if not isinstance(policy, (str, DTypePolicy)):
        raise ValueError(f"set_dtype_policy: policy must be a DTypePolicy or the name of one, got {policy!r}")
    default.policy = DTypePolicy(policy) if isinstance(policy, str) else policy


def matmul_precision() -> str:
    """Return how exact products and convolutions of float32 numbers are, "medium", "high" or "highest"."""
    return _core.matmul_precision()


def set_matmul_precision(precision: str) -> None:
    """Choose how exact products and convolutions of float32 numbers are.

    Args:
        precision: "high", as at first, allows an error of about 1e-5 of the largest result where it makes a kernel
            faster (3 x 3 convolutions by Winograd's F(4 x 4, 3 x 3)), and on GPUs one of about 1e-3 (tensor cores round
            what they multiply to TF32's 10 bits of fraction); "medium" allows the former in matrix products too, which
            is faster on processors with AMX; "highest" computes in float32, or as exactly. Models follow it when they
            are compiled.

    Raises:
        TypeError: if `precision` is no string.
        ValueError: for another one.

    Example:
        >>> import pronghorn as ph
        >>> ph.config.set_matmul_precision("highest")
        >>> ph.config.matmul_precision()
        'highest'
        >>> ph.config.set_matmul_precision("high")
    """
    if not isinstance(precision, str):
        raise TypeError(f"set_matmul_precision: precision must be a string, got {precision!r}")
    _core.set_matmul_precision(precision)


def num_threads() -> int:
    """Return how many threads kernels use.

    At first PRONGHORN_NUM_THREADS, else OMP_NUM_THREADS, else the processors that this process may use.
    """
    return _core.num_threads()


def set_num_threads(threads: int) -> None:
    """Set how many threads kernels use, 1 or more; results do not depend on it.

    Raises:
        TypeError: if `threads` is no integer.
        ValueError: if it is below 1.

    Example:
        >>> import pronghorn as ph
        >>> before = ph.config.num_threads()
        >>> ph.config.set_num_threads(1)
        >>> ph.config.num_threads()
        1
        >>> ph.config.set_num_threads(before)
    """
    _core.set_num_threads(arguments.integer(threads, "set_num_threads: threads", least=1))


def enable_interactive_logging() -> None:
    """Print progress bars and messages of callbacks, as at first."""
    _settings["interactive_logging"] = True


def disable_interactive_logging() -> None:
    """Send progress bars and messages of callbacks to the logger "pronghorn", at level INFO, instead of printing."""
    _settings["interactive_logging"] = False


def is_interactive_logging_enabled() -> bool:
    """Tell whether progress bars and messages of callbacks are printed."""
    return _settings["interactive_logging"]


def backend() -> str:
    """Return the name of the backend, always "pronghorn"."""
    return "pronghorn"
