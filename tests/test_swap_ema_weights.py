"""SwapEMAWeights evaluates and predicts with the averages of the weights and trains with the weights themselves."""

from __future__ import annotations

import numpy as np
import pytest

import pronghorn as ph

X = np.arange(8, dtype="float32").reshape(8, 1)
MOMENTUM = 0.5


class _Kernels(ph.callbacks.Callback):
    """Notes the model's only weight where it is asked for."""

    def __init__(self, *hooks):
        super().__init__()
        self.seen = {hook: [] for hook in hooks}
        for hook in hooks:
            setattr(self, hook, lambda *args, hook=hook: self.seen[hook].append(self._kernel()))

    def _kernel(self):
        return float(self.model.layers[0].kernel.numpy()[0, 0])


def _model(**options):
    model = ph.Sequential([ph.Input((1,)), ph.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(ph.optimizers.SGD(0.001, **{"use_ema": True, "ema_momentum": MOMENTUM, **options}), "mse")
    return model


def _weights_and_averages(epochs):
    """The weight after each epoch of one step, and its average, by the formulas in float64."""
    weight, average, found = 0.0, 0.0, []
    for epoch in range(epochs):
        weight -= 0.001 * 2 * np.mean(X.astype("float64") ** 2) * (weight - 2)
        average = weight if epoch == 0 else MOMENTUM * average + (1 - MOMENTUM) * weight
        found.append((weight, average))
    return zip(*found)


def _fit(model, *callbacks, epochs=3):
    return model.fit(
        X, 2 * X, batch_size=8, epochs=epochs, shuffle=False, verbose=0, callbacks=list(callbacks),
        validation_data=(X, 2 * X),
    )  # fmt: skip


def test_validation_sees_the_averages_and_training_the_weights():
    weights, averages = _weights_and_averages(3)
    swap, note = ph.callbacks.SwapEMAWeights(), _Kernels("on_test_batch_end", "on_epoch_end")
    history = _fit(_model(), swap, note).history
    np.testing.assert_allclose(note.seen["on_test_batch_end"], averages, rtol=1e-5)
    np.testing.assert_allclose(note.seen["on_epoch_end"], weights, rtol=1e-5)
    expected = [np.mean((2 * X.astype("float64") - X * average) ** 2) for average in averages]
    np.testing.assert_allclose(history["val_loss"], expected, rtol=1e-5)


def test_with_swap_on_epoch_later_callbacks_see_the_averages():
    weights, averages = _weights_and_averages(3)
    swap, note = ph.callbacks.SwapEMAWeights(swap_on_epoch=True), _Kernels("on_epoch_end", "on_train_batch_begin")
    model = _model()
    _fit(model, swap, note)
    np.testing.assert_allclose(note.seen["on_epoch_end"], averages, rtol=1e-5)
    np.testing.assert_allclose(note.seen["on_train_batch_begin"], [0.0, *weights[:2]], rtol=1e-5)
    np.testing.assert_allclose(model.get_weights()[0].item(), averages[-1], rtol=1e-5)


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_swapping_does_not_change_what_is_trained(swap_on_epoch):
    plain, swapped = _model(), _model()
    history = _fit(plain).history
    assert _fit(swapped, ph.callbacks.SwapEMAWeights(swap_on_epoch)).history["loss"] == history["loss"]
    np.testing.assert_array_equal(swapped.get_weights()[0], plain.get_weights()[0])


def test_evaluate_and_predict_use_the_averages_and_put_the_weights_back():
    model = _model()
    optimizer = model.optimizer
    kernel = model.layers[0].kernel
    optimizer.apply([np.array([[-1000.0]], "float32")], [kernel])
    optimizer.apply([np.array([[-1000.0]], "float32")])
    assert (float(kernel.numpy()[0, 0]), float(optimizer.variables[2].numpy()[0, 0])) == (2.0, 1.5)
    swap = ph.callbacks.SwapEMAWeights()
    assert model.evaluate(X, 1.5 * X, verbose=0, callbacks=[swap]) == 0.0
    np.testing.assert_array_equal(model.predict(X, verbose=0, callbacks=[swap]), 1.5 * X)
    assert float(kernel.numpy()[0, 0]) == 2.0


def test_averages_are_needed():
    with pytest.raises(ValueError, match="the optimizer must be made with use_ema=True"):
        _fit(_model(use_ema=False), ph.callbacks.SwapEMAWeights())
    with pytest.raises(ValueError, match="the optimizer has no averages yet"):
        _model().evaluate(X, X, verbose=0, callbacks=[ph.callbacks.SwapEMAWeights()])
