"""fit, evaluate and predict with generators, data sets and data frames."""

from __future__ import annotations

import numpy as np

from training_cases import case, data, dense_model, outcome, printed, warned

X, Y = data(12)
W = np.linspace(0.5, 1.5, 12).astype("float32")


def _model(keras):
    model = dense_model(keras)
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mse"])
    return model


def _batches(size=5, weights=False, endless=False):
    while True:
        for start in range(0, len(X), size):
            rows = slice(start, start + size)
            yield (X[rows], Y[rows], W[rows]) if weights else (X[rows], Y[rows])
        if not endless:
            return


def _dataset(keras, log, **options):
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            rows = slice(index * 4, index * 4 + 4)
            return X[rows], Y[rows]

        def on_epoch_begin(self):
            log.append("begin")

        def on_epoch_end(self):
            log.append("end")

    return Batches(**options)


@case
def generators(keras, folder):
    """Left out: class_weight, and batches that are lists, which only Pronghorn takes; batch_size, which Keras ignores
    and Pronghorn refuses; generators that end early, whose first batches Keras gives out a second time."""
    forms = {
        "one epoch": (_batches(), {}),
        "with weights": (_batches(weights=True), {}),
        "endless": (_batches(endless=True), {"steps_per_epoch": 2, "epochs": 3}),
        "validation": (_batches(endless=True), {"steps_per_epoch": 2, "epochs": 2, "validation_data": (X, Y)}),
        "y besides": (_batches(), {"y": Y}),
        "split": (_batches(), {"validation_split": 0.2}),
        "empty": (iter(()), {}),
    }  # fmt: skip

    def run(source, options):
        model = _model(keras)
        history = model.fit(source, verbose=0, **options)
        return [history.history, history.epoch, int(model.optimizer.iterations)]

    return {name: outcome(lambda f=f: run(*f)) for name, f in forms.items()}


@case
def data_sets(keras, folder):
    """Only the first two calls of the hooks are compared: Keras calls them once more than there are epochs."""
    log = []
    model = _model(keras)
    found = [model.fit(_dataset(keras, log), epochs=2, shuffle=False, verbose=0).history]
    found.append(log[:2])
    found.append(model.evaluate(_dataset(keras, log), verbose=0))
    found.append(model.evaluate(_dataset(keras, log), verbose=0, steps=2))
    found.append(model.predict(_dataset(keras, log), verbose=0))
    validated = model.fit(X, Y, shuffle=False, verbose=0, validation_data=_dataset(keras, log), epochs=2)
    found.append(validated.history)
    workers = _dataset(keras, log, workers=2, max_queue_size=2)
    found.append(model.fit(workers, shuffle=False, verbose=0).history)
    found.append(outcome(lambda: model.fit(_dataset(keras, log), Y, verbose=0)))
    return found


@case
def data_sets_without_a_length(keras, folder):
    class Endless(keras.utils.PyDataset):
        @property
        def num_batches(self):
            return None

        def __getitem__(self, index):
            rows = slice(index % 3 * 4, index % 3 * 4 + 4)
            return X[rows], Y[rows]

    model = _model(keras)
    return model.fit(Endless(), epochs=2, steps_per_epoch=3, shuffle=False, verbose=0).history


@case
def evaluating_and_predicting_generators(keras, folder):
    model = _model(keras)
    return [
        model.evaluate(_batches(), verbose=0),
        model.evaluate(_batches(weights=True), verbose=0, return_dict=True),
        model.evaluate(_batches(endless=True), verbose=0, steps=2),
        model.predict(_batches(endless=True), verbose=0, steps=2),
        warned(lambda: model.evaluate(_batches(), verbose=0, steps=9))["warned"],
        printed(lambda: model.evaluate(_batches(), verbose=2)),
        printed(lambda: model.fit(_batches(), verbose=2)),
    ]


@case
def data_frames(keras, folder):
    import pandas

    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    target = pandas.DataFrame({"y": Y[:, 0]})
    model = _model(keras)
    return [
        model.fit(frame, target, batch_size=5, shuffle=False, verbose=0).history,
        model.fit(frame, target["y"], batch_size=5, shuffle=False, verbose=0).history,
        model.fit(frame[frame.a > 0], target[frame.a > 0], shuffle=False, verbose=0, validation_split=0.3).history,
        model.evaluate(frame, target, verbose=0),
        model.predict(frame, verbose=0),
        outcome(lambda: model.fit(frame.assign(a="text"), target, verbose=0).history),
    ]
