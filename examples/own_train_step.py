"""A training step of one's own: two optimizers in one model, traced into one native program."""

import numpy as np

import pronghorn as ph
from pronghorn import layers, ops


class TwoSpeeds(ph.Model):
    """Trains its first layer slowly and its second one fast."""

    def __init__(self):
        super().__init__()
        self.slow = layers.Dense(16, activation="tanh")
        self.fast = layers.Dense(1)
        self.slow_optimizer = ph.optimizers.SGD(0.001)
        self.fast_optimizer = ph.optimizers.Adam(0.02)
        self.tracker = ph.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.tracker]

    def call(self, x):
        return self.fast(self.slow(x))

    def train_step(self, data):
        x, y = data
        with ph.GradientTape() as tape:
            loss = ops.mean(ops.square(self(x) - y))
        slow, fast = self.slow.trainable_variables, self.fast.trainable_variables
        gradients = tape.gradient(loss, slow + fast)
        self.slow_optimizer.apply_gradients(zip(gradients[: len(slow)], slow))
        self.fast_optimizer.apply_gradients(zip(gradients[len(slow) :], fast))
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}


ph.utils.set_random_seed(1)
x = np.linspace(-2, 2, 256, dtype="float32")[:, None]
y = np.sin(2 * x)
model = TwoSpeeds()
model.compile()
history = model.fit(x, y, epochs=100, batch_size=32, verbose=0)
print(f"loss: {history.history['loss'][0]:.4f} -> {history.history['loss'][-1]:.4f}")
print("one training step is this list of kernel calls:")
print(model.program().text())
