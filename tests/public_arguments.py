"""Arguments that fit, by argument name for a family of functions and by function where that does not do."""

from __future__ import annotations

from typing import Any

import numpy as np

import pronghorn as ph
from pronghorn import layers
from public_methods import WEIGHTS, shared_model


def array(*shape: int, dtype: str = "float32") -> np.ndarray:
    """Numbers in (0, 1), the same for the same shape."""
    values = (np.arange(np.prod(shape, dtype=int)) * 7 % 11 + 0.5) / 12
    return values.reshape(shape).astype(dtype)


def whole(*shape: int, below: int = 3, dtype: str = "int32") -> np.ndarray:
    """Whole numbers in [0, below)."""
    return (np.arange(np.prod(shape, dtype=int)) % below).reshape(shape).astype(dtype)


A = array(4, 4)
IMAGES = array(2, 6, 6, 4)
SERIES = array(2, 6, 4)
INTS = whole(4, 4)
VECTOR = array(5)
ONE_HOT = np.eye(3, dtype="float32")[[0, 1, 2, 1]]
PROBABILITIES = np.array([[0.2, 0.5, 0.3]] * 4, "float32")
CLASSES = whole(4)
_INPUT = ph.Input((3,))
_MODEL = ph.Sequential([ph.Input((3,)), layers.Dense(2)])


# --- functions: values of arguments by name, then by function

TENSORS = {
    **dict.fromkeys(("x", "x1", "x2", "y", "a", "array", "data", "tensor", "value", "input", "params", "logits"), A),
    **dict.fromkeys(("input_tensor", "variable"), A),
    "indices": whole(3),
    "inputs": A,
    "images": IMAGES,
    "axis": -1,
    "xs": [A, A],
    "values": [A, A],
    "shape": (4, 4),
    "dtype": "float32",
    "k": 1,
    "n": 2,
    "N": 3,
    "y_true": ONE_HOT,
    "y_pred": PROBABILITIES,
    "target": ONE_HOT,
    "output": PROBABILITIES,
    "seed": 1,
}
_WINDOW = {"inputs": IMAGES, "pool_size": 2}
_BITS = {"x": INTS, "y": INTS}
_SEGMENTS = {"data": A, "segment_ids": whole(4), "num_segments": 3}
_SPARSE = {"y_true": CLASSES, "target": CLASSES}
_SPLIT = {"indices_or_sections": 2}

SETTINGS: dict[str, dict[str, Any]] = {
    "ops.append": {"axis": 0},
    "ops.arange": {"start": 0, "stop": 5, "step": 2},
    "ops.argpartition": {"kth": 1},
    "ops.array_split": {**_SPLIT, "axis": 0},
    "ops.average_pool": _WINDOW,
    "ops.max_pool": _WINDOW,
    "ops.bartlett": {"x": 5},
    "ops.blackman": {"x": 5},
    "ops.hamming": {"x": 5},
    "ops.hanning": {"x": 5},
    "ops.kaiser": {"x": 5, "beta": 3.0},
    "ops.batch_normalization": {"mean": array(4), "variance": array(4), "offset": array(4), "scale": array(4)},
    "ops.batch_normalization_train": {"offset": array(4), "scale": array(4)},
    "ops.bincount": {"x": whole(6)},
    **{f"ops.bitwise_{name}": _BITS for name in ("and", "or", "xor", "left_shift", "right_shift", "invert")},
    "ops.broadcast_to": {"shape": (2, 4, 4)},
    "ops.cond": {"pred": True, "true_fn": lambda: 1, "false_fn": lambda: 2},
    "ops.conv": {"inputs": IMAGES, "kernel": array(3, 3, 4, 2)},
    "ops.conv_transpose": {"inputs": IMAGES, "kernel": array(3, 3, 2, 4)},
    "ops.depthwise_conv": {"inputs": IMAGES, "kernel": array(3, 3, 4, 1)},
    "ops.separable_conv": {
        "inputs": IMAGES,
        "depthwise_kernel": array(3, 3, 4, 1),
        "pointwise_kernel": array(1, 1, 4, 2),
    },
    "ops.cross": {"x1": array(4, 3), "x2": array(4, 3)},
    "ops.cumsum": {"axis": 0},
    "ops.depth_to_space": {"x": IMAGES, "block_size": 2},
    "ops.space_to_depth": {"x": IMAGES, "block_size": 2},
    "ops.digitize": {"bins": VECTOR.cumsum()},
    "ops.dot_product_attention": dict.fromkeys(("query", "key", "value"), array(2, 3, 2, 4)),
    "ops.dsplit": {"x": array(2, 2, 4), **_SPLIT},
    "ops.hsplit": _SPLIT,
    "ops.vsplit": _SPLIT,
    "ops.split": _SPLIT,
    "ops.dtype": {},
    "ops.einsum": {"subscripts": "ij,jk->ik", "*operands": (A, A)},
    "ops.fori_loop": {"lower": 0, "upper": 3, "body_fun": lambda i, value: value, "init_val": A},
    "ops.full": {"fill_value": 1.0},
    "ops.full_like": {"fill_value": 1.0},
    "ops.geomspace": {"start": 1.0, "stop": 8.0, "num": 4, "axis": 0},
    "ops.linspace": {"start": 1.0, "stop": 8.0, "num": 4, "axis": 0},
    "ops.logspace": {"start": 1.0, "stop": 3.0, "num": 4, "axis": 0},
    "ops.get_item": {"key": 1},
    "ops.in_top_k": {"targets": CLASSES, "predictions": PROBABILITIES},
    "ops.map": {"f": lambda x: x, "xs": A},
    "ops.meshgrid": {"*x": (VECTOR, VECTOR)},
    "ops.moments": {"axes": 0},
    "ops.moveaxis": {"source": 0, "destination": 1},
    "ops.multi_hot": {"inputs": whole(2, 3), "num_classes": 3},
    "ops.one_hot": {"x": CLASSES, "num_classes": 3},
    "ops.norm": {"axis": None},
    "ops.pad": {"pad_width": 1},
    "ops.percentile": {"q": 50.0},
    "ops.quantile": {"q": 0.5},
    "ops.repeat": {"repeats": 2, "axis": 0},
    "ops.reshape": {"newshape": (2, 8)},
    "ops.result_type": {"*dtypes": ("float32", "int32")},
    "ops.roll": {"shift": 1},
    "ops.scan": {"f": lambda carry, x: (carry, x), "init": 0, "xs": A},
    "ops.scatter_update": {"inputs": array(5), "indices": np.array([[1], [2]]), "updates": array(2)},
    "ops.searchsorted": {"sorted_sequence": np.sort(VECTOR), "values": VECTOR},
    **dict.fromkeys(("ops.segment_max", "ops.segment_min", "ops.segment_prod", "ops.segment_sum"), _SEGMENTS),
    "ops.select": {"condlist": [A > 0.5, A > 0.2], "choicelist": [A, A]},
    "ops.slice": {"start_indices": (1, 1), "shape": (2, 2)},
    "ops.slice_update": {"start_indices": (1, 1), "updates": array(2, 2)},
    "ops.sparse_categorical_crossentropy": _SPARSE,
    "ops.squeeze": {"x": array(4, 1)},
    "ops.swapaxes": {"axis1": 0, "axis2": 1},
    "ops.where": {"condition": A > 0.5, "x1": A, "x2": A},
    "ops.switch": {"index": 0, "branches": [lambda x: x, lambda x: x], "*operands": (A,)},
    "ops.take": {"axis": 0},
    "ops.take_along_axis": {"indices": whole(4, 4)},
    "ops.threshold": {"threshold": 0.5, "default_value": 0.0},
    "ops.tile": {"repeats": (2, 1)},
    "ops.unravel_index": {"shape": (2, 3)},
    "ops.vdot": {"x1": VECTOR, "x2": VECTOR},
    "ops.vander": {"x": VECTOR},
    "ops.vectorized_map": {"function": lambda x: x, "elements": A},
    "ops.vstack": {},
    "ops.while_loop": {
        "cond": lambda i: i < 3,
        "body": lambda i: i + 1,
        "loop_vars": (0,),
        "maximum_iterations": 5,
    },
    "ops.image.crop_images": dict.fromkeys(("top_cropping", "left_cropping", "bottom_cropping", "right_cropping"), 1),
    "ops.image.pad_images": dict.fromkeys(("top_padding", "left_padding", "bottom_padding", "right_padding"), 1),
    "ops.image.extract_patches": {"size": (2, 2)},
    "ops.image.resize": {"size": (3, 3)},
    "ops.image.rgb_to_grayscale": {"images": array(2, 4, 4, 3)},
    "ops.scatter": {"indices": np.array([[0], [2]]), "values": array(2), "shape": (4,)},
    "ops.unstack": {"axis": 0},
    "ops.clip": {"x_min": 0.2, "x_max": 0.5},
    "tf_names.fill": {"dims": (2, 2), "value": 1.0},
    "tf_names.matmul": {"a": A, "b": A},
    "tf_names.reshape": {"shape": (2, 8)},
    "tf_names.constant": {"value": [1.0, 2.0], "shape": None},
    "tf_names.range": {"start": 0, "limit": 5},
    "tf_names.squeeze": {"input": array(4, 1)},
    "tf_names.split": {"num_or_size_splits": 2},
    "tf_names.tile": {"multiples": (2, 1)},
    "tf_names.pad": {"paddings": ((1, 1), (1, 1))},
    "tf_names.gather": {"axis": 0},
    "tf_names.one_hot": {"depth": 3},
    "tf_names.unstack": {"num": None},
    **{
        f"losses.{name}": _SPARSE
        for name in (
            "sparse_categorical_crossentropy",
            "SparseCategoricalCrossentropy",
            "CategoricalGeneralizedCrossEntropy",
        )
    },
    **{f"losses.{name}": {**_SPARSE, "y_pred": array(4, 3)} for name in ("circle", "Circle")},
    "losses.categorical_generalized_cross_entropy": {**_SPARSE, "q": 0.5},
    "losses.LossFunctionWrapper": {"fn": ph.losses.mean_squared_error},
    "random.beta": {"alpha": 2.0, "beta": 2.0},
    "random.binomial": {"counts": 5.0, "probabilities": 0.5},
    "random.gamma": {"alpha": 2.0},
    "random.categorical": {"num_samples": 3, "dtype": "int32"},
    "random.randint": {"minval": 0, "maxval": 5, "dtype": "int32"},
    "random.dropout": {"rate": 0.5},
    "random.shuffle": {"axis": 0},
    "initializers.compute_fans": {},
    "tree.assert_same_structure": {"a": [1, (2, 3)], "b": [1, (2, 3)]},
    "tree.flatten": {"structure": [1, (2, 3)]},
    "tree.is_nested": {"structure": [1, (2, 3)]},
    "tree.map_structure": {"func": lambda x: x, "*structures": ([1, (2, 3)],)},
    "tree.map_structure_up_to": {
        "shallow_structure": [None, None],
        "func": lambda x: x,
        "*structures": ([1, (2, 3)],),
    },
    "tree.map_shape_structure": {"func": lambda shape: (*shape, 1), "structure": {"image": (None, 8, 8, 3)}},
    "tree.traverse": {"func": lambda part: None, "structure": [1, (2, 3)]},
    "tree.flatten_with_path": {"structure": [1, (2, 3)]},
    "tree.lists_to_tuples": {"structure": [1, (2, 3)]},
    "tree.assert_same_paths": {"a": [1, (2, 3)], "b": [1, (2, 3)]},
    "tree.pack_sequence_as": {"structure": [1, (2, 3)], "flat_sequence": [1, 2, 3]},
    "config.set_matmul_precision": {"precision": "high"},
    "config.set_num_threads": {"threads": 1},
    "config.set_epsilon": {"value": 1e-7},
    "config.set_floatx": {"value": "float32"},
    "config.set_image_data_format": {"data_format": "channels_last"},
    "config.set_dtype_policy": {"policy": "float32"},
    "config.DTypePolicy": {"name": "float32"},
    "config.standardize_data_format": {"data_format": "channels_last"},
    "utils.Progbar": {"target": 3, "verbose": 0},
    "utils.PyDataset": {},
    "utils.custom_object_scope": {"custom_objects": {"mine": len}},
    "utils.CustomObjectScope": {"custom_objects": {"mine": len}},
    "utils.deserialize_keras_object": {"config": ph.saving.serialize_keras_object(layers.Dense(2, name="d"))},
    "utils.get_registered_name": {"obj": layers.Dense},
    "utils.get_registered_object": {"name": "Custom>Mine"},
    "utils.normalize": {},
    "utils.pack_x_y_sample_weight": {},
    "utils.pad_sequences": {"sequences": [[1, 2], [3]], "dtype": "int32"},
    "utils.register_keras_serializable": {},
    "utils.serialize_keras_object": {"obj": layers.Dense(2, name="d")},
    "utils.set_random_seed": {},
    "utils.split_dataset": {"dataset": A, "left_size": 0.5},
    "utils.to_categorical": {"x": CLASSES, "num_classes": 3},
    "utils.unpack_x_y_sample_weight": {"data": (A, A)},
    **{
        f"{module}.get": {"identifier": name}
        for module, name in {
            "activations": "relu",
            "losses": "mse",
            "metrics": "mse",
            "initializers": "ones",
            "regularizers": "l2",
            "constraints": "max_norm",
            "optimizers": "sgd",
        }.items()
    },
    "activations.serialize": {"activation": ph.activations.relu},
    "losses.serialize": {"loss": ph.losses.MeanSquaredError()},
    "metrics.serialize": {"metric": ph.metrics.MeanSquaredError()},
    "initializers.serialize": {"initializer": ph.initializers.Ones()},
    "regularizers.serialize": {"regularizer": ph.regularizers.L2()},
    "constraints.serialize": {"constraint": ph.constraints.MaxNorm()},
    "optimizers.serialize": {"optimizer": ph.optimizers.SGD()},
    "optimizers.schedules.serialize": {"learning_rate_schedule": ph.optimizers.schedules.CosineDecay(0.1, 10)},
    "activations.deserialize": {"config": "relu"},
    "losses.deserialize": {"name": "mse"},
    "metrics.deserialize": {"config": "mse"},
    "initializers.deserialize": {"config": ph.initializers.serialize(ph.initializers.Ones())},
    "regularizers.deserialize": {"config": ph.regularizers.serialize(ph.regularizers.L2())},
    "constraints.deserialize": {"config": ph.constraints.serialize(ph.constraints.MaxNorm())},
    "optimizers.deserialize": {"config": ph.optimizers.serialize(ph.optimizers.SGD())},
    "optimizers.schedules.deserialize": {
        "config": ph.optimizers.schedules.serialize(ph.optimizers.schedules.CosineDecay(0.1, 10))
    },
    "saving.save_weights": {"model": _MODEL, "filepath": "functions.weights.h5"},
    "saving.load_weights": {"model": shared_model(), "filepath": WEIGHTS},
    "dtype_policies.get": {"identifier": "float32"},
    "dtype_policies.serialize": {"policy": ph.DTypePolicy("float32")},
    "dtype_policies.deserialize": {"config": ph.dtype_policies.serialize(ph.DTypePolicy("mixed_float16"))},
    "dtype_policies.DTypePolicy": {"name": "mixed_bfloat16"},
    "mixed_precision.DTypePolicy": {"name": "mixed_bfloat16"},
    "mixed_precision.Policy": {"name": "mixed_bfloat16"},
    "mixed_precision.set_dtype_policy": {"policy": "float32"},
    "mixed_precision.set_global_policy": {"policy": "float32"},
    # --- metrics
    "metrics.IoU": {"num_classes": 3, "target_class_ids": [0], "y_true": CLASSES, "y_pred": CLASSES},
    "metrics.MeanIoU": {"num_classes": 3, "y_true": CLASSES, "y_pred": CLASSES},
    "metrics.OneHotIoU": {"num_classes": 3, "target_class_ids": [0]},
    "metrics.OneHotMeanIoU": {"num_classes": 3},
    "metrics.BinaryIoU": {},
    "metrics.MeanMetricWrapper": {"fn": ph.losses.mean_squared_error},
    "metrics.PrecisionAtRecall": {"recall": 0.5},
    "metrics.RecallAtPrecision": {"precision": 0.5},
    "metrics.SensitivityAtSpecificity": {"specificity": 0.5},
    "metrics.SpecificityAtSensitivity": {"sensitivity": 0.5},
    "metrics.Mean": {"values": A},
    "metrics.Sum": {"values": A},
    "metrics.Accuracy": {"y_true": CLASSES, "y_pred": CLASSES},
    **{
        f"metrics.{name}": _SPARSE
        for name in (
            "SparseCategoricalAccuracy",
            "SparseCategoricalCrossentropy",
            "SparseTopKCategoricalAccuracy",
            "sparse_categorical_accuracy",
            "sparse_top_k_categorical_accuracy",
        )
    },
    # --- layers
    "layers.ActivityRegularization": {"without": ("activity_regularizer",)},
    "layers.Activation": {"activation": "relu"},
    "layers.Dense": {"units": 3},
    **{f"layers.{name}": {"units": 3, "inputs": SERIES} for name in ("SimpleRNN", "LSTM", "GRU")},
    **{f"layers.{name}Cell": {"units": 3, "states": [array(4, 3)]} for name in ("SimpleRNN", "GRU")},
    "layers.LSTMCell": {"units": 3, "states": [array(4, 3), array(4, 3)]},
    "layers.StackedRNNCells": {"cells": [layers.GRUCell(3), layers.GRUCell(2)], "states": [array(4, 3), array(4, 2)]},
    "layers.RNN": {"cell": layers.LSTMCell(3), "inputs": SERIES},
    "layers.Bidirectional": {"layer": layers.GRU(3), "inputs": SERIES},
    "layers.Dot": {"axes": 1, "inputs": [A, A]},
    "layers.dot": {"axes": 1, "inputs": [A, A]},
    "layers.Embedding": {"input_dim": 4, "output_dim": 2, "inputs": INTS},
    "layers.GroupNormalization": {"groups": 2},
    "layers.Lambda": {"function": lambda x: x},
    "layers.Permute": {"dims": (2, 1), "inputs": SERIES},
    "layers.RepeatVector": {"n": 2},
    "layers.Rescaling": {"scale": 0.5},
    "layers.Reshape": {"target_shape": (2, 2)},
    "layers.TimeDistributed": {"layer": layers.Identity(), "inputs": SERIES},
    "layers.Wrapper": {"layer": layers.Identity(), "inputs": None},
    "layers.Normalization": {"mean": 0.5, "variance": 1.0},
    "layers.Masking": {"inputs": SERIES},
    "layers.InputLayer": {"shape": (3,)},
    "layers.Input": {"shape": (3,)},
    "layers.InputSpec": {"shape": (None, 3)},
    **{f"layers.{name}": {"stddev": 0.5} for name in ("GaussianNoise",)},
    # --- optimizers and schedules
    **{
        f"{module}.LossScaleOptimizer": {"inner_optimizer": ph.optimizers.SGD(), "without": ("learning_rate",)}
        for module in ("optimizers", "mixed_precision")
    },
    "optimizers.schedules.PiecewiseConstantDecay": {"boundaries": [1, 2], "values": [0.1, 0.2, 0.3]},
    # --- callbacks
    "callbacks.CSVLogger": {"filename": "log.csv"},
    "callbacks.LearningRateScheduler": {"schedule": lambda epoch, rate: rate},
    "callbacks.ModelCheckpoint": {"filepath": "checkpoint.weights.h5", "save_weights_only": True},
    "callbacks.BackupAndRestore": {"backup_dir": "backup"},
    "callbacks.CallbackList": {"callbacks": []},
    "models.Functional": {"inputs": _INPUT, "outputs": layers.Dense(2)(_INPUT)},
    "models.clone_model": {"model": _MODEL},
    "models.model_from_json": {"json_string": ph.Sequential([ph.Input((3,)), layers.Dense(2)], name="s").to_json()},
}

# public names without a call of their own, and why
LEFT_OUT = {
    "Any": "typing",
    "Callable": "typing",
    "utils.get_file": "downloads; test_datasets.py tries its arguments",
    "Layer": "an abstract base: its methods are called on Dense",
    "layers.Layer": "an abstract base: its methods are called on Dense",
    "losses.Loss": "an abstract base: its arguments are those of the losses",
    "metrics.Metric": "an abstract base: its arguments are those of the metrics",
    "initializers.Initializer": "an abstract base",
    "initializers.RandomInitializer": "an abstract base",
    "regularizers.Regularizer": "an abstract base",
    "constraints.Constraint": "an abstract base",
    "optimizers.Optimizer": "an abstract base: its arguments are those of the optimizers",
    "optimizers.schedules.LearningRateSchedule": "an abstract base",
    "callbacks.Callback": "an abstract base without arguments",
    "callbacks.MonitorCallback": "an abstract base: its arguments are those of EarlyStopping",
    "models.Model": "its methods have entries",
    "models.Sequential": "its methods have entries",
    "profiling.Ceilings": "a result",
    "profiling.Profile": "a result: its methods have entries",
    "profiling.ProfileRow": "a result",
    "random.draw_seed": "takes a seed only, as every random function does",
}

# what a family's constructors and calls get where SETTINGS says nothing
FAMILIES: dict[str, dict[str, Any]] = {
    "layers": {"rate": 0.5, "filters": 2, "kernel_size": 2, "inputs": A, "data_format": "channels_last", "seed": 1},
    "initializers": {"shape": (4, 4), "seed": 1},
    "regularizers": {"x": A},
    "constraints": {"w": A},
    "optimizers": {"gradient": A},
    "optimizers.schedules": {
        "initial_learning_rate": 0.1, "decay_steps": 10, "first_decay_steps": 10, "decay_rate": 0.5, "step": 3,
    },
    "metrics": {"y_true": ONE_HOT, "y_pred": PROBABILITIES, "sample_weight": None},
    "losses": {"y_true": ONE_HOT, "y_pred": PROBABILITIES, "sample_weight": None},
    "callbacks": {"monitor": "loss", "model": None},
}  # fmt: skip
