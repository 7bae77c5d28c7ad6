"""Data sets: digits (shipped), mnist, fashion_mnist, cifar10, cifar100."""

from pronghorn.datasets import cifar10, cifar100, digits, fashion_mnist, mnist

__all__ = ["cifar10", "cifar100", "digits", "fashion_mnist", "mnist"]
