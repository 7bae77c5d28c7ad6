"""Callbacks: hooks with their logs, and the callbacks that come with the library."""

from __future__ import annotations

import contextlib
import os

import numpy as np

from training_cases import case, data, dense_model, outcome, printed, warned

X, Y = data()
VAL = data(6, seed=3)


def _model(keras, rate=0.05, optimizer=None):
    model = dense_model(keras)
    model.compile(optimizer or keras.optimizers.SGD(rate), "mse", metrics=["mae"])
    return model


def _fit(model, callbacks, epochs=6, **options):
    return model.fit(X, Y, **{"batch_size": 4, "epochs": epochs, "shuffle": False, "verbose": 0, "callbacks": callbacks,
                              "validation_data": VAL, **options})  # fmt: skip


def _recorder(keras, found):
    hooks = [f"on_{kind}_{when}" for kind in ("train", "test", "predict") for when in ("begin", "end")]
    hooks += [f"on_{kind}_batch_{when}" for kind in ("train", "test", "predict") for when in ("begin", "end")]
    hooks += ["on_epoch_begin", "on_epoch_end"]

    def hook(name):
        def record(self, *args, **kwargs):
            logs = kwargs.get("logs", args[-1] if args else None)
            numbers = [arg for arg in args if isinstance(arg, int)]
            kept = {key: value for key, value in (logs or {}).items() if key != "outputs"}
            found.append([name, numbers, kept, sorted(logs or {})])

        return record

    return type("Recorder", (keras.callbacks.Callback,), {name: hook(name) for name in hooks})()


@case
def all_hooks_with_their_logs(keras, folder):
    found = []
    model = _model(keras)
    recorder = _recorder(keras, found)
    _fit(model, [recorder], epochs=2)
    found.append(sorted(recorder.params.items()))
    model.evaluate(X, Y, batch_size=4, verbose=0, callbacks=[recorder])
    model.predict(X, batch_size=4, verbose=0, callbacks=[recorder])
    return found


@case
def hooks_with_several_steps_per_execution(keras, folder):
    """The steps come in whole groups: after half a group Keras names a batch that does not exist."""
    found = []
    model = dense_model(keras)
    model.compile("sgd", "mse", steps_per_execution=2)
    model.fit(X, Y, batch_size=3, shuffle=False, verbose=0, callbacks=[_recorder(keras, found)])
    return found


@case
def on_batch_hooks_and_a_single_callback(keras, folder):
    """Beginnings and ends are kept apart: Keras may call the end of a batch when the next one has begun."""
    begun, ended = [], []

    class Old(keras.callbacks.Callback):
        def on_batch_begin(self, batch, logs=None):
            begun.append(batch)

        def on_batch_end(self, batch, logs=None):
            ended.append([batch, sorted(logs)])

    model = _model(keras)
    _fit(model, Old(), epochs=1)
    return [begun, ended]


@case
def stopping_from_a_callback(keras, folder):
    def run(hook, when):
        class Stop(keras.callbacks.Callback):
            pass

        def stop(self, number, logs=None):
            if number == when:
                self.model.stop_training = True

        setattr(Stop, hook, stop)
        model = _model(keras)
        history = _fit(model, [Stop()], epochs=4)
        return [history.history, history.epoch, int(model.optimizer.iterations), model.stop_training]

    return [run("on_epoch_end", 1), run("on_epoch_begin", 1), run("on_train_batch_end", 1),
            run("on_train_batch_begin", 1)]  # fmt: skip


@case
def learning_rate_from_a_callback(keras, folder):
    class Slower(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.optimizer.learning_rate = 0.1 / (epoch + 1)

        def on_train_batch_end(self, batch, logs=None):
            self.model.optimizer.learning_rate.assign(self.model.optimizer.learning_rate * 0.9)

    model = _model(keras)
    return [_fit(model, [Slower()], epochs=3).history, float(model.optimizer.learning_rate)]


@case
def early_stopping(keras, folder):
    forms = {
        "patience": {"monitor": "loss", "min_delta": 0.05, "patience": 1},
        "restore": {"monitor": "loss", "mode": "max", "patience": 2, "restore_best_weights": True},
        "restore with start": {"monitor": "loss", "mode": "max", "patience": 1, "restore_best_weights": True,
                               "start_from_epoch": 2},
        "baseline": {"monitor": "val_loss", "baseline": 0.001, "patience": 2},
        "baseline, restore": {"monitor": "loss", "baseline": 0.0001, "patience": 1, "restore_best_weights": True},
        "auto mae": {"monitor": "val_mae", "patience": 1, "mode": "auto"},
        "zero": {"monitor": "loss", "mode": "max"},
        "start": {"monitor": "loss", "mode": "max", "start_from_epoch": 3},
        "verbose": {"monitor": "loss", "mode": "max", "verbose": 1, "restore_best_weights": True},
    }  # fmt: skip

    def run(settings):
        model = _model(keras)
        stop = keras.callbacks.EarlyStopping(**settings)
        lines = []
        result = []
        lines = printed(lambda: result.append(_fit(model, [stop])))
        return [result[0].history["loss"], result[0].epoch, stop.stopped_epoch, stop.best_epoch, stop.best, stop.wait,
                model.get_weights()[-1], lines]  # fmt: skip

    found = {name: outcome(lambda s=s: run(s)) for name, s in forms.items()}
    found["wrong mode"] = warned(lambda: run({"monitor": "loss", "mode": "sideways"}))["warned"]
    found["missing"] = outcome(lambda: warned(lambda: run({"monitor": "nothing"})))
    found["accuracy"] = outcome(lambda: _accuracy_stop(keras))
    return found


def _accuracy_stop(keras):
    model = dense_model(keras, activation="sigmoid")
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    stop = keras.callbacks.EarlyStopping("accuracy", patience=1)
    history = model.fit(X, (Y > 0) * 1.0, epochs=5, shuffle=False, verbose=0, callbacks=[stop])
    return [history.history, stop.stopped_epoch]


@case
def model_checkpoint(keras, folder):
    def run(name, settings, **options):
        place = os.path.join(folder, name)
        os.makedirs(place)
        model = _model(keras)
        end = settings.pop("file", "{epoch:02d}-{val_loss:.3f}.weights.h5")
        keep = keras.callbacks.ModelCheckpoint(os.path.join(place, end), save_weights_only=True, **settings)
        lines = printed(lambda: _fit(model, [keep], **options))
        return [sorted(os.listdir(place)), [line.replace(place, "") for line in lines], keep.best]

    return {
        "every epoch": run("a", {}),
        "best": run("b", {"save_best_only": True, "verbose": 1}),
        "best worst": run("c", {"save_best_only": True, "mode": "max", "verbose": 1}),
        "freq": run("d", {"save_freq": 4, "file": "{epoch}-{batch}-{loss:.2f}.weights.h5"}),
        "threshold": run("e", {"save_best_only": True, "initial_value_threshold": 0.0001, "verbose": 1}),
        "one file": run("f", {"file": "last.weights.h5", "verbose": 1}, epochs=2),
        "missing": outcome(lambda: warned(lambda: run("g", {"monitor": "nothing", "save_best_only": True}))),
        "wrong field": outcome(lambda: run("h", {"file": "{nothing}.weights.h5"})),
        "wrong end": outcome(lambda: run("i", {"file": "a.txt"})),
        "wrong freq": outcome(lambda: run("j", {"save_freq": "sometimes"})),
    }


@case
def reduce_lr_on_plateau(keras, folder):
    def run(**settings):
        rates = []

        class Note(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                rates.append(float(self.model.optimizer.learning_rate))

        model = _model(keras)
        lines = []
        history = []
        lines = printed(
            lambda: history.append(
                _fit(model, [keras.callbacks.ReduceLROnPlateau(**settings), Note()], epochs=8, verbose=0)
            )
        )
        return [rates, list(history[0].history), history[0].history.get("learning_rate"), lines]

    return {
        "plain": run(monitor="loss", mode="max", factor=0.5, patience=2),
        "cooldown": run(monitor="loss", mode="max", factor=0.5, patience=1, cooldown=2),
        "min_delta": run(monitor="loss", min_delta=0.05, factor=0.1, patience=1, min_lr=0.001, verbose=1),
        "min_lr": run(monitor="loss", mode="max", factor=0.1, patience=1, min_lr=0.01),
        "factor": outcome(lambda: run(factor=2.0)),
        "missing": outcome(lambda: warned(lambda: run(monitor="nothing"))["warned"]),
    }


@case
def learning_rate_scheduler(keras, folder):
    """Left out: schedules that return a tensor or an int, which only Pronghorn takes."""

    def run(schedule, **settings):
        model = _model(keras)
        history = []
        lines = printed(
            lambda: history.append(_fit(model, [keras.callbacks.LearningRateScheduler(schedule, **settings)], epochs=3))
        )
        return [history[0].history, lines]

    return {
        "epoch": run(lambda epoch: 0.1 / (1 + epoch)),
        "epoch and lr": run(lambda epoch, lr: lr * 0.5, verbose=1),
        "text": outcome(lambda: run(lambda epoch: "fast")),
    }


@case
def csv_logger(keras, folder):
    path = os.path.join(folder, "log.csv")

    def text():
        with open(path, encoding="utf-8") as file:
            rows = [line.rstrip("\n").split(";" if ";" in line else ",") for line in file.read().splitlines()]
        return [[round(float(cell), 4) if cell[:1].isdigit() else cell for cell in row] for row in rows]

    model = _model(keras)
    _fit(model, [keras.callbacks.CSVLogger(path)], epochs=2)
    found = [text()]
    _fit(model, [keras.callbacks.CSVLogger(path, append=True)], epochs=4, initial_epoch=2)
    found.append(text())
    _fit(model, [keras.callbacks.CSVLogger(path, separator=";")], epochs=3, validation_freq=2)
    return [*found, text()]


@case
def terminate_on_nan(keras, folder):
    y = Y.copy()
    y[5] = np.nan
    model = _model(keras)
    lines = []
    lines = printed(
        lambda: model.fit(X, y, batch_size=4, epochs=3, shuffle=False, verbose=0,
                          callbacks=[keras.callbacks.TerminateOnNaN()])
    )  # fmt: skip
    return [lines, model.history.epoch, int(model.optimizer.iterations), model.stop_training]


@case
def lambda_callback(keras, folder):
    found = []
    callback = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: found.append(["epoch", epoch, logs]),
        on_epoch_end=lambda epoch, logs: found.append(["epoch end", epoch, sorted(logs)]),
        on_train_begin=lambda logs: found.append(["train", logs]),
        on_train_end=lambda logs: found.append(["train end", sorted(logs)]),
        on_train_batch_begin=lambda batch, logs: found.append(["batch", batch, logs]),
        on_train_batch_end=lambda batch, logs: found.append(["batch end", batch, sorted(logs)]),
    )
    _fit(_model(keras), [callback], epochs=2)
    return found


@case
def backup_and_restore(keras, folder):
    class Stop(Exception):
        pass

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise Stop

    def run(**settings):
        model = _model(keras, optimizer=keras.optimizers.Adam(0.05))
        place = os.path.join(folder, f"backup{len(os.listdir(folder))}")
        with contextlib.suppress(Stop):
            _fit(model, [keras.callbacks.BackupAndRestore(place, **settings), Interrupt()], epochs=4)
        again = _model(keras, optimizer=keras.optimizers.Adam(0.05))
        history = _fit(again, [keras.callbacks.BackupAndRestore(place, **settings)], epochs=4)
        return [history.epoch, history.history, int(again.optimizer.iterations), os.path.exists(place)]

    return [run(), run(delete_checkpoint=False), outcome(lambda: run(save_freq="never"))]


@case
def swap_ema_weights(keras, folder):
    def run(frequency, **settings):
        seen = []

        class See(keras.callbacks.Callback):
            def on_test_batch_end(self, batch, logs=None):
                seen.append(self.model.get_weights()[-1])

        optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=frequency)
        model = _model(keras, optimizer=optimizer)
        optimizer.build(model.trainable_variables)
        history = _fit(model, [keras.callbacks.SwapEMAWeights(**settings), See()], epochs=3)
        weights, evaluated = model.get_weights(), model.evaluate(X, Y, verbose=0)
        predicted = model.predict(X, verbose=0, callbacks=[keras.callbacks.SwapEMAWeights()])
        return [history.history, seen, predicted, evaluated, weights]

    def without_ema():
        return _fit(_model(keras), [keras.callbacks.SwapEMAWeights()]).history

    return [run(None), run(None, swap_on_epoch=True), run(2), outcome(without_ema)]


@case
def stopping_evaluation_and_prediction(keras, folder):
    class Stop(keras.callbacks.Callback):
        def on_test_batch_end(self, batch, logs=None):
            self.model.stop_evaluating = True

        def on_predict_batch_end(self, batch, logs=None):
            self.model.stop_predicting = True

    model = _model(keras)
    return [
        model.evaluate(X, Y, batch_size=4, verbose=0, callbacks=[Stop()]),
        model.predict(X, batch_size=4, verbose=0, callbacks=[Stop()]),
    ]
