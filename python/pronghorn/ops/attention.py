"""Scaled dot-product attention."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import _core, arguments
from pronghorn.ops.creation import cast, ones, result_type, tril
from pronghorn.ops.dispatch import op
from pronghorn.ops.elementwise import logical_and, where
from pronghorn.ops.joining import repeat
from pronghorn.ops.linalg import einsum
from pronghorn.ops.probabilities import softmax

__all__ = ["dot_product_attention"]


@op
def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Any:
    """softmax(query key^T scale + bias) value, per head (Vaswani et al., 2017).

    Args:
        query: tensor (batch, target length, heads, depth).
        key: tensor (batch, source length, heads, depth); fewer heads, of which `heads` is a multiple, are each looked
            up by as many heads of the query in a row (Ainslie et al., 2023).
        value: tensor (batch, source length, heads of key, value depth).
        bias: tensor that broadcasts to (batch, heads, target length, source length), added to the scores.
        mask: bool tensor that broadcasts to the same shape, False where nothing may be looked up.
        scale: factor of the scores; None for 1 / sqrt(depth).
        is_causal: whether positions see only those up to themselves.
        flash_attention: accepted for compatibility; must not be True.
        attn_logits_soft_cap: accepted for compatibility; must be None.

    Returns:
        Tensor (batch, target length, heads, value depth).

    Raises:
        ValueError: if an input does not have four dimensions, the numbers of heads do not fit, or an option is not
            supported.

    Example:
        >>> from pronghorn import ops
        >>> x = ops.ones((1, 3, 2, 4))
        >>> ops.dot_product_attention(x, x, x).shape
        (1, 3, 2, 4)
    """
    query, key, value = (_core.convert(x) for x in (query, key, value))
    if not len(query.shape) == len(key.shape) == len(value.shape) == 4:
        raise ValueError(
            "dot_product_attention: query, key and value must have four dimensions, got shapes "
            f"{query.shape}, {key.shape} and {value.shape}"
        )
    if flash_attention or attn_logits_soft_cap is not None:
        raise ValueError("dot_product_attention: flash_attention and attn_logits_soft_cap are not supported")
    heads, key_heads = query.shape[2], key.shape[2]
    if value.shape[2] != key_heads or key_heads == 0 or heads % key_heads != 0:
        raise ValueError(
            "dot_product_attention: key and value must have the same number of heads, of which the query's is a "
            f"multiple, got query {query.shape}, key {key.shape} and value {value.shape}"
        )
    if heads != key_heads:
        key, value = (repeat(x, heads // key_heads, axis=2) for x in (key, value))
    dtype = result_type(query.dtype, key.dtype, value.dtype)
    query, key, value = (cast(x, dtype) for x in (query, key, value))
    work = "float64" if dtype == "float64" else "float32"
    factor = (
        1 / math.sqrt(max(query.shape[-1], 1))
        if scale is None
        else arguments.number(scale, "dot_product_attention: scale")
    )
    scores = cast(einsum("btnh,bsnh->bnts", query, key), work) * factor
    if bias is not None:
        scores = scores + cast(bias, work)
    allowed = None if mask is None else cast(mask, "bool")
    if is_causal:
        causal = cast(tril(ones(tuple(scores.shape[2:]), "float32")), "bool")
        allowed = causal if allowed is None else logical_and(allowed, causal)
    if allowed is not None:
        scores = where(allowed, scores, -0.7 * 3.4028235e38)
    return einsum("bnts,bsnh->btnh", cast(softmax(scores), dtype), value)
