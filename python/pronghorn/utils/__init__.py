"""Helpers around models and data, each loaded when first used."""

from __future__ import annotations

import importlib
from typing import Any

# public name -> module that defines it
_NAMES = {
    "Progbar": "pronghorn.utils.progbar",
    "PyDataset": "pronghorn.utils.py_dataset",
    "Sequence": "pronghorn.utils.py_dataset",
    "CustomObjectScope": "pronghorn.saving.serialization",
    "clear_session": "pronghorn.backend",
    "custom_object_scope": "pronghorn.saving.serialization",
    "deserialize_keras_object": "pronghorn.saving.serialization",
    "disable_interactive_logging": "pronghorn.config",
    "enable_interactive_logging": "pronghorn.config",
    "get_custom_objects": "pronghorn.saving.serialization",
    "get_file": "pronghorn.utils.download",
    "get_registered_name": "pronghorn.saving.serialization",
    "get_registered_object": "pronghorn.saving.serialization",
    "is_interactive_logging_enabled": "pronghorn.config",
    "is_keras_tensor": "pronghorn.backend",
    "normalize": "pronghorn.utils.unit_vectors",
    "pack_x_y_sample_weight": "pronghorn.utils.batch_form",
    "pad_sequences": "pronghorn.utils.padding",
    "register_keras_serializable": "pronghorn.saving.serialization",
    "serialize_keras_object": "pronghorn.saving.serialization",
    "set_random_seed": "pronghorn.random",
    "split_dataset": "pronghorn.utils.dataset_split",
    "standardize_dtype": "pronghorn.ops.creation",
    "to_categorical": "pronghorn.utils.one_hot_rows",
    "unpack_x_y_sample_weight": "pronghorn.utils.batch_form",
}

__all__ = sorted(_NAMES)


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'pronghorn.utils' has no attribute {name!r}")
    value = getattr(importlib.import_module(_NAMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES})
