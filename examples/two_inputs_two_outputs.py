"""The functional API: two inputs, a shared layer, two outputs with a loss each."""

import numpy as np

import pronghorn as ph
from pronghorn import layers

ph.utils.set_random_seed(1)
rng = np.random.default_rng(1)
left = rng.normal(size=(512, 8)).astype("float32")
right = rng.normal(size=(512, 8)).astype("float32")
product = (left * right).sum(axis=1, keepdims=True)
which = (product[:, 0] > 0).astype("int64")

a = ph.Input((8,), name="left")
b = ph.Input((8,), name="right")
shared = layers.Dense(32, activation="tanh")
joined = layers.Concatenate()([layers.Multiply()([shared(a), shared(b)]), a, b])
hidden = layers.Dense(64, activation="relu")(joined)
model = ph.Model(
    inputs=[a, b],
    outputs={
        "product": layers.Dense(1, name="product")(hidden),
        "sign": layers.Dense(2, activation="softmax", name="sign")(hidden),
    },
)
model.compile(
    optimizer=ph.optimizers.Adam(0.003),
    loss={"product": "mse", "sign": "sparse_categorical_crossentropy"},
    loss_weights={"product": 0.1, "sign": 1.0},
    metrics={"sign": ["accuracy"]},
)
history = model.fit(
    {"left": left, "right": right}, {"product": product, "sign": which}, epochs=60, batch_size=64, verbose=0
)
for name, values in sorted(history.history.items()):
    print(f"{name}: {values[0]:.3f} -> {values[-1]:.3f}")
