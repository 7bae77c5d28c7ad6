"""Recurrent layers: cells that make one step, and the layers that take them through sequences."""
