"""Devices: where tensors are made and models run."""

from __future__ import annotations

from types import TracebackType

from pronghorn import _core


class device:
    """A `with` block in which new tensors and variables are made on a device.

    A model lives on the device its variables were made on: `fit`, `evaluate` and `predict` run there wherever they are
    called. An op runs where its tensors lie; tensors of the CPU follow to the device of the others. Outside any block
    the device is the first GPU that can be used, else the CPU; the environment variable PRONGHORN_DEVICE ("cpu", "gpu",
    "gpu:1") names another.

    Args:
        name: "cpu", "gpu" (the first one) or "gpu:1".

    Raises:
        TypeError: if `name` is no string.
        ValueError: if there is no such device, with those there are and why no GPU can be used.

    Example:
        >>> import pronghorn as ph
        >>> with ph.device("cpu"):
        ...     x = ph.ops.ones(3)
        >>> x.device
        'cpu:0'
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"device: name must be a string such as 'cpu' or 'gpu:0', got {name!r}")
        self._scope = _core.DeviceScope(name)

    def __enter__(self) -> None:
        self._scope.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._scope.__exit__(kind, error, traceback)


def list_devices(device_type: str | None = None) -> list[str]:
    """Return the names of the devices that can be used here.

    Args:
        device_type: "cpu" or "gpu" for the devices of that kind; None for all.

    Raises:
        ValueError: for another type.

    Example:
        >>> import pronghorn as ph
        >>> ph.config.list_devices("cpu")
        ['cpu:0']
    """
    if device_type not in (None, "cpu", "gpu"):
        raise ValueError(f"list_devices: device_type must be 'cpu', 'gpu' or None, got {device_type!r}")
    return [name for name in _core.devices() if device_type is None or name.split(":")[0] == device_type]
