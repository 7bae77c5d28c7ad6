"""One call that checks what every layer must do."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

import pronghorn as ph
from pronghorn import _core, tree
from pronghorn.saving.serialization import deserialize_keras_object, serialize_keras_object
from pronghorn.symbolic import KerasTensor


def random_input(shape: Any, dtype: str = "float32", seed: int = 0) -> Any:
    """Return an array, or a list of arrays for a list of shapes, of small random numbers."""
    if isinstance(shape, list):
        return [random_input(each, dtype, seed + index) for index, each in enumerate(shape)]
    generator = np.random.default_rng(seed)
    if dtype.startswith(("int", "uint")):
        return generator.integers(0, 3, shape).astype(dtype)
    return generator.normal(size=shape).astype(dtype)


def run_traced(function: Any, x: Any) -> Any:
    """Trace a function of arrays into a native program, run it and return its results as arrays."""
    arrays = tree.flatten(x)
    graph = _core.Graph()
    with graph:
        inputs = [graph.input(array.shape, array.dtype.name) for array in arrays]
        outputs = function(tree.pack_sequence_as(x, inputs))
        graph.set_outputs(tree.flatten(outputs))
    results = [result.numpy() for result in _core.compile(graph).run(arrays)]
    return tree.pack_sequence_as(outputs, results)


def run_layer_test(
    cls: Any,
    init_kwargs: dict[str, Any],
    input_shape: Any,
    expected_output_shape: Any,
    input_dtype: str = "float32",
    trainable_weights: int = 0,
    non_trainable_weights: int = 0,
    losses: int = 0,
    supports_masking: bool | None = None,
    differentiable: bool = True,
) -> Any:
    """Check config round trip, shapes, weight counts, eager against traced, and one training step.

    Args:
        cls: class of the layer.
        init_kwargs: its arguments.
        input_shape: shape with the batch size, or a list of shapes.
        expected_output_shape: shape with the batch size.
        input_dtype: dtype of the inputs.
        trainable_weights, non_trainable_weights, losses: how many there must be.
        supports_masking: what the attribute must say; None skips it.
        differentiable: whether gradients reach the inputs.

    Returns:
        the layer, built.
    """
    layer = cls(**init_kwargs)
    config = layer.get_config()
    again = cls.from_config(json.loads(json.dumps(config)))
    assert json.dumps(again.get_config()) == json.dumps(config)
    revived = deserialize_keras_object(json.loads(json.dumps(serialize_keras_object(layer))))
    assert type(revived) is cls and revived.name == layer.name

    def unknown_batch(shape: Any) -> Any:
        return [unknown_batch(each) for each in shape] if isinstance(shape, list) else (None, *shape[1:])

    symbolic = cls(**init_kwargs)
    specs = tree.map_structure(lambda x: KerasTensor((None, *x.shape[1:]), input_dtype), random_input(input_shape))
    assert symbolic(specs).shape == (None, *expected_output_shape[1:])
    assert tuple(cls(**init_kwargs).compute_output_shape(unknown_batch(input_shape))) == (
        None,
        *expected_output_shape[1:],
    )

    x = random_input(input_shape, input_dtype)
    eager = layer(x)
    assert eager.shape == tuple(expected_output_shape)
    assert eager.dtype == layer.compute_dtype
    assert layer.built and all(variable.path.startswith(layer.name + "/") for variable in layer.weights)
    assert len(layer.trainable_weights) == trainable_weights
    assert len(layer.non_trainable_weights) == non_trainable_weights
    assert len(layer.losses) == losses
    if supports_masking is not None:
        assert layer.supports_masking is supports_masking

    traced = run_traced(lambda inputs: layer(inputs), x)
    np.testing.assert_allclose(traced, eager.numpy(), rtol=1e-5, atol=1e-5)

    again(x)
    again.set_weights(layer.get_weights())
    np.testing.assert_allclose(again(x).numpy(), eager.numpy(), rtol=1e-6, atol=1e-6)

    tensors = tree.map_structure(ph.ops.convert_to_tensor, x)
    with ph.GradientTape() as tape:
        if differentiable:
            tape.watch(tensors)
        outputs = layer(tensors, training=True)
        loss = ph.ops.mean(ph.ops.square(outputs))
        for extra in layer.losses:
            loss = loss + extra
    sources = [*layer.trainable_variables, *(tree.flatten(tensors) if differentiable else [])]
    gradients = tape.gradient(loss, sources) if sources else []
    for source, gradient in zip(sources, gradients):
        assert gradient is not None and gradient.shape == source.shape
        assert np.all(np.isfinite(gradient.numpy()))
    return layer
