"""Models: networks that can be trained."""

from __future__ import annotations

from pronghorn.models.cloning import clone_model
from pronghorn.models.functional import Functional
from pronghorn.models.graph_config import model_from_json
from pronghorn.models.model import Model
from pronghorn.models.sequential import Sequential

__all__ = ["Functional", "Model", "Sequential", "clone_model", "model_from_json"]
