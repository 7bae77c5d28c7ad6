"""Objects to plain configs and back, in the form Keras 3 writes: module, class name, config, registered name."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from pronghorn import _core, arguments

_registered: dict[str, Any] = {}
_names: dict[Any, str] = {}
_scoped: list[dict[str, Any]] = []

# Where the classes of each public module are defined here; configs name Keras's modules, so that Keras reads them too.
_PUBLIC_MODULES = (
    "layers",
    "models",
    "optimizers.schedules",
    "optimizers",
    "losses",
    "metrics",
    "initializers",
    "regularizers",
    "constraints",
    "activations",
    "callbacks",
    "random",
)


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Return a decorator that makes a class or function known under "package>name", so that configs can name it.

    Args:
        package: a prefix that keeps names apart.
        name: by default the object's own name.

    Raises:
        ValueError: from the decorator, for a class without `get_config`.

    Example:
        >>> import pronghorn as ph
        >>> @ph.saving.register_keras_serializable("mine")
        ... def cube(x):
        ...     return x * x * x
        >>> ph.saving.get_registered_name(cube)
        'mine>cube'
    """

    def register(target: Any) -> Any:
        full = f"{package}>{name if name is not None else target.__name__}"
        if inspect.isclass(target) and not hasattr(target, "get_config"):
            raise ValueError(f"register_keras_serializable: class {target.__name__} has no get_config method")
        _registered[full] = target
        _names[target] = full
        return target

    return register


def get_custom_objects() -> dict[str, Any]:
    """Return the dict of registered objects by name; entries may be added."""
    return _registered


def _objects(given: Any, name: str = "custom_objects") -> dict[str, Any]:
    """A dict of classes and functions by name, empty for None."""
    if given is not None and not isinstance(given, dict):
        raise TypeError(f"{name} must be a dict of classes and functions by name, got {arguments.shown(given)}")
    return given or {}


@contextmanager
def custom_object_scope(custom_objects: dict[str, Any]) -> Iterator[None]:
    """Within it, configs may name these classes and functions."""
    _scoped.append(_objects(custom_objects))
    try:
        yield
    finally:
        _scoped.pop()


CustomObjectScope = custom_object_scope


def get_registered_name(obj: Any) -> str:
    """Return the name a class or function is registered under, its own name if it is not."""
    name = getattr(obj, "__name__", None)
    if name is None:
        raise TypeError(f"get_registered_name: obj must be a class or a function, got {arguments.shown(obj)}")
    try:
        return _names.get(obj, name)
    except TypeError:  # unhashable
        return name


def get_registered_object(
    name: str, custom_objects: dict[str, Any] | None = None, module_objects: dict[str, Any] | None = None
) -> Any:
    """Return the class or function of a name, looked up in scopes, given objects and the registry; or None."""
    if not isinstance(name, str):
        raise TypeError(f"get_registered_object: name must be a string, got {arguments.shown(name)}")
    for known in [
        *reversed(_scoped),
        _objects(custom_objects),
        _registered,
        _objects(module_objects, "module_objects"),
    ]:
        if name in known:
            return known[name]
    return None


def _public_module(cls: type) -> str:
    module = cls.__module__
    for public in _PUBLIC_MODULES:
        if module == f"pronghorn.{public}" or module.startswith(f"pronghorn.{public}."):
            return "keras" if public == "models" else f"keras.{public}"
    return "keras" if module.startswith("pronghorn.") else module


def serialize_keras_object(obj: Any) -> Any:
    """Return a config of plain Python values from which `deserialize_keras_object` makes an equal object.

    Args:
        obj: None, a number, string, tensor, array, function, an object with `get_config`, or lists and dicts of these.

    Raises:
        TypeError: for an object that has no `get_config`.
        ValueError: for a lambda, which has no name to be found by.
    """
    if obj is None or isinstance(obj, (bool, int, float, str)):
        return obj
    if isinstance(obj, (list, tuple)):
        return (
            type(obj)(serialize_keras_object(item) for item in obj)
            if type(obj) in (list, tuple)
            else [serialize_keras_object(item) for item in obj]
        )
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode("utf-8")}}
    if isinstance(obj, slice):
        parts = {"start": obj.start, "stop": obj.stop, "step": obj.step}
        return {"class_name": "__slice__", "config": {key: serialize_keras_object(part) for key, part in parts.items()}}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": obj.tolist(), "dtype": obj.dtype.name}}
    if isinstance(obj, _core.Tensor):
        return {"class_name": "__tensor__", "config": {"value": obj.numpy().tolist(), "dtype": obj.dtype}}
    if inspect.isfunction(obj) or inspect.isbuiltin(obj):
        return _serialize_function(obj)
    if inspect.isclass(obj):
        module = _public_module(obj)
        return {
            "module": module,
            "class_name": obj.__name__,
            "config": None,
            "registered_name": get_registered_name(obj),
        }
    if not hasattr(obj, "get_config"):
        raise TypeError(f"serialize_keras_object: cannot serialize {obj!r}: its class has no get_config method")
    return _serialize_object(obj)


def _serialize_function(function: Any) -> dict[str, Any]:
    if function.__name__ == "<lambda>":
        raise ValueError("cannot serialize a lambda; give the function a name and register it")
    module = getattr(function, "__module__", None)
    is_ours = module is None or module.startswith("pronghorn.")
    return {
        "module": "builtins" if is_ours else module,
        "class_name": "function",
        "config": function.__name__ if is_ours else get_registered_name(function),
        "registered_name": "function" if is_ours else get_registered_name(function),
    }


def _serialize_object(obj: Any) -> dict[str, Any]:
    cls = type(obj)
    is_ours = cls.__module__.startswith("pronghorn.") and cls not in _names
    config = {
        "module": _public_module(cls),
        "class_name": cls.__name__,
        "config": serialize_keras_object(obj.get_config()),
        "registered_name": None if is_ours else get_registered_name(cls),
    }
    if hasattr(obj, "get_build_config"):
        build_config = obj.get_build_config()
        if build_config is not None:
            config["build_config"] = serialize_keras_object(build_config)
    if hasattr(obj, "get_compile_config"):
        compile_config = obj.get_compile_config()
        if compile_config is not None:
            config["compile_config"] = serialize_keras_object(compile_config)
    return config


def _special(class_name: str, config: dict[str, Any]) -> Any:
    if class_name == "__bytes__":
        return config["value"].encode("utf-8")
    if class_name == "__slice__":
        return slice(config["start"], config["stop"], config["step"])
    if class_name == "__ellipsis__":
        return Ellipsis
    array = np.array(config["value"], dtype=config["dtype"])
    return array if class_name == "__numpy__" else _core.convert(array)


_SPECIAL = ("__bytes__", "__slice__", "__ellipsis__", "__numpy__", "__tensor__")


def _find(config: dict[str, Any], custom_objects: dict[str, Any] | None, module_objects: dict[str, Any] | None) -> Any:
    class_name, module = config["class_name"], config.get("module")
    for name in (config.get("registered_name"), class_name):
        found = get_registered_object(name, custom_objects, module_objects) if name else None
        if found is not None:
            return found
    candidates = []
    if module and (module == "keras" or module.startswith(("keras.", "pronghorn"))):
        public = module.replace("keras.src.", "keras.").replace("keras", "pronghorn", 1)
        candidates = [public, *(f"pronghorn.{each}" for each in _PUBLIC_MODULES)]
    elif module and module != "builtins":
        candidates = [module]
    for candidate in candidates:
        try:
            found = getattr(importlib.import_module(candidate), class_name, None)
        except ImportError:
            continue
        if found is not None:
            return found
    raise ValueError(
        f"cannot find {class_name!r} (module {module!r}, registered as {config.get('registered_name')!r}); register it "
        "with register_keras_serializable or pass it in custom_objects"
    )


def _find_function(config: dict[str, Any], custom_objects: Any, module_objects: Any) -> Any:
    name = config["config"]
    for each in (name, config.get("registered_name")):
        found = get_registered_object(each, custom_objects, module_objects) if each else None
        if found is not None:
            return found
    for module in (
        "pronghorn.activations",
        "pronghorn.losses",
        "pronghorn.metrics",
        "pronghorn.ops",
        config.get("module"),
    ):
        if module is None or module == "builtins":
            continue
        try:
            found = getattr(importlib.import_module(module), str(name).split(">")[-1], None)
        except ImportError:
            continue
        if callable(found):
            return found
    raise ValueError(f"cannot find the function {name!r}; register it or pass it in custom_objects")


def deserialize_keras_object(
    config: Any,
    custom_objects: dict[str, Any] | None = None,
    safe_mode: bool = True,
    module_objects: dict[str, Any] | None = None,
) -> Any:
    """Make the object that a config of `serialize_keras_object` describes.

    Args:
        config: plain values, configs, or lists and dicts of these.
        custom_objects: classes and functions by name that configs may name.
        safe_mode: accepted for Keras's sake; code in configs is never run.
        module_objects: classes and functions by name that are looked at last before the library's own.

    Raises:
        ValueError: for a name that is not known.
        TypeError: if `config` is no config.
    """
    if config is None or isinstance(config, (bool, int, float)):
        return config
    if isinstance(config, str):
        found = get_registered_object(config, custom_objects, module_objects)
        return config if found is None else found
    if isinstance(config, (list, tuple)):
        return type(config)(deserialize_keras_object(item, custom_objects, safe_mode) for item in config)
    if not isinstance(config, dict):
        raise TypeError(f"deserialize_keras_object: wants a config, got {config!r}")
    if "class_name" not in config or "config" not in config:
        return {key: deserialize_keras_object(value, custom_objects, safe_mode) for key, value in config.items()}
    class_name = config["class_name"]
    if class_name in _SPECIAL:
        return _special(class_name, deserialize_keras_object(config["config"], custom_objects, safe_mode))
    if class_name == "function":
        return _find_function(config, custom_objects, module_objects)
    cls: Any = _find(config, custom_objects, module_objects)
    if not inspect.isclass(cls) or config["config"] is None:
        return cls
    if not hasattr(cls, "from_config"):
        raise TypeError(f"cannot make a {cls.__name__} from a config: the class has no from_config method")
    made_by: Any = cls
    with custom_object_scope(custom_objects or {}):
        obj = made_by.from_config(dict(config["config"]))
        if config.get("build_config") and hasattr(obj, "build_from_config") and not getattr(obj, "built", True):
            obj.build_from_config(config["build_config"])
        if config.get("compile_config") and hasattr(obj, "compile_from_config"):
            obj.compile_from_config(config["compile_config"])
    return obj
