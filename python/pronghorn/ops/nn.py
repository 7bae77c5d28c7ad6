"""The ops of `keras.ops.nn` under one name."""

from __future__ import annotations

from pronghorn.ops.activation import (
    celu,
    elu,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    relu6,
    selu,
    silu,
    soft_shrink,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    squareplus,
    swish,
    tanh_shrink,
    threshold,
)
from pronghorn.ops.attention import dot_product_attention
from pronghorn.ops.convolution import average_pool, conv, conv_transpose, depthwise_conv, max_pool, separable_conv
from pronghorn.ops.crossentropy import binary_crossentropy, categorical_crossentropy, sparse_categorical_crossentropy
from pronghorn.ops.elementwise import relu, sigmoid, softplus
from pronghorn.ops.indexing import multi_hot, one_hot
from pronghorn.ops.normalization import (
    batch_normalization,
    batch_normalization_train,
    layer_normalization,
    moments,
    normalize,
    rms_normalization,
)
from pronghorn.ops.pixel_blocks import depth_to_space, space_to_depth
from pronghorn.ops.probabilities import log_softmax, softmax, sparsemax

__all__ = [
    "average_pool",
    "batch_normalization",
    "batch_normalization_train",
    "binary_crossentropy",
    "categorical_crossentropy",
    "celu",
    "conv",
    "conv_transpose",
    "depth_to_space",
    "depthwise_conv",
    "dot_product_attention",
    "elu",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "layer_normalization",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "max_pool",
    "moments",
    "multi_hot",
    "normalize",
    "one_hot",
    "relu",
    "relu6",
    "rms_normalization",
    "selu",
    "separable_conv",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "space_to_depth",
    "sparse_categorical_crossentropy",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh_shrink",
    "threshold",
]
