"""Einstein summation: each pair of operands becomes one batched matrix product."""

from __future__ import annotations

import math
from typing import Any

from pronghorn import _core, arguments
from pronghorn.ops.matrix_product import matrix_product

_raw = _core.ops


def _parse(subscripts: str, operands: list[Any]) -> tuple[list[str], str]:
    if not isinstance(subscripts, str):
        raise TypeError(f"einsum: subscripts must be a string, got {arguments.shown(subscripts)}")
    text = subscripts.replace(" ", "")
    left, arrow, result = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise ValueError(f"einsum: {subscripts!r} names {len(terms)} operands, got {len(operands)}")
    spare = [letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if letter not in text]
    widths = [len(x.shape) - len(term.replace("...", "")) for term, x in zip(terms, operands)]
    widest = max([width for term, width in zip(terms, widths) if "..." in term], default=0)
    lead = "".join(spare[:widest])
    for i, (term, width) in enumerate(zip(terms, widths)):
        if width < 0 or (width > 0 and "..." not in term):
            raise ValueError(f"einsum: {term!r} in {subscripts!r} does not fit an operand of shape {operands[i].shape}")
        terms[i] = term.replace("...", lead[widest - width :] if width else "")
    if arrow:
        result = result.replace("...", lead)
    else:
        letters = "".join(terms)
        result = lead + "".join(sorted(x for x in set(letters) if letters.count(x) == 1 and x not in lead))
    unknown = set(result) - set("".join(terms))
    if unknown or len(set(result)) != len(result):
        raise ValueError(f"einsum: the result of {subscripts!r} has unknown or repeated letters")
    return terms, result


def _take_diagonals(x: Any, term: str) -> tuple[Any, str]:
    """Repeated letters within one operand."""
    while len(set(term)) != len(term):
        letter = next(each for each in term if term.count(each) > 1)
        first = term.index(letter)
        second = term.index(letter, first + 1)
        n = x.shape[first]
        rest = [i for i in range(len(term)) if i not in (first, second)]
        x = _raw.transpose(x, [*rest, first, second])
        index = _core.convert([i * (n + 1) for i in range(n)])
        x = _raw.take(_raw.reshape(x, (*x.shape[:-2], n * n)), index, axis=-1)
        term = "".join(term[i] for i in rest) + letter
    return x, term


def _sum_out(x: Any, term: str, keep: str) -> tuple[Any, str]:
    gone = [i for i, letter in enumerate(term) if letter not in keep]
    if gone:
        x = _raw.reduce_sum(x, axes=gone)
    return x, "".join(letter for letter in term if letter in keep)


def _contract(a: Any, term_a: str, b: Any, term_b: str, keep: str) -> tuple[Any, str]:
    sizes: dict[str, int] = {}
    for term, x in ((term_a, a), (term_b, b)):
        for letter, size in zip(term, x.shape):
            if sizes.get(letter, size) != size and 1 not in (sizes[letter], size):
                raise ValueError(f"einsum: letter {letter!r} has sizes {sizes[letter]} and {size}")
            sizes[letter] = max(sizes.get(letter, size), size)
    a, term_a = _sum_out(a, term_a, keep + term_b)
    b, term_b = _sum_out(b, term_b, keep + term_a)
    a = _raw.broadcast_to(a, shape=tuple(sizes[letter] for letter in term_a))
    b = _raw.broadcast_to(b, shape=tuple(sizes[letter] for letter in term_b))
    batch = [x for x in term_a if x in term_b and x in keep]
    inner = [x for x in term_a if x in term_b and x not in keep]
    rows = [x for x in term_a if x not in term_b]
    columns = [x for x in term_b if x not in term_a]

    def matrix(x: Any, term: str, *groups: list[str]) -> Any:
        x = _raw.transpose(x, [term.index(letter) for group in groups for letter in group])
        return _raw.reshape(x, tuple(math.prod(sizes[letter] for letter in group) for group in groups))

    product = matrix_product(matrix(a, term_a, batch, rows, inner), matrix(b, term_b, batch, inner, columns))
    term = "".join(batch + rows + columns)
    return _raw.reshape(product, tuple(sizes[letter] for letter in term)), term


def run(subscripts: str, operands: list[Any]) -> Any:
    """Carry out an einsum on concrete or traced tensors."""
    terms, result = _parse(subscripts, operands)
    pending = [_take_diagonals(x, term) for x, term in zip(operands, terms)]
    x, term = pending.pop(0)
    while pending:
        other, other_term = pending.pop(0)
        keep = result + "".join(each for _, each in pending)
        x, term = _contract(x, term, other, other_term, keep)
    x, term = _sum_out(x, term, result)
    return x if term == result else _raw.transpose(x, [term.index(letter) for letter in result])
