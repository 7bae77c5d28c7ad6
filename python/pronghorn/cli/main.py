"""Entry point of the command `pronghorn`."""

from __future__ import annotations

import argparse
import sys

import pronghorn
from pronghorn.cli.bench import add_bench_arguments, bench
from pronghorn.cli.demo import add_demo_arguments, demo
from pronghorn.cli.doctor import doctor


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: the words after the command's name; None takes those of this process.

    Returns:
        Exit status: 0 if all went well.
    """
    parser = argparse.ArgumentParser(prog="pronghorn", description="A small, fast deep-learning library.")
    parser.add_argument("--version", action="version", version=f"pronghorn {pronghorn.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    add_demo_arguments(commands.add_parser("demo", help="train a small convnet and show what it learned"))
    add_bench_arguments(commands.add_parser("bench", help="time models and show where the time goes"))
    commands.add_parser("doctor", help="show what this installation runs on")
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 0
    try:
        if options.command == "doctor":
            return doctor()
        if options.command == "bench":
            chosen = (options.workload, options.batch_size, options.device, options.threads, options.json, options.plot)
            return bench(*chosen)
        return demo(options.data, options.epochs, options.seed)
    except (OSError, ValueError) as error:
        print(f"pronghorn {options.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
