"""Layers, their arguments and inputs, whose outputs and gradients are compared with recorded values of real Keras."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_layer_case import Case
from keras_recurrent_cases import RECURRENT


def double_plus_one(x: Any) -> Any:
    """A function for Lambda."""
    return x * 2 + 1


def _each(layer: str, shapes: Any, *variants: dict[str, Any], **common: Any) -> list[Case]:
    return [Case(layer, shapes, settings, **common) for settings in variants]


def _both(layer: str, shapes: Any, *variants: dict[str, Any]) -> list[Case]:
    """Each variant in inference and in training."""
    return [Case(layer, shapes, settings, call={"training": on}) for settings in variants for on in (False, True)]


_FIRST = {"data_format": "channels_first"}
_STEP_MASK = np.array([[True, True, False, True], [True, False, False, True]])

_DENSE = [
    *_each(
        "Dense",
        (3, 4),
        {"units": 2},
        {"units": 2, "use_bias": False},
        {"units": 3, "activation": "relu"},
        {"units": 3, "activation": "gelu"},
        {"units": 3, "activation": "softmax"},
        {"units": 3, "activation": "tanh", "kernel_regularizer": "l2", "bias_regularizer": "l1"},
        {"units": 2, "activity_regularizer": "l2"},
    ),
    *_each("Dense", (2, 3, 4), {"units": 2}, {"units": 2, "activation": "sigmoid"}),
    *_each("Dense", (2, 2, 2, 3), {"units": 2}),
    *_each("Embedding", (2, 3), {"input_dim": 4, "output_dim": 2}, dtype="int32"),
    *_each("Embedding", (2, 3), {"input_dim": 4, "output_dim": 2, "mask_zero": True}, dtype="int32"),
    *_each("Embedding", (2, 2, 2), {"input_dim": 4, "output_dim": 3}, dtype="int64"),
    *_each("Embedding", (4,), {"input_dim": 4, "output_dim": 2, "embeddings_regularizer": "l2"}, dtype="int32"),
]

_CONVOLUTION = [
    *_each(
        "Conv1D",
        (2, 6, 2),
        {"filters": 3, "kernel_size": 3},
        {"filters": 2, "kernel_size": 2, "strides": 2, "padding": "same"},
        {"filters": 2, "kernel_size": 3, "strides": 4, "padding": "same"},
        {"filters": 2, "kernel_size": 3, "padding": "causal"},
        {"filters": 2, "kernel_size": 2, "padding": "causal", "dilation_rate": 2},
        {"filters": 2, "kernel_size": 3, "padding": "causal", "strides": 2},
        {"filters": 2, "kernel_size": 2, "dilation_rate": 3},
        {"filters": 4, "kernel_size": 2, "groups": 2},
        {"filters": 2, "kernel_size": 2, "use_bias": False, "activation": "relu"},
        {"filters": 2, "kernel_size": 1},
    ),
    *_each("Conv1D", (2, 2, 5), {"filters": 3, "kernel_size": 2, **_FIRST}),
    *_each(
        "Conv2D",
        (1, 5, 4, 2),
        {"filters": 2, "kernel_size": 3},
        {"filters": 2, "kernel_size": (2, 3), "strides": (2, 1), "padding": "same"},
        {"filters": 2, "kernel_size": 2, "strides": 2},
        {"filters": 2, "kernel_size": 3, "strides": 3, "padding": "same"},
        {"filters": 2, "kernel_size": 2, "dilation_rate": (2, 1)},
        {"filters": 2, "kernel_size": 2, "dilation_rate": 2, "padding": "same"},
        {"filters": 4, "kernel_size": 2, "groups": 2, "activation": "tanh"},
        {"filters": 2, "kernel_size": 2, "use_bias": False},
        {"filters": 2, "kernel_size": 1, "strides": 2},
    ),
    *_each("Conv2D", (1, 2, 5, 4), {"filters": 2, "kernel_size": 2, "strides": 2, "padding": "same", **_FIRST}),
    *_each(
        "DepthwiseConv1D",
        (2, 5, 2),
        {"kernel_size": 2},
        {"kernel_size": 3, "depth_multiplier": 2, "strides": 2, "padding": "same"},
        {"kernel_size": 2, "dilation_rate": 2, "use_bias": False},
    ),
    *_each("DepthwiseConv1D", (2, 2, 5), {"kernel_size": 2, **_FIRST}),
    *_each(
        "DepthwiseConv2D",
        (1, 5, 4, 2),
        {"kernel_size": 2},
        {"kernel_size": (3, 2), "depth_multiplier": 2, "padding": "same", "activation": "relu"},
        {"kernel_size": 2, "strides": 2},
        {"kernel_size": 3, "strides": 2, "padding": "same"},
        {"kernel_size": 2, "dilation_rate": 2, "use_bias": False},
    ),
    *_each("DepthwiseConv2D", (1, 2, 4, 5), {"kernel_size": 2, "depth_multiplier": 2, **_FIRST}),
    *_each(
        "Conv1DTranspose",
        (2, 4, 2),
        {"filters": 2, "kernel_size": 3},
        {"filters": 2, "kernel_size": 3, "strides": 2},
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"},
        {"filters": 2, "kernel_size": 2, "strides": 3, "padding": "same"},
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "valid", "output_padding": 1},
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 0},
        {"filters": 2, "kernel_size": 2, "dilation_rate": 2, "use_bias": False},
    ),
    *_each("Conv1DTranspose", (2, 2, 4), {"filters": 3, "kernel_size": 2, "strides": 2, **_FIRST}),
    *_each(
        "Conv2DTranspose",
        (1, 3, 2, 2),
        {"filters": 2, "kernel_size": 2},
        {"filters": 3, "kernel_size": (3, 2), "strides": (2, 1), "padding": "same", "activation": "relu"},
        {"filters": 1, "kernel_size": 3, "strides": 2},
        {"filters": 1, "kernel_size": 3, "strides": 2, "padding": "same", "output_padding": (0, 1)},
        {"filters": 1, "kernel_size": 2, "strides": 3, "output_padding": 1},
        {"filters": 1, "kernel_size": 2, "dilation_rate": 2, "padding": "same"},
    ),
    *_each("Conv2DTranspose", (1, 2, 3, 2), {"filters": 1, "kernel_size": 2, "strides": 2, **_FIRST}),
    *_each(
        "SeparableConv1D",
        (2, 5, 2),
        {"filters": 3, "kernel_size": 2},
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "depth_multiplier": 2},
        {"filters": 2, "kernel_size": 2, "dilation_rate": 2, "use_bias": False, "activation": "relu"},
    ),
    *_each("SeparableConv1D", (1, 2, 5), {"filters": 3, "kernel_size": 2, **_FIRST}),
    *_each(
        "SeparableConv2D",
        (1, 4, 5, 2),
        {"filters": 2, "kernel_size": 2},
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "depth_multiplier": 2},
        {"filters": 2, "kernel_size": 2, "dilation_rate": 2, "use_bias": False},
    ),
    *_each("SeparableConv2D", (1, 2, 4, 4), {"filters": 2, "kernel_size": 2, **_FIRST}),
]

_POOLING = [
    *(
        case
        for kind in ("Max", "Average")
        for case in (
            *_each(
                f"{kind}Pooling1D",
                (2, 7, 2),
                {"pool_size": 2},
                {"pool_size": 3, "padding": "same"},
                {"pool_size": 3, "strides": 2},
                {"pool_size": 2, "strides": 3, "padding": "same"},
            ),
            *_each(f"{kind}Pooling1D", (2, 2, 5), {"pool_size": 2, "strides": 1, **_FIRST}),
            *_each(
                f"{kind}Pooling2D",
                (1, 5, 4, 2),
                {"pool_size": 2},
                {"pool_size": (2, 3), "padding": "same"},
                {"pool_size": 3, "strides": 1, "padding": "same"},
                {"pool_size": (3, 2), "strides": (2, 1)},
            ),
            *_each(f"{kind}Pooling2D", (1, 2, 5, 4), {"pool_size": 2, "padding": "same", **_FIRST}),
            *_each(f"Global{kind}Pooling1D", (2, 4, 3), {}, {"keepdims": True}, _FIRST),
            *_each(f"Global{kind}Pooling2D", (2, 3, 2, 2), {}, {"keepdims": True}, _FIRST),
        )
    ),
    *_each("GlobalAveragePooling1D", (2, 4, 3), {}, {"keepdims": True}, call={"mask": _STEP_MASK}),
]

_NORMALIZATION = [
    *_both(
        "BatchNormalization",
        (4, 3),
        {},
        {"momentum": 0.8, "epsilon": 0.1},
        {"center": False},
        {"scale": False},
        {"center": False, "scale": False},
    ),
    *_both("BatchNormalization", (2, 2, 3, 2), {}, {"axis": 1}),
    *_both("BatchNormalization", (2, 3, 2), {"axis": -2}),
    *_each("BatchNormalization", (2, 4, 2), {}, call={"mask": _STEP_MASK, "training": True}),
    *_each("BatchNormalization", (2, 4, 2), {}, call={"mask": _STEP_MASK, "training": False}),
    *_each("BatchNormalization", (4, 3), {"trainable": False}, call={"training": True}),
    *_each(
        "LayerNormalization",
        (2, 3, 4),
        {},
        {"axis": 1},
        {"axis": [1, 2]},
        {"axis": (-1, -2), "epsilon": 0.1},
        {"center": False},
        {"scale": False},
        {"center": False, "scale": False},
    ),
    *_each(
        "GroupNormalization",
        (2, 3, 4),
        {"groups": 2},
        {"groups": -1},
        {"groups": 1, "epsilon": 0.1},
        {"groups": 2, "center": False},
        {"groups": 4, "scale": False},
        {"groups": 3, "axis": 1},
    ),
    *_each("GroupNormalization", (1, 2, 2, 4), {"groups": 2}),
    *_each("GroupNormalization", (3, 4), {"groups": 2}),
    *_each("RMSNormalization", (2, 3, 4), {}, {"epsilon": 0.1}, {"axis": [1, 2]}),
    *_each("UnitNormalization", (2, 3, 4), {}, {"axis": 1}, {"axis": [1, 2]}),
    *_each("Normalization", (3, 2), {"mean": [0.5, -1.0], "variance": [2.0, 0.25]}),
    *_each("Normalization", (3, 2), {"mean": 0.5, "variance": 4.0, "axis": None, "invert": True}),
    *_each("Normalization", (2, 3, 2), {"mean": [0.5, -1.0, 2.0], "variance": [2.0, 0.0, 1.0], "axis": 1}),
]

_ELEMENTWISE = [
    *_each(
        "Activation", (2, 4), *({"activation": name} for name in ("relu", "gelu", "softmax", "swish", "mish", "linear"))
    ),
    *_each(
        "ReLU",
        (3, 4),
        {},
        {"max_value": 1.0},
        {"negative_slope": 0.2},
        {"max_value": 0.8, "negative_slope": 0.1, "threshold": 0.3},
    ),
    *_each("LeakyReLU", (2, 4), {}, {"negative_slope": 0.1}),
    *_each("ELU", (2, 4), {}, {"alpha": 0.5}),
    *_each("PReLU", (2, 3, 2), {}, {"shared_axes": [1]}, {"alpha_initializer": "ones", "shared_axes": [1, 2]}),
    *_each("Softmax", (2, 2, 4), {}, {"axis": 1}, {"axis": [1, 2]}),
    *_each("Softmax", (2, 4), {}, call={"mask": _STEP_MASK}),
    *_each("Rescaling", (2, 3), {"scale": 0.5}, {"scale": 2.0, "offset": -1.0}, {"scale": [1.0, 2.0, 3.0]}),
    *_each("Identity", (2, 3), {}),
    *_each("Lambda", (2, 3), {"function": double_plus_one}),
    *_each("ActivityRegularization", (2, 3), {"l1": 0.1}, {"l1": 0.1, "l2": 0.5}),
    *_each("Masking", (2, 3, 2), {}, {"mask_value": 1.0}, dtype="int32"),
    *(
        Case(layer, (2, 3, 2), settings, call={"training": False})
        for layer, settings in (
            ("Dropout", {"rate": 0.5}),
            ("Dropout", {"rate": 0.5, "noise_shape": (None, 1, None), "seed": 1}),
            ("AlphaDropout", {"rate": 0.5}),
            ("GaussianDropout", {"rate": 0.5}),
            ("GaussianNoise", {"stddev": 0.5}),
            ("SpatialDropout1D", {"rate": 0.5}),
        )
    ),
    *_each("SpatialDropout2D", (1, 2, 3, 2), {"rate": 0.5}, call={"training": False}),
    *_each("Dropout", (2, 3), {"rate": 0.0}, call={"training": True}),
]

_MERGING = [
    *(
        case
        for layer in ("Add", "Average", "Multiply", "Maximum", "Minimum")
        for case in (
            *_each(layer, [(2, 3), (2, 3), (2, 3)], {}),
            *_each(layer, [(2, 3, 2), (2, 1, 2)], {}),
            *_each(layer, [(2, 3, 2), (2, 2)], {}),
        )
    ),
    *_each("Subtract", [(2, 3), (2, 3)], {}),
    *_each("Subtract", [(2, 3, 2), (2, 1, 2)], {}),
    *_each("Concatenate", [(2, 3), (2, 1), (2, 2)], {}),
    *_each("Concatenate", [(2, 1, 2), (2, 3, 2)], {"axis": 1}),
    *_each("Dot", [(2, 3), (2, 3)], {"axes": 1}, {"axes": -1, "normalize": True}),
    *_each("Dot", [(2, 3, 2), (2, 2, 3)], {"axes": (2, 1)}, {"axes": (1, 2)}),
    *_each("Dot", [(2, 3, 4), (2, 4)], {"axes": (2, 1)}),
    *_each("Dot", [(2, 3, 2), (2, 3, 4)], {"axes": 1, "normalize": True}),
]

_RESHAPING = [
    *_each("Flatten", (2, 3, 2), {}, _FIRST),
    *_each("Flatten", (2, 2, 3, 2), {}, _FIRST),
    *_each("Flatten", (3,), {}),
    *_each("Reshape", (2, 6), {"target_shape": (3, 2)}, {"target_shape": (-1, 3)}, {"target_shape": (6, 1)}),
    *_each("Permute", (2, 3, 2), {"dims": (2, 1)}),
    *_each("Permute", (1, 2, 3, 2), {"dims": (3, 1, 2)}),
    *_each("RepeatVector", (2, 3), {"n": 2}),
    *_each("Cropping1D", (2, 5, 2), {"cropping": 1}, {"cropping": (0, 2)}),
    *_each("Cropping2D", (1, 4, 5, 2), {"cropping": 1}, {"cropping": (1, 2)}, {"cropping": ((0, 1), (2, 1))}),
    *_each("Cropping2D", (1, 2, 4, 5), {"cropping": (1, 2), **_FIRST}),
    *_each("ZeroPadding1D", (2, 2, 2), {"padding": 1}, {"padding": (0, 2)}),
    *_each("ZeroPadding1D", (2, 2, 2), {"padding": (1, 0), **_FIRST}),
    *_each("ZeroPadding2D", (1, 2, 2, 2), {"padding": 1}, {"padding": (1, 2)}, {"padding": ((0, 1), (2, 0))}),
    *_each("ZeroPadding2D", (1, 2, 2, 2), {"padding": (1, 0), **_FIRST}),
    *_each("UpSampling1D", (2, 2, 2), {}, {"size": 3}),
    *_each(
        "UpSampling2D",
        (1, 2, 3, 1),
        {},
        {"size": (1, 3)},
        {"interpolation": "bilinear"},
        {"size": (3, 2), "interpolation": "bilinear"},
        {"interpolation": "bicubic"},
    ),
    *_each("UpSampling2D", (1, 1, 2, 3), _FIRST, {**_FIRST, "interpolation": "bilinear"}),
]

_WRAPPERS = [
    *_each("TimeDistributed", (2, 3, 2), {}, inner=("Dense", {"units": 2, "name": "inner"})),
    *_each("TimeDistributed", (1, 2, 4, 3, 1), {}, inner=("Conv2D", {"filters": 2, "kernel_size": 2, "name": "inner"})),
    *_each("TimeDistributed", (2, 3, 2), {}, inner=("BatchNormalization", {"name": "inner"}), call={"training": True}),
]

CASES = [
    *_DENSE,
    *_CONVOLUTION,
    *_POOLING,
    *_NORMALIZATION,
    *_ELEMENTWISE,
    *_MERGING,
    *_RESHAPING,
    *_WRAPPERS,
    *RECURRENT,
]
