"""Model: a layer that can be trained, saved and shown."""

from __future__ import annotations

import json
from typing import Any

from pronghorn import arguments
from pronghorn.layers.layer import Layer
from pronghorn.layers.shapes import as_shapes, specs_of
from pronghorn.models import state_tree as state_trees
from pronghorn.models.summary import print_summary
from pronghorn.profiling import Profile
from pronghorn.profiling.profile_model import profile_model
from pronghorn.saving.serialization import serialize_keras_object
from pronghorn.saving.weights import load_weights, save_weights
from pronghorn.symbolic import infer_spec
from pronghorn.training.trainer import Trainer

# The class of models made from symbolic inputs and outputs; pronghorn.models.functional fills it in.
_functional: dict[str, type[Model]] = {}
_functional_subclasses: dict[type, type] = {}


def is_functional_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Tell whether a model is constructed from symbolic inputs and outputs."""
    return len(args) >= 2 or (len(args) == 1 and "outputs" in kwargs) or ("inputs" in kwargs and "outputs" in kwargs)


class Model(Trainer, Layer):
    """A network: layers, with methods to train, evaluate, predict, save and show them.

    `Model(inputs, outputs)` makes one from symbolic tensors: `inputs` come from `Input`, and `outputs` were computed
    from them with layers and ops. Each may be a tensor, a list or a dict. Or derive a class from `Model`, make layers
    in `__init__` and call them in `call(inputs, training=None)`.

    Args:
        inputs: symbolic tensor or structure of them.
        outputs: symbolic tensor or structure of them.
        name: unique name; None makes one.
        **kwargs: `trainable`, `dtype` as for `Layer`.

    Example:
        >>> import pronghorn as ph
        >>> x = ph.Input((4,))
        >>> model = ph.Model(x, ph.layers.Dense(3)(x))
        >>> model(ph.ops.ones((2, 4))).shape
        (2, 3)
    """

    _built_by_call = True

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Model and is_functional_call(args, kwargs):
            cls = _functional["class"]
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not is_functional_call(args, kwargs):
            Layer.__init__(self, *args, **kwargs)
            return
        functional = _functional["class"]
        cls = type(self)
        if not issubclass(cls, functional):
            if cls not in _functional_subclasses:
                body = {"__module__": cls.__module__, "__qualname__": cls.__qualname__}
                _functional_subclasses[cls] = type(cls.__name__, (cls, functional), body)
            object.__setattr__(self, "__class__", _functional_subclasses[cls])
        functional.__init__(self, *args, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of a shape, by a symbolic call.

        Args:
            input_shape: shape tuple with the batch size (None for any), or a structure of them.
        """
        infer_spec(self.call, specs_of(as_shapes(input_shape), self.input_dtype))

    @property
    def layers(self) -> list[Layer]:
        """The layers of the model, not those within layers."""
        return list(self._flatten_layers(include_self=False, recursive=False))

    @layers.setter
    def layers(self, value: Any) -> None:
        raise AttributeError("Model.layers is computed; keep your layers in an attribute of another name")

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return one of `layers`, by name or by index.

        Raises:
            ValueError: if there is no such layer, or not exactly one of the arguments is given.
        """
        if (name is None) == (index is None):
            raise ValueError(f"get_layer: give either name or index, got name={name!r}, index={index!r}")
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(f"get_layer: index must be less than {len(layers)}, got {index}")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(f"get_layer: no layer is named {name!r}; there are {[layer.name for layer in layers]}")

    def summary(
        self,
        line_length: int | None = None,
        positions: list[float] | None = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print a table of the layers with output shapes and numbers of parameters.

        Args:
            line_length: int, width in characters.
            positions: list of floats, right ends of the columns as shares of the width.
            print_fn: function called with the text instead of printing it.
            expand_nested: whether to list the layers of models within the model.
            show_trainable: whether to show which layers are trainable.
            layer_range: two layer names or patterns, first and last layer to show.
        """
        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    def profile(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        sample_weight: Any = None,
        kind: str | None = None,
        repeats: int | None = None,
        verbose: int = 1,
    ) -> Profile:
        """Tell where the time of one step goes: which layer is slow, why, and how far from what the machine can do.

        Prints a table with a line per layer and op: time, arithmetic operations, bytes moved, the rates of both and
        their share of the machine's ceilings, which are measured the first time, in about a second. Weights, optimizer
        and metrics keep their values.

        Args:
            x: data as for `fit`; the first batch is used.
            y: targets as for `fit`; None to profile predict.
            batch_size: samples of the step; 32 by default.
            sample_weight: array (samples,), weight of each sample.
            kind: "train", "test" or "predict"; by default "train" where there are targets, else "predict".
            repeats: how often the step is run; by default as often as takes half a second, 3 to 200 times.
            verbose: 0 prints nothing.

        Returns:
            `pronghorn.profiling.Profile`: the rows as data, tables, JSON, a picture.

        Raises:
            ValueError: if the data does not fit, a step with targets finds the model not compiled, or it runs eagerly.

        Example:
            >>> import numpy as np
            >>> import pronghorn as ph
            >>> model = ph.Sequential([ph.Input((8,)), ph.layers.Dense(4, name="out")])
            >>> model.compile("sgd", "mse")
            >>> profile = model.profile(np.ones((64, 8)), np.ones((64, 4)), batch_size=16, verbose=0)
            >>> sorted({(row.layer, row.phase) for row in profile.layers if row.layer in ("out", "optimizer")})
            [('optimizer', 'update'), ('out', 'backward'), ('out', 'forward')]
        """
        return profile_model(self, x, y, sample_weight, batch_size, kind, repeats, verbose)

    def save_weights(self, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None) -> None:
        """Write the weights to a file in Keras's layout.

        Args:
            filepath: path that ends in ".weights.h5".
            overwrite: whether an existing file may be replaced.
            max_shard_size: known, not supported; must be None.

        Raises:
            ValueError: if the name is wrong, the file exists or the model is not built.
        """
        if max_shard_size is not None:
            raise ValueError(f"save_weights: max_shard_size is not supported, got {max_shard_size!r}")
        save_weights(self, filepath, overwrite=overwrite)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False) -> None:
        """Read the weights from a file that `save_weights`, ours or Keras 3's, wrote.

        Args:
            filepath: path that ends in ".weights.h5".
            skip_mismatch: whether to leave alone, with a warning, what does not fit.

        Raises:
            ValueError: if the file does not fit the model.
        """
        load_weights(self, filepath, skip_mismatch=skip_mismatch)

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, Any]:
        """Return the values of all variables of the model, its optimizer and its metrics, nested by path.

        Args:
            value_format: "backend_tensor" or "numpy_array".

        Raises:
            ValueError: for another format, or where two variables have the same path.

        Example:
            >>> import pronghorn as ph
            >>> model = ph.Sequential([ph.Input((2,)), ph.layers.Dense(1, name="out")], name="small")
            >>> tree = model.get_state_tree("numpy_array")
            >>> tree["trainable_variables"]["small"]["out"]["bias"]
            array([0.], dtype=float32)
        """
        return state_trees.get_state_tree(self, value_format)

    def set_state_tree(self, state_tree: dict[str, Any]) -> None:
        """Set variables from what `get_state_tree` returned; paths that the model does not have are left out.

        Args:
            state_tree: dict with any of the keys that `get_state_tree` gives.

        Raises:
            ValueError: for another key.

        Example:
            >>> import pronghorn as ph
            >>> model = ph.Sequential([ph.Input((2,)), ph.layers.Dense(1, name="out")], name="small")
            >>> model.set_state_tree({"trainable_variables": {"small": {"out": {"bias": [5.0]}}}})
            >>> model.get_weights()[1]
            array([5.], dtype=float32)
        """
        state_trees.set_state_tree(self, state_tree)

    def build_from_config(self, config: dict[str, Any]) -> None:
        if config and not self.built:
            super().build_from_config(config)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        config = arguments.config_of(config, f"{cls.__name__}.from_config")
        if cls is Model and "layers" in config:
            return _functional["class"].from_config(config, custom_objects)
        return super().from_config(config)

    def to_json(self, **kwargs: Any) -> str:
        """Return the model's config, without weights, as JSON; `model_from_json` reads it.

        Args:
            **kwargs: arguments of `json.dumps`.
        """
        return json.dumps(serialize_keras_object(self), **kwargs)


def register_functional(cls: type[Model]) -> None:
    """Set the class that `Model(inputs, outputs)` makes."""
    _functional["class"] = cls
