"""Take up an interrupted training where it stopped."""

from __future__ import annotations

import json
import os
import shutil

from pronghorn import arguments
from pronghorn.callbacks.callback import Callback, Logs
from pronghorn.utils.atomic_file import replacing


class BackupAndRestore(Callback):
    """Saves the state of training in a folder and starts from it when `fit` is called again after an interruption.

    Args:
        backup_dir: folder for the backup; nothing else should use it.
        save_freq: "epoch", or a number of batches.
        double_checkpoint: whether to keep the state before the last one too, for use if the last is damaged.
        delete_checkpoint: whether to remove the backup when training ends.

    Raises:
        ValueError: for an empty `backup_dir`, an unknown `save_freq`, or a model that has not been built.

    Example:
        >>> from pronghorn.callbacks import BackupAndRestore
        >>> backup = BackupAndRestore("backup")
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        self.backup_dir = arguments.path(backup_dir, "BackupAndRestore: backup_dir")
        if not self.backup_dir:
            raise ValueError("BackupAndRestore: backup_dir is empty")
        if save_freq != "epoch" and (not isinstance(save_freq, int) or save_freq < 1):
            raise ValueError(f"BackupAndRestore: save_freq must be 'epoch' or a positive integer, got {save_freq!r}")
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._weights_path = os.path.join(self.backup_dir, "latest.weights.h5")
        self._metadata_path = os.path.join(self.backup_dir, "training_metadata.json")
        self._epoch = 0
        self._last_batch_seen = -1
        self._batches_since_saving = 0

    def wants_batches(self, kind: str) -> bool:
        return kind == "train" and self.save_freq != "epoch"

    def on_train_begin(self, logs: Logs | None = None) -> None:
        if not self.model.built:
            raise ValueError("BackupAndRestore: the model must be built before fit; call it on a batch of data first")
        if not os.path.exists(self._weights_path):
            return
        try:
            self._load("")
        except (OSError, ValueError):
            if not os.path.exists(self._weights_path + ".bkp"):
                raise
            self._load(".bkp")

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch
        self._last_batch_seen = -1

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if isinstance(self.save_freq, str):
            return
        self._batches_since_saving += batch - self._last_batch_seen
        self._last_batch_seen = batch
        if self._batches_since_saving >= self.save_freq:
            self._batches_since_saving = 0
            self._save()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch + 1
        self._last_batch_seen = -1
        if self.save_freq == "epoch":
            self._save()

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.delete_checkpoint and os.path.exists(self.backup_dir):
            shutil.rmtree(self.backup_dir)

    def _load(self, suffix: str) -> None:
        optimizer = self.model.optimizer
        if optimizer is not None and not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        path = self._weights_path
        if suffix:
            # load_weights tells the format from the ending.
            path = os.path.join(self.backup_dir, "previous.weights.h5")
            shutil.copy(self._weights_path + suffix, path)
        self.model.load_weights(path)
        with open(self._metadata_path + suffix, encoding="utf-8") as file:
            self.model._initial_epoch = json.load(file)["epoch"]

    def _save(self) -> None:
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint:
            for path in (self._weights_path, self._metadata_path):
                if os.path.exists(path):
                    shutil.copy(path, path + ".bkp")
        with replacing(self._weights_path) as temporary:
            self.model.save_weights(temporary, overwrite=True)
        with replacing(self._metadata_path) as temporary, open(temporary, "w", encoding="utf-8") as file:
            json.dump({"epoch": self._epoch, "batch": self._last_batch_seen}, file)
