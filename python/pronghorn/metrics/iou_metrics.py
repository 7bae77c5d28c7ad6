"""Intersection over union of classes."""

from __future__ import annotations

from typing import Any

from pronghorn import arguments, ops
from pronghorn.metrics.metric import Metric


class _ConfusionMatrix(Metric):
    """A matrix of labels against predictions, (num_classes, num_classes)."""

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.num_classes = num_classes = arguments.integer(num_classes, "num_classes", least=1)
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total_cm = self.add_variable((num_classes, num_classes), name="total_confusion_matrix")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account."""
        true = ops.convert_to_tensor(y_true) if self.sparse_y_true else ops.argmax(y_true, axis=self.axis)
        pred = ops.convert_to_tensor(y_pred) if self.sparse_y_pred else ops.argmax(y_pred, axis=self.axis)
        true = ops.reshape(ops.cast(true, "int32"), (-1,))
        pred = ops.reshape(ops.cast(pred, "int32"), (-1,))
        weight = ops.ones(true.shape, self.dtype)
        if sample_weight is not None:
            given = ops.convert_to_tensor(sample_weight, self.dtype)
            weight = weight * (ops.reshape(given, (-1,)) if given.shape else given)
        if self.ignore_class is not None:
            weight = ops.where(ops.not_equal(true, self.ignore_class), weight, 0.0)
            true = ops.where(ops.not_equal(true, self.ignore_class), true, 0)
        rows = ops.one_hot(true, self.num_classes, dtype=self.dtype) * ops.expand_dims(weight, -1)
        columns = ops.one_hot(pred, self.num_classes, dtype=self.dtype)
        self.total_cm.assign_add(ops.matmul(ops.transpose(rows), columns))

    def _ratios(self) -> tuple[Any, Any]:
        """Intersection over union of each class, and whether it occurs."""
        matrix = self.total_cm.value
        both = ops.diagonal(matrix)
        union = ops.sum(matrix, axis=0) + ops.sum(matrix, axis=1) - both
        return ops.divide_no_nan(both, union), ops.greater(union, 0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }


class IoU(_ConfusionMatrix):
    """Mean intersection over union of some classes.

    Args:
        num_classes: how many classes there are.
        target_class_ids: the classes that count.
        name, dtype: see `Metric`.
        ignore_class: a label whose samples are left out.
        sparse_y_true, sparse_y_pred: whether they are class numbers; else the largest along `axis` counts.
        axis: axis of the classes.

    Raises:
        ValueError: if a class id is out of range.
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Any,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)
        self.target_class_ids = list(arguments.integers(target_class_ids, "target_class_ids"))
        if any(not 0 <= each < num_classes for each in self.target_class_ids):
            raise ValueError(f"target_class_ids must be in [0, {num_classes}), got {target_class_ids!r}")

    def result(self) -> Any:
        """Return the mean so far, of the classes that occur."""
        ratios, occurs = self._ratios()
        wanted = ops.convert_to_tensor(self.target_class_ids, "int32")
        count = ops.cast(ops.take(occurs, wanted, axis=0), self.dtype)
        return ops.divide_no_nan(ops.sum(ops.take(ratios, wanted, axis=0) * count), ops.sum(count))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "target_class_ids": self.target_class_ids}


class BinaryIoU(IoU):
    """Mean intersection over union of zeros and ones.

    Args:
        target_class_ids: which of 0 and 1 count.
        threshold: predictions at or above it are ones.
        name, dtype: see `Metric`.
    """

    def __init__(
        self, target_class_ids: Any = (0, 1), threshold: float = 0.5, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = arguments.number_between(threshold, "threshold")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account."""
        y_pred = ops.cast(ops.greater_equal(ops.convert_to_tensor(y_pred), self.threshold), "int32")
        super().update_state(y_true, y_pred, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "name": self.name,
            "dtype": self.dtype,
            "target_class_ids": self.target_class_ids,
            "threshold": self.threshold,
        }


class MeanIoU(_ConfusionMatrix):
    """Mean intersection over union of all classes that occur.

    Args:
        num_classes: how many classes there are.
        name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis: see `IoU`.
    """

    def result(self) -> Any:
        """Return the mean so far."""
        ratios, occurs = self._ratios()
        return ops.divide_no_nan(ops.sum(ratios), ops.sum(ops.cast(occurs, self.dtype)))


class OneHotIoU(IoU):
    """`IoU` of one-hot labels.

    Args:
        num_classes, target_class_ids, name, dtype, ignore_class, sparse_y_pred, axis: see `IoU`.
    """

    def __init__(
        self, num_classes: int, target_class_ids: Any, name: str | None = None, dtype: Any = None,
        ignore_class: int | None = None, sparse_y_pred: bool = False, axis: int = -1,
    ) -> None:  # fmt: skip
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = super().get_config()
        del config["sparse_y_true"]
        return config


class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` of one-hot labels.

    Args:
        num_classes, name, dtype, ignore_class, sparse_y_pred, axis: see `IoU`.
    """

    def __init__(
        self, num_classes: int, name: str | None = None, dtype: Any = None, ignore_class: int | None = None,
        sparse_y_pred: bool = False, axis: int = -1,
    ) -> None:  # fmt: skip
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = super().get_config()
        del config["sparse_y_true"]
        return config
