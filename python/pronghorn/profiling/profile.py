"""Profile: the calls of one step of a model as rows of data, and what can be made of them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from pronghorn import arguments
from pronghorn.profiling.ceilings import Ceilings
from pronghorn.profiling.picture import draw
from pronghorn.profiling.rows import ProfileRow, merge_rows, ratio, sum_rows
from pronghorn.profiling.table import make_table, table_text
from pronghorn.utils.atomic_file import replacing

_FORMAT = "pronghorn profile 1"


@dataclass(frozen=True, repr=False)
class Profile:
    """Where the time of one step of a model goes; `Model.profile` makes it.

    `print(profile)` shows a table; `rows` holds the same as data.

    Args:
        model: the model's name.
        kind: "train", "test" or "predict".
        batch_size: samples of the step.
        rows: `ProfileRow`s by layer, phase and op, slowest first. Their times are medians over runs in which each call
            is waited for.
        step_seconds: what the whole step takes, run as `fit` runs it.
        arena_bytes: memory of all values between the calls of a step (activations, gradients, workspaces).
        weight_bytes: memory of the model's weights.
        optimizer_bytes: memory of the optimizer's state.
        ceilings: what the machine can do.

    Example:
        >>> import numpy as np
        >>> import pronghorn as ph
        >>> model = ph.Sequential([ph.Input((8,)), ph.layers.Dense(4, activation="relu", name="hidden")])
        >>> profile = model.profile(np.ones((16, 8)), verbose=0)
        >>> row = next(row for row in profile.rows if row.op == "matmul")
        >>> row.layer, row.phase, row.flops
        ('hidden', 'forward', 1152.0)
    """

    model: str
    kind: str
    batch_size: int
    rows: tuple[ProfileRow, ...]
    step_seconds: float
    arena_bytes: int
    weight_bytes: int
    optimizer_bytes: int
    ceilings: Ceilings

    @property
    def layers(self) -> tuple[ProfileRow, ...]:
        """One row for each layer and phase, slowest first."""
        return merge_rows(self.rows, lambda row: (row.layer, row.phase), op="")

    @property
    def total(self) -> ProfileRow:
        """All rows in one."""
        return sum_rows(self.rows)

    def largest_losses(self, limit: int = 3) -> tuple[ProfileRow, ...]:
        """Return the rows that take the most time beyond what the ceilings allow, largest `lost_seconds` first.

        Args:
            limit: the most rows to return; rows that lose nothing are left out.

        Raises:
            ValueError: if limit is below 1.
        """
        limit = arguments.integer(limit, "largest_losses: limit", least=1)
        losing = [row for row in self.rows if row.lost_seconds > 0]
        return tuple(sorted(losing, key=lambda row: row.lost_seconds, reverse=True)[:limit])

    @property
    def samples_per_second(self) -> float:
        """Samples a second of whole steps, one after the other."""
        return ratio(self.batch_size, self.step_seconds)

    def table(self, by: str = "op", limit: int | None = None, width: int | None = None) -> Any:
        """Return a rich table.

        Args:
            by: "op" for a line per layer and op, "layer" for one per layer.
            limit: number of lines, slowest first, before the rest is summed up in one; None for all.
            width: characters there are; below 140 amounts, below 100 rates are left out. None means enough.

        Raises:
            ValueError: for another `by`, or a limit below 1.
        """
        arguments.one_of(by, ("op", "layer"), "table: by")
        if limit is not None:
            limit = arguments.integer(limit, "table: limit", least=1)
        if width is not None:
            width = arguments.integer(width, "table: width", least=1)
        return make_table(self, by, limit, width)

    def plot(self, path: Any, limit: int = 20) -> None:
        """Draw the roofline with a dot for each row, and bars of the slowest rows; needs matplotlib.

        Args:
            path: file to write; its ending, such as ".png" or ".svg", says in which format.
            limit: number of bars.

        Raises:
            ModuleNotFoundError: if matplotlib is not installed.
            ValueError: for an ending that matplotlib does not know, or a limit below 1.
        """
        limit = arguments.integer(limit, "plot: limit", least=1)
        with replacing(arguments.path(path, "plot: path")) as temporary:
            draw(self, temporary, limit)

    def to_json(self, **options: Any) -> str:
        """Return everything as JSON, with the derived rates in each row.

        Args:
            **options: arguments of `json.dumps`.
        """
        data = {"format": _FORMAT, **asdict(self), "samples_per_second": self.samples_per_second}
        data["rows"] = [
            {
                **asdict(row),
                "gflops_per_second": row.gflops_per_second,
                "gbytes_per_second": row.gbytes_per_second,
                "percent_of_ceiling": row.percent_of_ceiling,
            }
            for row in self.rows
        ]
        return json.dumps(data, **options)

    def save(self, path: Any) -> None:
        """Write `to_json()` to a file, which appears whole or not at all.

        Args:
            path: the file.

        Raises:
            OSError: if it cannot be written.
        """
        with (
            replacing(arguments.path(path, "save: path")) as temporary,
            open(temporary, "w", encoding="utf-8") as file,
        ):
            file.write(self.to_json(indent=1) + "\n")

    @classmethod
    def from_json(cls, text: str) -> Profile:
        """Return what `to_json` wrote.

        Args:
            text: JSON.

        Raises:
            TypeError: if it is no string.
            ValueError: if it is not the JSON of a profile.
        """
        if not isinstance(text, (str, bytes)):
            raise TypeError(f"from_json: text must be a string, got {arguments.shown(text)}")
        try:
            data = json.loads(text)
            if data["format"] != _FORMAT:
                raise ValueError(f"the format is {data['format']!r}")
            rows = tuple(ProfileRow(**{**_own(ProfileRow, row), "fused": tuple(row["fused"])}) for row in data["rows"])
            ceilings = _own(Ceilings, data["ceilings"])
            ceilings["bandwidths"] = tuple((size, rate) for size, rate in ceilings["bandwidths"])
            return cls(**{**_own(cls, data), "rows": rows, "ceilings": Ceilings(**ceilings)})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"from_json: text is not a profile's JSON: {error!r}") from None

    @classmethod
    def load(cls, path: Any) -> Profile:
        """Return what `save` wrote.

        Args:
            path: the file.

        Raises:
            OSError: if it cannot be read.
            ValueError: if it holds something else.
        """
        with open(arguments.path(path, "load: path"), encoding="utf-8") as file:
            return cls.from_json(file.read())

    def __str__(self) -> str:
        return table_text(self)

    def __repr__(self) -> str:
        return (
            f"<Profile of {self.model!r}: {self.kind} step of {self.batch_size}, {self.step_seconds * 1e3:.3g} ms, "
            f"{len(self.rows)} rows>"
        )


def _own(kind: type, data: dict[str, Any]) -> dict[str, Any]:
    return {field.name: data[field.name] for field in fields(kind)}
