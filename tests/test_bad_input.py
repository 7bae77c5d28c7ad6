"""Wrong arguments get a Python exception that names them; nothing crashes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pronghorn as ph
from pronghorn import layers, ops

FUZZ = Path(__file__).with_name("fuzz_ops.py")


@pytest.mark.parametrize("seed", range(4))
def test_random_calls_of_native_ops_do_not_crash(seed):
    run = subprocess.run([sys.executable, str(FUZZ), str(seed), "1500"], capture_output=True, text=True, check=False)
    last = run.stderr.strip().splitlines()[-3:]
    assert run.returncode == 0, f"died with {run.returncode} in {last}"
    assert int(run.stdout) > 100  # enough of the calls made sense


X = np.ones((2, 3), "float32")

CASES = [
    ("reshape", lambda: ops.reshape(X, (4, 2)), r"reshape: x \(2, 3\) of 6 elements does not fit the shape \(4, 2\)"),
    ("reshape, two unknown", lambda: ops.reshape(X, (-1, -1)), r"one -1 only"),
    ("transpose", lambda: ops.transpose(X, (0, 0)), r"axis 0 is named twice"),
    ("matmul", lambda: ops.matmul(X, X), r"matmul: .*\(2, 3\).*3 columns meet 2 rows"),
    ("matmul of numbers", lambda: ops.matmul(1.0, 2.0), r"rank 1 or more"),
    ("concatenate", lambda: ops.concatenate([X, X.T], axis=0), r"shapes \(2, 3\) and \(3, 2\) differ"),
    ("concatenate nothing", lambda: ops.concatenate([]), r"`inputs` is empty|empty"),
    ("axis", lambda: ops.sum(X, axis=2), r"axis 2 is out of range for a tensor of rank 2"),
    ("axis twice", lambda: ops.sum(X, axis=(0, 0)), r"axis 0 is named twice"),
    ("max of nothing", lambda: ops.max(np.zeros((0, 3))), r"nothing to take it of"),
    ("take", lambda: ops.take(X, [5], axis=0), r"index 5 is outside \[-2, 2\)"),
    ("index", lambda: ops.convert_to_tensor(X)[7], r"index 7 is out of range for axis 0 of size 2"),
    ("indices", lambda: ops.convert_to_tensor(X)[0, 0, 0], r"too many indices"),
    ("top_k", lambda: ops.top_k(X, 4), r"k must be in \[0, 3\].*got 4"),
    ("split", lambda: ops.split(X, 2, axis=1), r"does not divide into 2"),
    ("one_hot", lambda: ops.one_hot([1], -1), r"num_classes must not be negative, got -1"),
    ("arange", lambda: ops.arange(0, 1, 0), r"step must not be zero"),
    ("linspace", lambda: ops.linspace(0, 1, -1), r"num must not be negative, got -1"),
    ("zeros", lambda: ops.zeros((-2,)), r"negative"),
    ("huge", lambda: ops.zeros((2**31, 2**31, 2**10)), r"too large|out of memory"),
    ("dtype", lambda: ops.zeros((2,), "float33"), r"float33"),
    ("conv", lambda: ops.conv(np.ones((1, 5, 5, 3)), np.ones((3, 3, 2, 4))), r"3 channels of inputs are no multiple"),
    ("conv padding", lambda: ops.conv(np.ones((1, 5, 5, 3)), np.ones((3, 3, 3, 4)), padding="full"), r"'full'"),
    ("einsum", lambda: ops.einsum("ij,jk->ik", X, X), r"letter 'j' has sizes|do not fit|sizes"),
    ("pad mode", lambda: ops.pad(X, 1, mode="wrap2"), r"mode must be"),
    ("Dense units", lambda: layers.Dense(-1), r"units"),
    ("Dense units text", lambda: layers.Dense("many"), r"units"),
    ("Dense activation", lambda: layers.Dense(2, activation="rellu"), r"unknown activation 'rellu'"),
    ("Dense initializer", lambda: layers.Dense(2, kernel_initializer="he"), r"unknown initializer 'he'"),
    ("Conv2D filters", lambda: layers.Conv2D(0, 3), r"filters"),
    ("Conv2D input", lambda: layers.Conv2D(2, 3)(np.ones((2, 5, 5))), r"ndim"),
    ("Dropout rate", lambda: layers.Dropout(1.5), r"rate"),
    ("Embedding index", lambda: layers.Embedding(4, 2)(np.array([[4]])), r"index 4 is outside"),
    ("Reshape", lambda: layers.Reshape((4,))(X), r"\(4,\)"),
    ("Concatenate", lambda: layers.Concatenate(axis=0)([np.ones((2, 3)), np.ones((2, 4))]), r"shape"),
    ("unknown argument", lambda: layers.Dense(2, colour="red"), r"colour"),
    ("not compiled", lambda: ph.Sequential([layers.Dense(1)]).fit(X, X), r"compile"),
    ("no layers", lambda: ph.Sequential([3]), r"layer|Layer"),
    ("initializer", lambda: ph.initializers.VarianceScaling(scale=-1.0), r"scale must be positive, got -1.0"),
    ("initializer seed", lambda: ph.initializers.HeNormal(seed="x"), r"seed must be"),
    ("orthogonal", lambda: ph.initializers.Orthogonal()((3,)), r"two or more dimensions"),
]


@pytest.mark.parametrize(("use", "message"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_message_says_what_is_wrong(use, message):
    with pytest.raises((ValueError, TypeError, IndexError), match=message):
        use()


def _model(**settings):
    model = ph.Sequential([ph.Input((3,)), layers.Dense(2, activation="softmax", name="out")])
    model.compile(**{"optimizer": "sgd", "loss": "sparse_categorical_crossentropy", **settings})
    return model


def _fit(x=X, y=None, settings=None, **given):
    return _model(**(settings or {})).fit(x, np.zeros(2, "int32") if y is None else y, verbose=0, **given)


BUILDING = [
    ("a vector for Dense", lambda: layers.Dense(2)(np.ones(3, "float32")), r"expected min_ndim=2, found ndim=1"),
    ("a list for a layer", lambda: layers.Dense(2)([[1.0, 2.0]]), r"only tensors may be passed to layer 'dense"),
    ("no channels", lambda: layers.Conv2D(2, 3)(np.ones((28, 28))), r"'conv2d\w*'.*expected ndim=4, found ndim=2"),
    ("kernel larger than image", lambda: layers.Conv2D(2, 5)(np.ones((1, 3, 3, 1))), r"conv2d: kernel.*larger than x"),
    (
        "window larger than image",
        lambda: layers.MaxPooling2D(5)(np.ones((1, 3, 3, 1))),
        r"pool_size \(5, 5\) is larger",
    ),
    ("kernel_size", lambda: layers.Conv2D(2, (3, 3, 3)), r"kernel_size must be a positive integer or 2 of them"),
    ("padding", lambda: layers.Conv2D(2, 3, padding="full"), r"padding must be one of .*got 'full'"),
    ("strides and dilation", lambda: layers.Conv2D(2, 3, strides=2, dilation_rate=2), r"must not both exceed 1"),
    ("groups", lambda: layers.Conv2D(3, 3, groups=2), r"divisible by groups, got filters=3, groups=2"),
    ("data_format", lambda: layers.Conv2D(2, 3, data_format="NHWC"), r"data_format must be one of .*'NHWC'"),
    ("axis", lambda: layers.BatchNormalization(axis=5)(X), r"axis 5 is out of range"),
    ("rate", lambda: layers.Dropout("half"), r"Dropout: rate must be a number between 0 and 1, got 'half'"),
    ("Add", lambda: layers.Add()([X, np.ones((2, 4))]), r"Add: shapes \[\(2, 3\), \(2, 4\)\]"),
    ("one tensor to join", lambda: layers.Concatenate()(X), r"Concatenate must be called on a list"),
    ("regularizer", lambda: layers.Dense(2, kernel_regularizer="l3"), r"unknown regularizer 'l3'"),
    ("constraint", lambda: layers.Dense(2, kernel_constraint="nonneg"), r"'nonneg'; did you mean .*'non_neg'"),
    ("layer dtype", lambda: layers.Dense(2, dtype="float33"), r"float33"),
    ("Input without shape", lambda: ph.Input(), r"needs either shape or batch_shape"),
    ("Input of text", lambda: ph.Input("3"), r"shape must be a tuple of integers and None, got '3'"),
    ("negative Input", lambda: ph.Input((-1,)), r"shape must not be negative, got -1"),
    ("arrays for Model", lambda: ph.Model(X, X), r"inputs must be symbolic tensors, as from Input\(\)"),
    ("unconnected", lambda: ph.Model(ph.Input((3,)), layers.Dense(1)(ph.Input((3,)))), r"graph disconnected"),
    ("same name", lambda: ph.Sequential([layers.Dense(1, name="a"), layers.Dense(1, name="a")]), r"named 'a'"),
    ("shape of weights", lambda: _model().set_weights([np.ones((2, 2))] * 2), r"'.*/kernel' has shape \(3, 2\)"),
    ("number of weights", lambda: _model().set_weights([]), r"has 2 weights, got 0 arrays"),
    ("get_layer", lambda: _model().get_layer("nope"), r"no layer is named 'nope'; there are \['out'\]"),
    ("weights' file name", lambda: _model().save_weights("w.h5"), r"must end in '.weights.h5', got 'w.h5'"),
    ("not built", lambda: ph.Sequential([layers.Dense(1)]).count_params(), r"'sequential\w*' is not built"),
]

TRAINING = [
    ("optimizer", lambda: _model(optimizer="adm"), r"unknown optimizer 'adm'; did you mean 'adam'"),
    ("no optimizer", lambda: _fit(settings={"optimizer": None}), r"there is no optimizer; give `optimizer` to compile"),
    ("loss", lambda: _fit(settings={"loss": "mean_sqared_error"}), r"unknown loss 'mean_sqared_error'; did you mean"),
    ("no loss", lambda: _fit(settings={"loss": None}), r"there is no loss to compute: give `loss` to compile"),
    ("two losses", lambda: _fit(settings={"loss": ["mse", "mse"]}), r"one entry per output"),
    ("metric", lambda: _fit(settings={"metrics": ["acuracy"]}), r"unknown metric 'acuracy'; did you mean"),
    ("labels for one-hot", lambda: _fit(settings={"loss": "categorical_crossentropy"}), r"got \(2,\) and \(2, 2\)"),
    (
        "target",
        lambda: _fit(y=np.ones((2, 5)), settings={"loss": "mse"}),
        r"y_true of shape \(2, 5\) does not fit y_pred",
    ),
    ("epochs", lambda: _fit(epochs=1.5), r"epochs must be an integer, got 1.5"),
    ("batch_size", lambda: _fit(batch_size=0), r"batch_size must be a positive integer, got 0"),
    ("steps_per_epoch", lambda: _fit(steps_per_epoch=2 / 32), r"steps_per_epoch must be an integer, got 0.0625"),
    ("verbose", lambda: _model().predict(X, verbose="loud"), r"verbose must be 'auto', 0, 1 or 2, got 'loud'"),
    ("validation_split", lambda: _fit(validation_split="10%"), r"validation_split must be a number, got '10%'"),
    ("validation_data", lambda: _fit(validation_data=(X,) * 4), r"got a tuple of 4"),
    ("validation_freq", lambda: _fit(validation_data=(X, [0, 1]), validation_freq=0), r"validation_freq must be"),
    ("class_weight", lambda: _fit(class_weight=[1.0, 2.0]), r"class_weight must be a dict of class to weight"),
    ("weight of a class", lambda: _fit(class_weight={0: "much"}), r"class_weight\[0\] must be a number, got 'much'"),
    ("number of weights", lambda: _fit(sample_weight=np.ones(3)), r"sample_weight: 3"),
    ("callbacks", lambda: _fit(callbacks=["early"]), r"callbacks: expected Callback instances, got 'early'"),
    ("a number for x", lambda: _fit(x=3.0), r"x must be arrays.*got 3.0"),
    ("ragged x", lambda: _fit(x=[[1, 2, 3], [1, 2]]), r"x: cannot make one array"),
    ("no batch", lambda: _model().fit(iter(()), verbose=0), r"x: the generator or data set gave no batch"),
    (
        "y beside batches",
        lambda: _model().fit(iter([(X, X)]), X, verbose=0),
        r"y must be None when x is a list_iterator",
    ),
    ("width in predict", lambda: _model().predict(np.ones((2, 5)), verbose=0), r"value 3, but received shape \(2, 5\)"),
    ("one batch", lambda: _model().train_on_batch(X, [0]), r"x: 2; y: 1"),
    ("monitor", lambda: ph.callbacks.EarlyStopping(3), r"EarlyStopping: monitor must be the name of a metric, got 3"),
    ("patience", lambda: ph.callbacks.EarlyStopping(patience="long"), r"EarlyStopping: patience must be a number"),
    ("factor", lambda: ph.callbacks.ReduceLROnPlateau(factor=2.0), r"factor must be below 1, got 2.0"),
    ("filepath", lambda: ph.callbacks.ModelCheckpoint(None), r"ModelCheckpoint: filepath must be a path, got None"),
    ("schedule", lambda: ph.callbacks.LearningRateScheduler(0.1), r"schedule must be callable, got 0.1"),
    ("hook", lambda: ph.callbacks.LambdaCallback(on_epoch_end=3), r"on_epoch_end must be a function, got 3"),
    ("unknown hook", lambda: ph.callbacks.LambdaCallback(on_epoch_stop=print), r"'on_epoch_stop' is no hook"),
    ("learning rate", lambda: ph.optimizers.SGD(float("nan")), r"learning_rate must not be NaN"),
    ("old name", lambda: ph.optimizers.Adam(lr=0.1), r"Adam: unknown argument 'lr'"),
    ("beta", lambda: ph.optimizers.Adam(beta_1="x"), r"Adam: beta_1 must be a number, got 'x'"),
    ("gradients", lambda: ph.optimizers.SGD().apply([1.0, 2.0], [ph.Variable(1.0)]), r"2 grads came for 1"),
    (
        "gradient's shape",
        lambda: ph.optimizers.SGD().apply([X], [ph.Variable(X[0])]),
        r"sgd_step: .*got float32\(2, 3\)",
    ),
    ("pairs", lambda: ph.optimizers.SGD().apply_gradients([1.0]), r"must be \(gradient, variable\) pairs, got \[1.0\]"),
    ("decay_steps", lambda: ph.optimizers.schedules.CosineDecay(0.1, -5), r"decay_steps must be positive, got -5"),
    ("weights of a metric", lambda: ph.metrics.Mean().update_state(X, np.ones(5)), r"sample_weight of shape \(5, 1\)"),
    ("weights of a loss", lambda: ph.losses.MeanSquaredError()(X, X, np.ones(5)), r"sample_weight of shape \(5,\)"),
    ("value of a variable", lambda: ph.Variable(X).assign(X.T), r"has shape \(2, 3\), the value has shape \(3, 2\)"),
]


@pytest.mark.parametrize(("use", "message"), [case[1:] for case in BUILDING], ids=[case[0] for case in BUILDING])
def test_building_a_model_wrongly_is_explained(use, message):
    with pytest.raises((ValueError, TypeError, IndexError), match=message):
        use()


@pytest.mark.parametrize(("use", "message"), [case[1:] for case in TRAINING], ids=[case[0] for case in TRAINING])
def test_training_wrongly_is_explained(use, message):
    with pytest.raises((ValueError, TypeError, IndexError), match=message):
        use()


FITS = [
    ("lengths differ", X, np.zeros(3, "int32"), r"2.*3|3.*2"),
    ("wrong width", np.ones((2, 4), "float32"), np.zeros(2, "int32"), r"shape|incompatible"),
    ("empty", np.ones((0, 3), "float32"), np.zeros(0, "int32"), r"empty|no samples|0"),
    ("label out of range", X, np.array([0, 7], "int32"), r"7"),
    ("text", np.array([["a", "b", "c"]] * 2), np.zeros(2, "int32"), r"dtype|<U1|str"),
]


@pytest.mark.parametrize(("x", "y", "message"), [fit[1:] for fit in FITS], ids=[fit[0] for fit in FITS])
def test_fit_refuses_data_that_does_not_fit(x, y, message):
    with pytest.raises((ValueError, TypeError, IndexError), match=message):
        _model().fit(x, y, verbose=0)
