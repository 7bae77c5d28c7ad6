"""One valid call of every public name, derived from the modules as far as possible.

An argument's valid value is, first that holds: the value given for this name in `SETTINGS`, the value its family gives
the argument's name, the parameter's default.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pronghorn as ph
import public_methods
from pronghorn import layers
from public_arguments import FAMILIES, IMAGES, LEFT_OUT, SERIES, SETTINGS, TENSORS, A, array, whole

MODULES = (
    "ops",
    "ops.image",
    "ops.linalg",
    "ops.nn",
    "ops.numpy",
    "activations",
    "losses",
    "metrics",
    "initializers",
    "regularizers",
    "constraints",
    "layers",
    "optimizers",
    "optimizers.schedules",
    "callbacks",
    "utils",
    "random",
    "tree",
    "saving",
    "config",
    "models",
    "backend",
    "dtype_policies",
    "mixed_precision",
    "profiling",
    "tf_names",
)


@dataclass(frozen=True)
class Call:
    """A public name, how to use it (from keyword arguments to a result) and arguments that fit."""

    name: str
    use: Callable[..., Any]
    arguments: dict[str, Any]


_MERGING = {"Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract"}


def _apply(optimizer: Any, gradient: Any) -> Any:
    variable = ph.Variable(A)
    optimizer.apply([gradient], [variable])
    return variable


def _watch_fit(callback: Any) -> Any:
    model = public_methods.shared_model()
    return model.fit(array(4, 3), whole(4, below=2), epochs=2, verbose=0, callbacks=[callback])


def _update(metric: Any, **data: Any) -> Any:
    metric.update_state(**data)
    return metric.result()


# module -> (names of the arguments of the second call, how the instance is used with them)
USES: dict[str, tuple[tuple[str, ...], Callable[..., Any]]] = {
    "layers": (("inputs",), lambda instance, inputs: instance(inputs)),
    "initializers": (("shape", "dtype"), lambda instance, **given: instance(**given)),
    "regularizers": (("x",), lambda instance, x: instance(x)),
    "constraints": (("w",), lambda instance, w: instance(w)),
    "optimizers": (("gradient",), _apply),
    "optimizers.schedules": (("step",), lambda instance, step: instance(step)),
    "metrics": (("y_true", "y_pred", "sample_weight"), _update),
    "losses": (("y_true", "y_pred", "sample_weight"), lambda instance, **data: instance(**data)),
    "callbacks": ((), _watch_fit),
}


def public_names(module: str) -> dict[str, Any]:
    """Name -> value of all that a module offers."""
    loaded = importlib.import_module(f"pronghorn.{module}")
    names = getattr(loaded, "__all__", None) or [name for name in dir(loaded) if not name.startswith("_")]
    return {name: getattr(loaded, name) for name in names}


# the class that `**kwargs` of a module's constructors go to
BASES = {"layers": ph.Layer, "optimizers": ph.Optimizer, "losses": ph.Loss, "metrics": ph.Metric}


def _parameters(module: str, value: Any) -> dict[str, Any]:
    """The arguments of a class by name, those of the base class included where `**kwargs` passes them on."""
    found: dict[str, Any] = {}
    for each in (value, BASES.get(module, object)):
        parameters = inspect.signature(each.__init__).parameters.values()
        for parameter in list(parameters)[1:]:
            if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                found.setdefault(parameter.name, parameter.default)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


def _data_of(module: str, name: str) -> dict[str, Any]:
    """The data that fits a layer or a metric, by its name."""
    if module == "layers" and name in _MERGING:
        return {"inputs": [A, A]}
    if module == "layers" and name.lower() in {each.lower() for each in _MERGING}:
        return {"inputs": [layers.Input((4,)), layers.Input((4,))]}
    if module == "layers" and name.endswith(("1D", "1DTranspose")):
        return {"inputs": SERIES}
    if module == "layers" and name.endswith(("2D", "2DTranspose")):
        return {"inputs": IMAGES}
    return {}


def _class_call(module: str, name: str, value: Any) -> Call | None:
    settings = SETTINGS.get(f"{module}.{name}", {})
    family = {**FAMILIES.get(module, {}), **_data_of(module, name), **settings}
    parameters = _parameters(module, value)
    second, use = USES.get(module, ((), None))
    if module == "metrics" and "values" in settings:
        second = ("values", "sample_weight")
    if module == "layers" and "states" in settings:
        second, use = ("inputs", "states"), lambda instance, inputs, states: instance(inputs, states)
    arguments = {
        key: family.get(key, default) for key, default in parameters.items() if key not in settings.get("without", ())
    }
    if any(each is inspect.Parameter.empty for each in arguments.values()):
        return None
    arguments |= {key: family.get(key) for key in second}
    if family.get("inputs", 0) is None or name in ("InputLayer", "InputSpec", "CallbackList"):
        use, second = None, ()
        arguments.pop("inputs", None)

    def run(**given: Any) -> Any:
        data = {key: given.pop(key) for key in second if key in given}
        instance = value(**given)
        return instance if use is None else use(instance, **data)

    return Call(f"{module}.{name}", run, arguments)


def _function_call(module: str, name: str, value: Any) -> Call | None:
    settings = SETTINGS.get(f"{module}.{name}", {})
    family = {**TENSORS, **FAMILIES.get(module, {}), **_data_of(module, name), **settings}
    arguments: dict[str, Any] = {}
    before_rest: list[str] = []
    for parameter in inspect.signature(value).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            before_rest = list(arguments)
            arguments["*"] = settings.get(f"*{parameter.name}", inspect.Parameter.empty)
        elif parameter.kind is not parameter.VAR_KEYWORD:
            known = family if parameter.default is parameter.empty else settings
            arguments[parameter.name] = known.get(parameter.name, parameter.default)
    if any(each is inspect.Parameter.empty for each in arguments.values()):
        return None

    def run(**given: Any) -> Any:
        if "*" not in given:
            return value(**given)
        rest = given.pop("*")
        return value(*(given.pop(each) for each in before_rest), *rest, **given)

    return Call(f"{module}.{name}", run, arguments)


def call_of(module: str, name: str, value: Any) -> Call | None:
    """A valid call, None where an argument's value is not known."""
    return (_class_call if inspect.isclass(value) else _function_call)(module, name, value)


def functions(module: str) -> Iterator[tuple[str, Any]]:
    """Name and value of the functions and classes that a module is the first to offer."""
    seen = {id(value) for other in MODULES[: MODULES.index(module)] for value in public_names(other).values()}
    for name, value in public_names(module).items():
        if callable(value) and id(value) not in seen and name not in LEFT_OUT and f"{module}.{name}" not in LEFT_OUT:
            seen.add(id(value))
            yield name, value


def calls(module: str) -> Iterator[Call]:
    """The calls of a module's names, every object once; "methods" are those of the classes."""
    if module == "methods":
        yield from (Call(name, use, arguments) for name, use, arguments in public_methods.calls())
        return
    for name, value in functions(module):
        call = call_of(module, name, value)
        if call is not None:
            yield call
