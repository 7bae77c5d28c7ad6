"""A small network on the handwritten digits, with validation, early stopping and a checkpoint of the best weights."""

import os
import tempfile

import pronghorn as ph
from pronghorn.callbacks import EarlyStopping, ModelCheckpoint
from pronghorn.layers import Dense, Flatten, Rescaling
from pronghorn.models import Sequential

ph.utils.set_random_seed(1)
(x_train, y_train), (x_test, y_test) = ph.datasets.digits.load_data()

model = Sequential(
    [
        ph.Input((8, 8)),
        Flatten(),
        Rescaling(1 / 16),
        Dense(64, activation="relu", kernel_initializer="he_normal"),
        Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
best = os.path.join(tempfile.mkdtemp(), "best.weights.h5")
model.fit(
    x_train,
    y_train,
    epochs=40,
    validation_split=0.1,
    callbacks=[
        EarlyStopping(monitor="val_loss", patience=5),
        ModelCheckpoint(best, monitor="val_loss", save_best_only=True, save_weights_only=True),
    ],
)
model.load_weights(best)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"accuracy on held-out digits: {accuracy:.2%}")
