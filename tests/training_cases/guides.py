"""The well-known programs of the Keras guides, with random data."""

from __future__ import annotations

import numpy as np

from training_cases import case, fill, outcome


def _images(rows, size, channels, seed=0):
    return np.random.default_rng(seed).uniform(size=(rows, size, size, channels)).astype("float32")


@case
def small_resnet(keras, folder):
    layers = keras.layers
    inputs = keras.Input(shape=(16, 16, 3), name="img")
    x = layers.Conv2D(8, 3, activation="relu")(inputs)
    x = layers.Conv2D(8, 3, activation="relu")(x)
    block_1_output = layers.MaxPooling2D(3)(x)
    x = layers.Conv2D(8, 3, activation="relu", padding="same")(block_1_output)
    x = layers.Conv2D(8, 3, activation="relu", padding="same")(x)
    block_2_output = layers.add([x, block_1_output])
    x = layers.Conv2D(8, 3, activation="relu")(block_2_output)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(16, activation="relu")(x)
    x = layers.Dropout(0.0)(x)
    model = fill(keras.Model(inputs, layers.Dense(10)(x), name="toy_resnet"))
    model.compile(
        optimizer=keras.optimizers.RMSprop(1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["acc"],
    )
    y = np.arange(12) % 10
    fitted = model.fit(_images(12, 16, 3), y, batch_size=5, epochs=1, validation_split=0.2, shuffle=False, verbose=0)
    return [fitted.history, model.count_params()]


@case
def ticket_model(keras, folder):
    layers = keras.layers
    title_input = keras.Input(shape=(None,), name="title")
    body_input = keras.Input(shape=(None,), name="body")
    tags_input = keras.Input(shape=(4,), name="tags")
    title_features = layers.GlobalAveragePooling1D()(layers.Embedding(50, 8)(title_input))
    body_features = layers.GlobalAveragePooling1D()(layers.Embedding(50, 8)(body_input))
    x = layers.concatenate([title_features, body_features, tags_input])
    priority_pred = layers.Dense(1, name="priority")(x)
    department_pred = layers.Dense(4, name="department")(x)
    model = keras.Model(
        inputs=[title_input, body_input, tags_input],
        outputs={"priority": priority_pred, "department": department_pred},
    )
    fill(model).compile(
        optimizer=keras.optimizers.RMSprop(1e-3),
        loss={
            "priority": keras.losses.BinaryCrossentropy(from_logits=True),
            "department": keras.losses.CategoricalCrossentropy(from_logits=True),
        },
        loss_weights={"priority": 1.0, "department": 0.2},
    )
    rng = np.random.default_rng(0)
    data = {"title": rng.integers(50, size=(12, 10)), "body": rng.integers(50, size=(12, 20)),
            "tags": rng.integers(2, size=(12, 4)).astype("float32")}  # fmt: skip
    targets = {"priority": rng.random(size=(12, 1)), "department": np.eye(4)[rng.integers(4, size=12)]}
    history = model.fit(data, targets, epochs=2, batch_size=5, shuffle=False, verbose=0).history
    return [history, model.predict(data, verbose=0)]


@case
def autoencoder(keras, folder):
    layers = keras.layers
    encoder_input = keras.Input(shape=(12, 12, 1), name="img")
    x = layers.Conv2D(4, 3, activation="relu")(encoder_input)
    x = layers.Conv2D(4, 3, activation="relu")(x)
    x = layers.MaxPooling2D(2)(x)
    encoder_output = layers.GlobalMaxPooling2D()(x)
    encoder = keras.Model(encoder_input, encoder_output, name="encoder")
    decoder_input = keras.Input(shape=(4,), name="encoded_img")
    x = layers.Reshape((2, 2, 1))(decoder_input)
    x = layers.Conv2DTranspose(4, 3, activation="relu")(x)
    x = layers.UpSampling2D(3)(x)
    decoder_output = layers.Conv2DTranspose(1, 1, activation="sigmoid")(x)
    decoder = keras.Model(decoder_input, decoder_output, name="decoder")
    autoencoder_input = keras.Input(shape=(12, 12, 1), name="img")
    decoded = decoder(encoder(autoencoder_input))
    model = fill(keras.Model(autoencoder_input, decoded, name="autoencoder"))
    model.compile("adam", "binary_crossentropy")
    images = _images(8, 12, 1)
    history = model.fit(images, images, epochs=2, batch_size=4, shuffle=False, verbose=0).history
    return [history, len(model.layers), model.output_shape]


@case
def ensemble_and_shared_layers(keras, folder):
    def get_model():
        inputs = keras.Input(shape=(6,))
        return keras.Model(inputs, keras.layers.Dense(1)(inputs))

    models = [get_model(), get_model(), get_model()]
    inputs = keras.Input(shape=(6,))
    model = fill(keras.Model(inputs, keras.layers.average([m(inputs) for m in models])))
    x = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    shared = keras.layers.Embedding(20, 4)
    first, second = keras.Input((3,), dtype="int32"), keras.Input((3,), dtype="int32")
    twice = fill(keras.Model([first, second], [shared(first), shared(second)]))
    words = np.arange(6).reshape(2, 3)
    return [model.predict(x, verbose=0), twice.predict([words, words + 1], verbose=0), len(twice.weights)]


@case
def training_with_built_in_methods(keras, folder):
    layers = keras.layers
    inputs = keras.Input(shape=(20,), name="digits")
    x = layers.Dense(8, activation="relu", name="dense_1")(inputs)
    x = layers.Dense(8, activation="relu", name="dense_2")(x)
    outputs = layers.Dense(10, activation="softmax", name="predictions")(x)

    class CategoricalTruePositives(keras.metrics.Metric):
        def __init__(self, name="categorical_true_positives", **kwargs):
            super().__init__(name=name, **kwargs)
            self.true_positives = self.add_variable(shape=(), name="ctp", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            y_pred = keras.ops.reshape(keras.ops.argmax(y_pred, axis=1), (-1, 1))
            values = keras.ops.cast(y_true, "int32") == keras.ops.cast(y_pred, "int32")
            values = keras.ops.cast(values, "float32")
            if sample_weight is not None:
                sample_weight = keras.ops.cast(sample_weight, "float32")
                values = keras.ops.multiply(values, sample_weight)
            self.true_positives.assign_add(keras.ops.sum(values))

        def result(self):
            return self.true_positives + 0.0

        def reset_state(self):
            self.true_positives.assign(0)

    class LogisticEndpoint(keras.layers.Layer):
        def __init__(self, name=None):
            super().__init__(name=name)
            self.loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)

        def call(self, targets, logits, sample_weights=None):
            self.add_loss(self.loss_fn(targets, logits, sample_weights))
            return keras.ops.softmax(logits)

    rng = np.random.default_rng(0)
    x_train, y_train = rng.random((30, 20)).astype("float32"), rng.integers(10, size=(30, 1)).astype("float32")
    model = fill(keras.Model(inputs=inputs, outputs=outputs))
    model.compile(
        optimizer=keras.optimizers.RMSprop(learning_rate=1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(),
        metrics=[CategoricalTruePositives(), keras.metrics.SparseCategoricalAccuracy()],
    )
    history = model.fit(x_train, y_train, batch_size=8, epochs=2, shuffle=False, verbose=0, validation_split=0.2)
    found = [history.history, model.evaluate(x_train, y_train, batch_size=16, verbose=0)]
    weights = np.ones(30, "float32")
    weights[y_train[:, 0] == 5] = 2.0
    again = model.fit(x_train, y_train, sample_weight=weights, batch_size=8, epochs=1, shuffle=False, verbose=0)
    found.append(again.history)

    logit_inputs, target_inputs = keras.Input(shape=(3,), name="inputs"), keras.Input(shape=(10,), name="targets")
    logits = keras.layers.Dense(10)(logit_inputs)
    predictions = LogisticEndpoint(name="predictions")(target_inputs, logits)
    endpoint = fill(keras.Model(inputs=[logit_inputs, target_inputs], outputs=predictions))
    endpoint.compile(optimizer="adam")
    pair = {"inputs": rng.random((3, 3)), "targets": rng.random((3, 10))}
    found.append(outcome(lambda: endpoint.fit(pair, verbose=0).history))
    return found


@case
def image_and_time_series_model(keras, folder):
    """The losses are a dict: with a list of them, Keras hands a dict of loss_weights out in alphabetical order."""
    layers = keras.layers
    image_input = keras.Input(shape=(12, 12, 3), name="img_input")
    timeseries_input = keras.Input(shape=(None, 5), name="ts_input")
    x1 = layers.GlobalMaxPooling2D()(layers.Conv2D(3, 3)(image_input))
    x2 = layers.GlobalMaxPooling1D()(layers.Conv1D(3, 3)(timeseries_input))
    x = layers.concatenate([x1, x2])
    score_output = layers.Dense(1, name="score_output")(x)
    class_output = layers.Dense(5, activation="softmax", name="class_output")(x)
    model = keras.Model(inputs=[image_input, timeseries_input], outputs=[score_output, class_output])
    fill(model).compile(
        optimizer=keras.optimizers.RMSprop(1e-3),
        loss={
            "score_output": keras.losses.MeanSquaredError(),
            "class_output": keras.losses.CategoricalCrossentropy(),
        },
        metrics=[
            [keras.metrics.MeanAbsolutePercentageError(), keras.metrics.MeanAbsoluteError()],
            [keras.metrics.CategoricalAccuracy()],
        ],
        loss_weights={"score_output": 2.0, "class_output": 1.0},
    )
    rng = np.random.default_rng(0)
    images, series = rng.random((10, 12, 12, 3)), rng.random((10, 9, 5))
    score, classes = rng.random((10, 1)), np.eye(5)[rng.integers(5, size=10)]
    fixed = {"batch_size": 4, "epochs": 1, "shuffle": False, "verbose": 0}
    found = [outcome(lambda: model.fit([images, series], [score, classes], **fixed).history)]
    named = {"img_input": images, "ts_input": series}, {"score_output": score, "class_output": classes}
    return [*found, outcome(lambda: model.fit(*named, **fixed).history)]


@case
def linear_and_mlp_blocks(keras, folder):
    class Linear(keras.layers.Layer):
        def __init__(self, units=4):
            super().__init__()
            self.units = units

        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="random_normal", trainable=True)
            self.b = self.add_weight(shape=(self.units,), initializer="random_normal", trainable=True)

        def call(self, inputs):
            return keras.ops.matmul(inputs, self.w) + self.b

    class ActivityRegularization(keras.layers.Layer):
        def __init__(self, rate=1e-2):
            super().__init__()
            self.rate = rate

        def call(self, inputs):
            self.add_loss(self.rate * keras.ops.sum(inputs))
            return inputs

    class Block(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.linear_1, self.linear_2 = Linear(6), Linear(1)
            self.regular = ActivityRegularization()

        def call(self, inputs):
            return self.linear_2(self.regular(keras.ops.relu(self.linear_1(inputs))))

    class ComputeSum(keras.layers.Layer):
        def __init__(self, input_dim):
            super().__init__()
            self.total = self.add_weight(initializer="zeros", shape=(input_dim,), trainable=False)

        def call(self, inputs):
            self.total.assign_add(keras.ops.sum(inputs, axis=0))
            return self.total

    block = Block()
    x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    block(x)
    fill(block)
    y = block(x)
    found = [y, len(block.weights), block.losses]
    model = keras.Sequential([keras.Input((3,)), block])
    model.compile("adam", "mse")
    found.append(model.fit(x, x[:, :1], batch_size=4, epochs=2, shuffle=False, verbose=0).history)
    total = ComputeSum(2)
    total(np.ones((2, 2), "float32"))
    return [*found, total(np.ones((2, 2), "float32")), len(total.non_trainable_weights), len(total.trainable_weights)]
