"""Models: summaries, layers, nesting, freezing, configs and files."""

from __future__ import annotations

import json
import os

import numpy as np

from training_cases import case, data, dense_model, fill, outcome, warned

X, Y = data()


def _conv(keras):
    x = keras.Input((8, 8, 3), name="image")
    y = keras.layers.Conv2D(4, 3, padding="same", name="conv")(x)
    y = keras.layers.BatchNormalization(name="norm")(y)
    shared = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="shared")
    z = keras.layers.Add(name="add")([shared(shared(y)), y])
    z = keras.layers.GlobalAveragePooling2D(name="pool")(z)
    return keras.Model(x, keras.layers.Dense(2, name="dense")(z), name="conv_model")


def _nested(keras):
    inner = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, name="in_1"), keras.layers.Dense(2, name="in_2")], name="inner"
    )
    x = keras.Input((4,), name="x")
    y = keras.layers.Dense(4, name="first")(x)
    return keras.Model(x, keras.layers.Dense(1, name="last")(inner(y)), name="outer")


def _subclassed(keras):
    class Blocks(keras.Model):
        def __init__(self):
            super().__init__(name="blocks")
            self.blocks = [keras.layers.Dense(3, name=f"block_{i}") for i in range(3)]
            self.heads = {"a": keras.layers.Dense(1, name="head_a"), "b": keras.layers.Dense(2, name="head_b")}
            self.norm = keras.layers.BatchNormalization(name="norm")

        def call(self, x):
            for block in self.blocks:
                x = block(x)
            return keras.ops.concatenate([self.heads["a"](x), self.heads["b"](self.norm(x))], axis=-1)

    model = Blocks()
    model(np.ones((2, 3), "float32"))
    return model


def _sequential(keras):
    return keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4, name="d1"), keras.layers.Dropout(0.5, name="drop"),
         keras.layers.Dense(1, name="d2")], name="seq")  # fmt: skip


@case
def summaries(keras, folder):
    """No line is longer than 80 characters, to which Keras cuts them where there is no terminal."""

    def text(model, **options):
        lines = []
        model.summary(print_fn=lambda text, line_break=False: lines.append(text), **{"line_length": 80, **options})
        return [line.rstrip() for line in "\n".join(lines).splitlines()]

    compiled = _sequential(keras)
    compiled.compile("adam", "mse")
    compiled.fit(X, Y, verbose=0)
    frozen = _nested(keras)
    frozen.get_layer("inner").trainable = False
    lazy = keras.Sequential([keras.layers.Dense(3, name="lazy")], name="lazy_model")
    return {
        "sequential": text(_sequential(keras)),
        "compiled": text(compiled),
        "functional": text(_conv(keras)),
        "nested": text(_nested(keras)),
        "expanded": text(_nested(keras), expand_nested=True),
        "trainable": text(frozen, show_trainable=True, expand_nested=True),
        "subclassed": text(_subclassed(keras)),
        "unbuilt": text(lazy),
        "range": text(_conv(keras), layer_range=["conv", "shared"]),
        "positions": text(_sequential(keras), positions=[0.4, 0.7, 1.0]),
        "narrow": text(_conv(keras), line_length=60),
        "many outputs": text(keras.Model(*_split(keras), name="split")),
    }


def _split(keras):
    x = keras.Input((4,), name="x")
    return x, [keras.layers.Dense(2, name="p")(x), keras.layers.Dense(3, name="q")(x)]


@case
def default_summary_width(keras, folder):
    lines = []
    _sequential(keras).summary(print_fn=lambda text, line_break=False: lines.append(text))
    return "\n".join(lines).splitlines()[0]


@case
def looking_up_layers(keras, folder):
    model = _conv(keras)
    return [
        [layer.name for layer in model.layers],
        model.get_layer("norm").name,
        model.get_layer(index=2).name,
        outcome(lambda: model.get_layer("nothing").name),
        outcome(lambda: model.get_layer(index=99).name),
        outcome(lambda: model.get_layer().name),
        model.count_params(),
        [w.path for w in model.weights],
        [w.name for w in model.weights],
        [w.path for w in _nested(keras).weights],
        [w.path for w in _subclassed(keras).weights],
        [list(w.shape) for w in model.non_trainable_weights],
        [layer.name for layer in _subclassed(keras).layers],
        model.input_shape,
        model.output_shape,
        [x.name for x in model.inputs],
        model.output_names,
    ]


@case
def sequential_models_grow_and_shrink(keras, folder):
    model = keras.Sequential()
    found = [outcome(lambda: model.predict(X, verbose=0))]
    model.add(keras.Input((3,)))
    model.add(keras.layers.Dense(4))
    model.add(keras.layers.Dense(2))
    fill(model)
    found += [len(model.weights), len(model.layers), model.output_shape, model.built]
    model.pop()
    found += [len(model.weights), model.output_shape, model.predict(X, verbose=0)]
    model.add(keras.layers.Dense(1, kernel_initializer="ones"))
    found += [model.output_shape, model.predict(X, verbose=0)]
    found.append(outcome(lambda: model.add("text")))
    return found


@case
def sequential_models_are_built_late(keras, folder):
    """Keras puts the number of rows of the first call into the shapes, Pronghorn leaves it open."""
    model = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(1)])
    found = [model.built, len(model.weights), outcome(lambda: model.output_shape), outcome(model.count_params)]
    model(X)
    found += [model.built, [list(w.shape) for w in model.weights], model.input_shape[1:], model.output_shape[1:]]
    other = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(1)])
    other.build((None, 3))
    found += [other.built, [list(w.shape) for w in other.weights]]
    fitted = keras.Sequential([keras.layers.Dense(1, kernel_initializer="ones")])
    fitted.compile("sgd", "mse")
    found.append(fitted.fit(X, Y, shuffle=False, verbose=0).history)
    with_input = keras.Sequential([keras.layers.InputLayer((3,)), keras.layers.Dense(2)])
    return [*found, len(with_input.weights), outcome(lambda: model(np.ones((2, 7), "float32")))]


@case
def freezing_propagates(keras, folder):
    model = _nested(keras)
    counts = [[len(model.trainable_weights), len(model.non_trainable_weights)]]
    model.get_layer("inner").trainable = False
    counts.append([len(model.trainable_weights), len(model.non_trainable_weights)])
    counts.append([layer.trainable for layer in model.get_layer("inner").layers])
    model.trainable = False
    counts.append([len(model.trainable_weights), model.get_layer("first").trainable])
    model.trainable = True
    counts.append([len(model.trainable_weights), model.get_layer("inner").trainable])
    model.get_layer("first").trainable = False
    fill(model).compile("sgd", "mse")
    before = model.get_layer("first").get_weights()[0].copy()
    x = np.random.default_rng(1).normal(size=(10, 4)).astype("float32")
    history = model.fit(x, Y, shuffle=False, verbose=0, epochs=2).history
    same = bool((before == model.get_layer("first").get_weights()[0]).all())
    return [counts, history, same, model.get_weights()]


@case
def frozen_batch_normalization(keras, folder):
    model = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(), keras.layers.Dense(1)])
    fill(model, 4)
    weights = [np.abs(w) for w in model.get_weights()]
    model.set_weights(weights)
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    return [model.fit(X, Y, shuffle=False, verbose=0, epochs=2).history, model.get_weights(), len(model.weights)]


@case
def configs_come_round(keras, folder):
    """Keras gives functional models a build_config without a shape, which Pronghorn leaves out."""
    found = []
    for make in (_sequential, _conv, _nested):
        model = make(keras)
        again = type(model).from_config(model.get_config())
        text = keras.models.model_from_json(model.to_json())
        clone = keras.models.clone_model(model)
        for other in (again, text, clone):
            other.set_weights(model.get_weights())
            shape = [2, *model.input_shape[1:]]
            x = np.random.default_rng(0).normal(size=shape).astype("float32")
            difference = np.abs(np.asarray(model(x)) - np.asarray(other(x))).max()
            found.append([other.name, [layer.name for layer in other.layers], bool(difference < 1e-5)])
        found.append(sorted(set(json.loads(model.to_json())) - {"build_config"}))
        found.append(sorted(model.get_config()))
    return found


@case
def cloning_with_a_function(keras, folder):
    def swap(layer):
        if isinstance(layer, keras.layers.Dense):
            return keras.layers.Dense(layer.units, use_bias=False, name=layer.name + "_new")
        return layer.__class__.from_config(layer.get_config())

    clone = keras.models.clone_model(_sequential(keras), clone_function=swap)
    tensors = keras.models.clone_model(_sequential(keras), input_tensors=keras.Input((3,), name="other"))
    return [[layer.name for layer in clone.layers], clone.count_params(), tensors.count_params()]


@case
def weights_files(keras, folder):
    found = []
    for make in (_sequential, _conv, _nested, _subclassed):
        path = os.path.join(folder, f"{make.__name__}.weights.h5")
        model = fill(make(keras))
        model.save_weights(path)
        other = make(keras)
        other.load_weights(path)
        found.append(all((a == b).all() for a, b in zip(model.get_weights(), other.get_weights())))
    path = os.path.join(folder, "_sequential.weights.h5")
    found.append(outcome(lambda: _nested(keras).load_weights(path)))
    found.append(outcome(lambda: _sequential(keras).load_weights(path + "x")))
    found.append(outcome(lambda: _sequential(keras).load_weights(os.path.join(folder, "none.weights.h5"))))
    found.append(outcome(lambda: _sequential(keras).save_weights(os.path.join(folder, "file.txt"))))
    wider = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, name="d1"), keras.layers.Dropout(0.5),
                              keras.layers.Dense(2, name="d2")])  # fmt: skip
    found.append(outcome(lambda: wider.load_weights(path)))
    wider.load_weights(path, skip_mismatch=True)
    found.append(wider.layers[0].get_weights())
    unbuilt = keras.Sequential([keras.layers.Dense(4)])
    found.append(outcome(lambda: unbuilt.load_weights(path)))
    found.append(outcome(lambda: unbuilt.save_weights(os.path.join(folder, "unbuilt.weights.h5"))))
    return found


@case
def weights_files_keep_the_optimizer(keras, folder):
    path = os.path.join(folder, "optimizer.weights.h5")
    model = dense_model(keras)
    model.compile(keras.optimizers.Adam(0.1), "mse")
    model.fit(X, Y, epochs=3, shuffle=False, verbose=0)
    model.save_weights(path)
    expected = model.fit(X, Y, epochs=2, shuffle=False, verbose=0).history
    other = dense_model(keras)
    other.compile(keras.optimizers.Adam(0.1), "mse")
    found = [warned(lambda: other.load_weights(path))["warned"], int(other.optimizer.iterations)]
    found += [expected, other.fit(X, Y, epochs=2, shuffle=False, verbose=0).history]
    built = dense_model(keras)
    built.compile(keras.optimizers.Adam(0.1), "mse")
    built.optimizer.build(built.trainable_variables)
    built.load_weights(path)
    return [*found, int(built.optimizer.iterations), built.fit(X, Y, epochs=2, shuffle=False, verbose=0).history]


@case
def functional_models_take_ops_and_operators(keras, folder):
    x = keras.Input((3,))
    y = keras.layers.Dense(2)(x * 2.0 - 1.0)
    y = keras.ops.concatenate([y, keras.ops.exp(-keras.ops.tanh(y)), y[:, :1] ** 2], axis=-1)
    model = fill(keras.Model(x, keras.ops.sum(y, axis=-1, keepdims=True)))
    model.compile(keras.optimizers.SGD(0.001), "mse")
    return [model.fit(X, Y, shuffle=False, verbose=0, epochs=2).history, model.predict(X, verbose=0)]


@case
def parts_of_models_become_models(keras, folder):
    model = fill(_conv(keras))
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    part = keras.Model(model.inputs, model.get_layer("pool").output)
    several = keras.Model(model.input, [model.get_layer("conv").output, model.output])
    return [part.predict(x, verbose=0), [list(y.shape) for y in several.predict(x, verbose=0)], len(part.weights)]


@case
def building_models(keras, folder):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2)

        def call(self, x, training=False):
            return self.dense(x) if training else self.dense(x) * 2

    model = Own()
    found = [model.built, len(model.weights)]
    model(X)
    found += [model.built, [list(w.shape) for w in model.weights]]
    fill(model)
    return [*found, model(X[:2], training=True), model(X[:2]), model.predict(X[:2], verbose=0)]


@case
def stateless_calls(keras, folder):
    model = fill(keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(), keras.layers.Dense(1)]))
    trainable = [np.asarray(v) for v in model.trainable_variables]
    fixed = [np.abs(np.asarray(v)) for v in model.non_trainable_variables]
    before = model.get_weights()
    outputs, changed = model.stateless_call([t * 2 for t in trainable], fixed, X)
    trained, trained_fixed = model.stateless_call(trainable, fixed, X, training=True)
    same = all((a == b).all() for a, b in zip(before, model.get_weights()))
    with_losses = model.stateless_call(trainable, fixed, X, return_losses=True)
    return [outputs, list(changed), trained, list(trained_fixed), same, len(with_losses)]


@case
def state_trees(keras, folder):
    model = _sequential(keras)
    model.compile(keras.optimizers.Adam(0.1), "mse", metrics=["mae"])
    model.fit(X, Y, verbose=0)
    state = model.get_state_tree()

    def names(tree):
        return {key: names(value) if isinstance(value, dict) else list(value.shape) for key, value in tree.items()}

    other = _sequential(keras)
    other.compile(keras.optimizers.Adam(0.1), "mse", metrics=["mae"])
    other.fit(X, Y, verbose=0)
    other.set_state_tree(state)
    same = all((a == b).all() for a, b in zip(model.get_weights(), other.get_weights()))
    return [sorted(state), names(state["trainable_variables"]), sorted(names(state["optimizer_variables"])), same]
