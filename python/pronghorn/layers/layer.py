"""Layer: the base of everything that turns tensors into tensors and may keep weights."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from pronghorn import arguments, constraints, dtype_policies, initializers, naming, ops, regularizers, tree
from pronghorn.layers import call_context
from pronghorn.layers.input_spec import check_inputs, check_shape
from pronghorn.layers.layer_config import constructor_config, revive
from pronghorn.layers.masks import get_mask, set_mask
from pronghorn.layers.shapes import as_shapes, holds_tensors, legacy_input_shape, shape_of, specs_of
from pronghorn.layers.stateless_call import StatelessCall
from pronghorn.layers.weight_arrays import WeightArrays
from pronghorn.symbolic import KerasTensor, Node, Operation, after_scratch_trace, infer_spec, is_symbolic
from pronghorn.tensor import Tensor
from pronghorn.variable import Variable

_FLOAT_TYPES = frozenset({"float16", "bfloat16", "float32", "float64"})
_SHARED_ARGUMENTS = ("name", "trainable", "dtype", "activity_regularizer")


@functools.cache
def _signature(function: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(function)


def _scoped_build(build: Callable[..., None]) -> Callable[..., None]:
    """Wrap a `build` method so that variables get the layer's path and the layer knows that it is built."""

    needs_no_shape = any(parameter.default is None for parameter in _signature(build).parameters.values())

    @functools.wraps(build)
    def scoped(self: Layer, *args: Any, **kwargs: Any) -> None:
        if self._building:
            build(self, *args, **kwargs)
            return
        if len(args) + len(kwargs) == 1:
            shape = next(iter((*args, *kwargs.values())))
            if shape is not None or not needs_no_shape:
                check_shape(self.input_spec, shape, self.name)
        self._building = True
        try:
            with naming.name_scope(self.name):
                self._path = naming.current_path()
                build(self, *args, **kwargs)
        finally:
            self._building = False
        self.built = True
        bound = _signature(build).bind(self, *args, **kwargs).arguments
        self.__dict__["_build_shapes"] = {name: shape for name, shape in bound.items() if name != "self"}

    return scoped


class Layer(StatelessCall, WeightArrays, Operation):
    """A function from tensors to tensors, with weights of its own.

    Subclasses make their weights in `build(input_shape)` with `add_weight` and compute in `call(inputs)`. `call` may
    take `training` (bool) and `mask`; both are filled in from the enclosing call where the caller does not give them.

    Args:
        activity_regularizer: regularizer of the outputs.
        trainable: bool, whether training changes the weights.
        dtype: dtype of computation and weights, or a `DTypePolicy` or its name, such as "mixed_bfloat16"; None means
            `config.dtype_policy()`.
        autocast: bool, whether floating inputs, and weights while they are used, are converted to the dtype of
            computation.
        name: unique name; None makes one from the class name.
        **kwargs: `input_shape`, `input_dim`, `batch_input_shape` and `input_length` of Keras 2.

    Raises:
        ValueError: for unknown arguments.

    Example:
        >>> import pronghorn as ph
        >>> class Scale(ph.layers.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")
        ...     def call(self, inputs):
        ...         return inputs * self.factor
        >>> Scale()(ph.ops.ones((2, 3))).shape
        (2, 3)
    """

    # Whether the first call makes everything that build() would, so that build() need not be called before it.
    _built_by_call = True
    _losses: list[Tensor]
    _building: bool
    _build_shapes: dict[str, Any] | None
    _path: str | None

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        layer = super().__new__(cls)
        layer.__dict__.update(_constructor_arguments=(args, kwargs), _building=False, _build_shapes=None, _path=None)
        return layer

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _scoped_build(cls.__dict__["build"])  # type: ignore[method-assign]
            cls._built_by_call = cls.__dict__.get("_built_by_call", False)

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        Operation.__init__(self, name=name)
        self._input_batch_shape = legacy_input_shape(kwargs)
        if kwargs:
            raise ValueError(f"{type(self).__name__}: unrecognized keyword arguments {sorted(kwargs)}")
        if not isinstance(trainable, bool):
            raise ValueError(f"{type(self).__name__}: trainable must be a bool, got {trainable!r}")
        self.dtype_policy = dtype_policies.get(dtype)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.autocast = autocast
        self._trainable = trainable
        self.__dict__["_losses"] = []
        self.built = False
        self.input_spec: Any = None
        self.supports_masking = type(self).compute_mask is not Layer.compute_mask
        # Models convert their inputs themselves, to the dtype of each of their Input layers.
        self._convert_input_args = True

    @property
    def path(self) -> str | None:
        """The layer's name with those of the layers that built it, as in "block/dense"; None before it is built."""
        return self._path

    @property
    def dtype(self) -> str:
        """Dtype of the weights."""
        return self.dtype_policy.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """Dtype of the weights."""
        return self.dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """Dtype of the computation."""
        return self.dtype_policy.compute_dtype

    @property
    def input_dtype(self) -> str:
        """Dtype that floating inputs are converted to."""
        return self.compute_dtype

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Make the weights; override with `build(self, input_shape)`."""
        self.__dict__["_build_shapes"] = {"input_shape": args[0]} if args else kwargs
        self.built = True

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; subclasses override this."""
        raise NotImplementedError(f"layer {type(self).__name__} has no call() method")

    def run(self, *args: Any, **kwargs: Any) -> Any:
        return self(*args, **kwargs)

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: str | None = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Make a variable that belongs to the layer.

        Args:
            shape: tuple of ints; None makes a scalar.
            initializer: name, initializer or function of (shape, dtype); None means glorot_uniform, or zeros for
                dtypes that are not floating.
            dtype: dtype name; None means the layer's.
            trainable: whether training changes it.
            autocast: whether calls of a layer of mixed precision see it in the dtype they compute in.
            regularizer: regularizer of the values, added to the losses.
            constraint: function applied to the values after each update.
            aggregation, overwrite_with_gradient: accepted for Keras's sake; they concern several devices.
            name: name, the last part of the variable's path.

        Returns:
            the `Variable`.
        """
        dtype = dtype or self.variable_dtype
        shape = () if shape is None else tuple(shape) if isinstance(shape, (list, tuple)) else (shape,)
        if any(not isinstance(size, (int, np.integer)) or size < 0 for size in shape):
            raise ValueError(
                f"add_weight: shape must hold known, non-negative sizes, got {shape} for weight {name!r} of layer "
                f"{self.name!r}"
            )
        if initializer is None:
            initializer = "glorot_uniform" if dtype in _FLOAT_TYPES else "zeros"
        variable = Variable(
            initializers.get(initializer),
            shape=tuple(int(size) for size in shape),
            dtype=dtype,
            trainable=trainable,
            name=name or naming.auto_name("variable"),
            autocast=autocast,
        )
        scope = naming.current_path() or self._path or self.name
        variable.path = f"{scope}/{variable.name}"
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        self._track(variable)
        return variable

    def add_variable(self, shape: Any, initializer: Any, **options: Any) -> Variable:
        """Make a variable that belongs to the layer: `add_weight`, with a shape and an initializer at least."""
        return self.add_weight(shape, initializer, **options)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return the mask of the outputs; by default that of the inputs."""
        return previous_mask

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the layer on tensors, or record a call on symbolic tensors.

        The first call builds the layer. Arrays become tensors, and floating ones get the layer's dtype.
        """
        if "_losses" not in self.__dict__:
            raise RuntimeError(f"{type(self).__name__}.__init__() must call super().__init__() first")
        recorded = (args, kwargs)
        symbolic = is_symbolic(args, kwargs)
        if self._convert_input_args:
            args, kwargs = self._convert_arguments(args, kwargs)
        first = args[0] if args else next(iter(kwargs.values()), None)
        check_inputs(self.input_spec, first, self.name)
        if not self.built:
            self._build_for(args, kwargs)
        parameters = _signature(type(self).call).parameters
        training = kwargs.get("training")
        if "training" in kwargs and "training" not in parameters:
            # such a layer hands it on to the layers it calls
            kwargs = {name: value for name, value in kwargs.items() if name != "training"}
        if training is None:
            training = call_context.training()
            if training is None and "training" in parameters:
                default = parameters["training"].default
                training = None if default is inspect.Parameter.empty else default
            if training is not None and "training" in parameters:
                kwargs = {**kwargs, "training": training}
        previous_mask = None
        if not symbolic:
            kwargs = self._fill_in_masks(parameters, args, kwargs)
            previous_mask = kwargs.get("mask")
            if previous_mask is None:
                previous_mask = tree.map_structure(get_mask, first)
        with naming.name_scope(self.name), call_context.layer_call(training) as outermost:
            if self._path is None:
                self._path = naming.current_path()
            if outermost:
                self._clear_losses()
            with call_context.variables_seen_in(self.compute_dtype, self.variable_dtype, self.autocast):
                outputs = (self.compute_output_spec if symbolic else self.call)(*args, **kwargs)
            if not symbolic:
                self._regularize_activity(outputs)
        self.built = True
        if symbolic:
            Node(self, *recorded, outputs)
        elif self.supports_masking:
            self._set_masks(first, outputs, previous_mask)
        elif any(mask is not None for mask in tree.flatten(previous_mask)):
            warnings.warn(f"layer {self.name!r} does not support masking and drops the mask of its input", stacklevel=2)
        return outputs

    def _convert_arguments(self, args: Any, kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if len(args) == 1 and not kwargs and isinstance(args[0], Tensor) and args[0].dtype == self.input_dtype:
            return args, kwargs
        args = tree.map_structure(self._convert, args)
        for value in tree.flatten(args):
            if value is not None and not isinstance(value, (Tensor, KerasTensor, Variable)):
                raise ValueError(
                    f"only tensors may be passed to layer {self.name!r} as positional arguments; pass {value!r} of "
                    f"type {type(value)} as a keyword argument"
                )
        return args, tree.map_structure(self._convert, kwargs)

    def _convert(self, x: Any) -> Any:
        if isinstance(x, KerasTensor):
            cast = self.autocast and x.dtype in _FLOAT_TYPES and x.dtype != self.input_dtype
            return KerasTensor(x.shape, self.input_dtype, x.name) if cast else x
        if not isinstance(x, (Tensor, Variable)):
            if not hasattr(x, "__array__"):
                return x
            array = np.asarray(x)
            cast = self.autocast and (array.dtype.kind == "f" or array.dtype.name == "bfloat16")
            return ops.convert_to_tensor(array, dtype=self.input_dtype if cast else None)
        if not self.autocast or x.dtype not in _FLOAT_TYPES or x.dtype == self.input_dtype:
            return x
        converted = ops.cast(x, self.input_dtype)
        mask = get_mask(x)
        if mask is not None:
            set_mask(converted, mask)
        return converted

    def _build_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Build with the shapes of a call's arguments."""
        first = args[0] if args else next(iter(kwargs.values()), None)
        if first is None and (args or kwargs) and type(self).build is not Layer.build:
            raise ValueError(f"layer {self.name!r} cannot be built: it was called on None, not on a tensor")
        if self._built_by_call:
            self.__dict__["_build_shapes"] = {"input_shape": shape_of(first)}
            return
        names = list(_signature(type(self).build).parameters)[1:]
        if len(names) <= 1:
            self.build(*(shape_of(first) for _ in names))
            return
        given = _signature(type(self).call).bind(self, *args, **kwargs).arguments
        shapes = {f"{name}_shape": shape_of(value) for name, value in given.items() if holds_tensors(value)}
        if not any(name in shapes for name in names):
            shapes = {names[0]: shape_of(first)}
        self.build(**{name: shapes[name] for name in names if name in shapes})

    def _fill_in_masks(self, parameters: Any, args: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
        if not any(name.endswith("mask") for name in parameters):
            return kwargs
        given = _signature(type(self).call).bind(self, *args, **kwargs).arguments
        tensors = {k: v for k, v in given.items() if k != "self" and not k.endswith("mask") and holds_tensors(v)}
        found = {}
        for name, value in tensors.items():
            argument = "mask" if len(tensors) == 1 else f"{name}_mask"
            if argument in parameters and given.get(argument) is None:
                found[argument] = tree.map_structure(get_mask, value)
        return {**kwargs, **found} if found else kwargs

    def _set_masks(self, inputs: Any, outputs: Any, previous_mask: Any) -> None:
        if type(self).compute_mask is Layer.compute_mask and all(m is None for m in tree.flatten(previous_mask)):
            return
        flat_outputs = tree.flatten(outputs)
        if all(get_mask(output) is not None for output in flat_outputs):
            return
        masks = self.compute_mask(inputs, previous_mask)
        if masks is None:
            return
        for output, mask in zip(flat_outputs, tree.flatten(masks)):
            if mask is not None and get_mask(output) is None:
                set_mask(output, mask)

    def _regularize_activity(self, outputs: Any) -> None:
        if self.activity_regularizer is None:
            return
        for output in tree.flatten(outputs):
            if output is None:
                continue
            loss = self.activity_regularizer(output)
            self.add_loss(loss / max(output.shape[0], 1) if len(output.shape) > 0 else loss)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Return the outputs that symbolic inputs would give, as `KerasTensor`s."""
        if type(self).compute_output_shape is Layer.compute_output_shape:
            return infer_spec(self.call, *args, **kwargs)
        first = args[0] if args else next(iter(kwargs.values()))
        shapes = as_shapes(self.compute_output_shape(shape_of(first)))
        return specs_of(shapes, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs.

        Args:
            input_shape: shape tuple, None for unknown sizes, or a structure of shapes.

        Returns:
            a shape tuple or a structure of them.
        """
        check_shape(self.input_spec, input_shape, self.name)
        inputs = specs_of(as_shapes(input_shape), self.compute_dtype)
        if not self.built:
            self._build_for((inputs,), {})
        return shape_of(self.compute_output_spec(inputs))

    def add_loss(self, loss: Any) -> None:
        """Add a scalar tensor, or several, to the losses of this call.

        Raises:
            ValueError: if it is not a tensor.
        """
        for value in tree.flatten(loss):
            if not isinstance(value, (Tensor, Variable)):
                raise ValueError(f"add_loss: loss must be a tensor computed in call(), got {value!r}")
            self._losses.append(value)
            after_scratch_trace(self._losses.clear)

    @property
    def losses(self) -> list[Tensor]:
        """Scalar losses of the latest call: from `add_loss`, activity regularizers and weight regularizers."""
        found = [loss for layer in self._flatten_layers() for loss in layer._losses]
        return found + [v.regularizer(v) for v in self.trainable_weights if v.regularizer is not None]

    def _clear_losses(self) -> None:
        for layer in self._flatten_layers():
            layer._losses.clear()

    def get_build_config(self) -> dict[str, Any] | None:
        """Return the shapes that the layer was built with, None if it was not."""
        if not self._build_shapes:
            return None
        if len(self._build_shapes) == 1:
            return {"input_shape": next(iter(self._build_shapes.values()))}
        return {"shapes_dict": dict(self._build_shapes)}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build the layer with the shapes in `get_build_config`'s result."""
        config = arguments.config_of(config, f"{self.name}.build_from_config")
        if "input_shape" in config:
            self.build(as_shapes(config["input_shape"]))
        elif "shapes_dict" in config:
            self.build(**{name: as_shapes(shape) for name, shape in config["shapes_dict"].items()})

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make a layer like this one.

        Subclasses add their own arguments to `super().get_config()`; where a subclass does not override this, the
        arguments given to its constructor are used.
        """
        config: dict[str, Any] = {"name": self.name, "trainable": self._trainable}
        config["dtype"] = dtype_policies.serialize(self.dtype_policy)
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        if type(self).get_config is not Layer.get_config:
            return config
        accepted = _signature(type(self).__init__).parameters
        if all(p.kind is not p.VAR_KEYWORD for p in accepted.values()):
            config = {name: value for name, value in config.items() if name in accepted}
        return {**config, **constructor_config(self, _SHARED_ARGUMENTS)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a layer from `get_config`'s result."""
        config = arguments.config_of(config, cls.__name__)
        if cls.get_config is Layer.get_config:
            shared = {name: value for name, value in config.items() if name in _SHARED_ARGUMENTS}
            own = {name: value for name, value in config.items() if name not in _SHARED_ARGUMENTS}
            return cls(**shared, **revive(own))
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"
