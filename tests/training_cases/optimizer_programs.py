"""Optimizers inside fit."""

from __future__ import annotations

import numpy as np

from training_cases import case, data, dense_model, outcome

X, Y = data()


def _fit(keras, optimizer, epochs=4):
    model = dense_model(keras)
    model.compile(optimizer, "mse")
    history = model.fit(X, Y, batch_size=4, epochs=epochs, shuffle=False, verbose=0).history
    return [history, int(optimizer.iterations), model.get_weights()[0]]


@case
def options_in_fit(keras, folder):
    o = keras.optimizers
    forms = {
        "schedule": o.SGD(o.schedules.ExponentialDecay(0.1, 3, 0.5)),
        "piecewise": o.Adam(o.schedules.PiecewiseConstantDecay([3, 6], [0.1, 0.05, 0.01])),
        "cosine": o.SGD(o.schedules.CosineDecay(0.01, 6, warmup_target=0.1, warmup_steps=3)),
        "clipnorm": o.SGD(0.1, clipnorm=0.2),
        "clipvalue": o.SGD(0.1, clipvalue=0.05),
        "global": o.SGD(0.1, global_clipnorm=0.2),
        "ema": o.SGD(0.1, use_ema=True, ema_momentum=0.8),
        "ema often": o.Adam(0.1, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=3),
        "decay": o.AdamW(0.1, weight_decay=0.1),
        "accumulation": o.Adam(0.1, gradient_accumulation_steps=2),
        "accumulation and ema": o.SGD(0.1, gradient_accumulation_steps=3, use_ema=True, ema_momentum=0.5),
        "accumulation and schedule": o.SGD(o.schedules.ExponentialDecay(0.1, 3, 0.5), gradient_accumulation_steps=2),
        "accumulation and overwriting": o.SGD(
            0.1, gradient_accumulation_steps=2, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2
        ),
        "loss scale": o.SGD(0.1, loss_scale_factor=8.0),
        "function": o.SGD(lambda: 0.1),
    }
    return {name: outcome(lambda f=f: _fit(keras, f)) for name, f in forms.items()}


@case
def left_out_of_weight_decay(keras, folder):
    optimizer = keras.optimizers.AdamW(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model = dense_model(keras)
    model.compile(optimizer, "mse")
    model.fit(X, Y, shuffle=False, verbose=0, epochs=3)
    return model.get_weights()


@case
def own_optimizers(keras, folder):
    class Momentum(keras.optimizers.Optimizer):
        def __init__(self, learning_rate=0.1, momentum=0.9, name="own", **kwargs):
            super().__init__(learning_rate=learning_rate, name=name, **kwargs)
            self.momentum = momentum

        def build(self, variables):
            if self.built:
                return
            super().build(variables)
            self.speeds = []
            for variable in variables:
                self.speeds.append(self.add_variable_from_reference(reference_variable=variable, name="speed"))

        def update_step(self, gradient, variable, learning_rate):
            rate = keras.ops.cast(learning_rate, variable.dtype)
            speed = self.speeds[self._get_variable_index(variable)]
            self.assign(speed, self.momentum * speed + (1 - self.momentum) * keras.ops.cast(gradient, variable.dtype))
            self.assign_sub(variable, rate * speed)
            self.assign_add(variable, keras.ops.zeros_like(gradient))

        def get_config(self):
            return {**super().get_config(), "momentum": self.momentum}

    optimizer = Momentum(0.2, clipnorm=0.5)
    return [_fit(keras, optimizer), [v.path for v in optimizer.variables], sorted(optimizer.get_config())]


@case
def variables_and_their_names(keras, folder):
    """The last variable of Nadam is left out: it has no name in Keras."""
    found = {}
    for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam", "Ftrl", "Lion"):
        for options in ({}, {"use_ema": True, "gradient_accumulation_steps": 2}):
            optimizer = getattr(keras.optimizers, name)(learning_rate=0.1, name="o", **options)
            kernel = keras.Variable(np.ones((2, 3), "float32"), name="kernel")
            bias = keras.Variable(np.ones((3,), "float32"), name="bias")
            optimizer.build([kernel, bias])
            variables = optimizer.variables[:-1] if name == "Nadam" else optimizer.variables
            found[f"{name} {sorted(options)}"] = [[v.path, list(v.shape), str(v.dtype)] for v in variables]
    momentum = keras.optimizers.SGD(0.1, momentum=0.9, name="m")
    momentum.build([keras.Variable(np.ones((2,), "float32"), name="v")])
    found["momentum"] = [[v.path, list(v.shape)] for v in momentum.variables]
    return found


@case
def optimizer_configs_come_round(keras, folder):
    """Left out: unknown arguments, a ValueError in Keras and a TypeError here."""
    o = keras.optimizers
    made = [o.SGD(0.1, momentum=0.9, nesterov=True), o.Adam(0.01, amsgrad=True, clipnorm=1.0), o.RMSprop(centered=True),
            o.AdamW(weight_decay=0.1), o.Ftrl(beta=0.1), o.Adam(o.schedules.CosineDecay(0.1, 10)), o.Lion(), o.Nadam(),
            o.Adagrad(), o.Adadelta(), o.Adamax()]  # fmt: skip
    found = []
    for optimizer in made:
        config = optimizer.get_config()
        again = type(optimizer).from_config(config)
        rate = config.pop("learning_rate")
        found.append([config, rate if isinstance(rate, float) else None, sorted(again.get_config()),
                      sorted(o.serialize(optimizer))])  # fmt: skip
    return [found, outcome(lambda: o.get("nothing")), outcome(lambda: o.SGD("fast"))]


@case
def changing_the_learning_rate(keras, folder):
    optimizer = keras.optimizers.SGD(0.1)
    model = dense_model(keras)
    model.compile(optimizer, "mse")
    found = []
    for rate in (0.1, 0.5, 0.0):
        optimizer.learning_rate = rate
        found += [float(optimizer.learning_rate), model.fit(X, Y, shuffle=False, verbose=0).history["loss"]]
    optimizer.learning_rate.assign(0.3)
    found += [model.fit(X, Y, shuffle=False, verbose=0, epochs=2).history, float(optimizer.learning_rate)]
    scheduled = keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5))
    found.append(float(scheduled.learning_rate))

    def assign():
        scheduled.learning_rate = 0.1

    return [*found, outcome(assign)]


@case
def applying_gradients_by_hand(keras, folder):
    v, w = keras.Variable(np.ones(2, "float32")), keras.Variable(np.ones(3, "float32"))
    optimizer = keras.optimizers.Adam(0.1)
    g, h = np.array([1.0, -2.0], "float32"), np.array([0.5, 0.0, 1.0], "float32")
    grads = [keras.ops.convert_to_tensor(g), keras.ops.convert_to_tensor(h)]
    optimizer.apply_gradients(zip(grads, [v, w]))
    optimizer.apply(grads, [v, w])
    optimizer.apply(grads)
    found = [np.asarray(v), np.asarray(w), int(optimizer.iterations)]
    found.append(outcome(lambda: optimizer.apply([grads[0]])))
    found.append(outcome(lambda: optimizer.apply([None, None], [v, w])))
    found.append(outcome(lambda: optimizer.apply(grads[:1], [keras.Variable(np.ones(2, "float32"))])))
    found.append(outcome(lambda: keras.optimizers.SGD(0.1, clipnorm=1, clipvalue=1)))
    return found


@case
def setting_optimizer_weights(keras, folder):
    v = keras.Variable(np.ones(2, "float32"))
    grad = keras.ops.convert_to_tensor(np.array([1.0, -2.0], "float32"))
    first, second = keras.optimizers.Adam(0.1), keras.optimizers.Adam(0.1)
    first.apply([grad], [v])
    second.build([v])
    second.set_weights([np.asarray(x) for x in first.variables])
    return [[np.asarray(x) for x in second.variables], outcome(lambda: second.set_weights([np.ones(3)] * 4))]


@case
def stateless_application(keras, folder):
    v = keras.Variable(np.ones(2, "float32"))
    optimizer = keras.optimizers.Adam(0.1)
    optimizer.build([v])
    grad = keras.ops.convert_to_tensor(np.array([1.0, -2.0], "float32"))
    state = [keras.ops.convert_to_tensor(np.asarray(x)) for x in optimizer.variables]
    values, state = optimizer.stateless_apply(state, [grad], [keras.ops.convert_to_tensor(np.asarray(v))])
    return [list(values), list(state), np.asarray(v), int(optimizer.iterations)]
