"""The table of a model's layers."""

from __future__ import annotations

import numpy as np
import pytest

import pronghorn as ph
from pronghorn import layers


def summary_of(model, **arguments):
    lines = []
    model.summary(print_fn=lines.append, **{"line_length": 100, **arguments})
    return "\n".join(lines)


def test_sequential():
    model = ph.Sequential(
        [ph.Input((784,)), layers.Dense(32, name="a"), layers.BatchNormalization(name="b"), layers.Dense(10, name="c")],
        name="net",
    )
    text = summary_of(model)
    assert 'Model: "net"' in text and "Layer (type)" in text and "Connected to" not in text
    assert "a (Dense)" in text and "(None, 32)" in text and "25,120" in text
    assert "Total params: 25,578 (99.91 KB)" in text
    assert "Trainable params: 25,514" in text and "Non-trainable params: 64 (256.00 B)" in text


def test_unbuilt_and_subclassed():
    assert "0 (unbuilt)" in summary_of(ph.Sequential([layers.Dense(3)]))

    class Net(ph.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, inputs):
            return self.dense(inputs)

    net = Net()
    net(np.ones((2, 4)))
    text = summary_of(net)
    assert "(2, 3)" in text and "Total params: 15 (60.00 B)" in text


def test_graph_options_and_range():
    x = ph.Input((4,), name="x")
    a = layers.Dense(3, name="left")(x)
    b = layers.Dense(3, name="right", trainable=False)(x)
    inner = ph.Sequential([layers.Dense(2, name="deep")], name="inner")
    model = ph.Model(x, inner(layers.Add(name="sum")([a, b]) * 2.0))
    text = summary_of(model, show_trainable=True, expand_nested=True, line_length=120)
    assert "Connected to" in text and "left[0][0], right[0][0]" in text.replace("\n", "")
    assert "Trainable" in text and " N " in text and "└ deep (Dense)" in text and "multiply" in text
    text = summary_of(model, layer_range=["left", "sum"])
    assert "left" in text and "inner (Sequential)" not in text
    with pytest.raises(ValueError, match="matches none"):
        summary_of(model, layer_range=["nothing", "sum"])
    with pytest.raises(ValueError, match="too small"):
        summary_of(model, line_length=8)


def test_prints_to_the_terminal(capsys):
    ph.Sequential([ph.Input((2,)), layers.Dense(1)]).summary()
    assert "Total params: 3 (12.00 B)" in capsys.readouterr().out
