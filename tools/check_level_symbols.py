"""Checks that code compiled for an instruction-set level cannot be linked in for another.

The linker keeps one copy of each weak symbol (an inline function, a template) of all the object files that hold one. If
the copy from a file compiled for AVX-512 wins, every processor runs it, and an older one dies of an illegal
instruction. So each symbol that a level's object files define for others must carry the level's namespace in its name.

Usage: python tools/check_level_symbols.py BUILD_DIR
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

LEVEL_FOLDER = re.compile(r"cpu_(\w+)\.dir$")
# Pointers to the exception personality routine: data, the same in every file.
HARMLESS = re.compile(r"^DW\.ref\.")


def level_objects(build: Path) -> dict[str, list[Path]]:
    """The object files of each level, found by the names CMake gives their folders."""
    found: dict[str, list[Path]] = {}
    for folder in sorted(build.rglob("cpu_*.dir")):
        match = LEVEL_FOLDER.search(folder.name)
        objects = sorted(folder.rglob("*.o"))
        if match and objects:
            found.setdefault(match.group(1), []).extend(objects)
    return found


def defined_symbols(path: Path) -> list[str]:
    """Mangled names of the symbols that `path` defines for other files."""
    lines = subprocess.run(
        ["nm", "--extern-only", "--defined-only", "--format=posix", str(path)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    return [line.split()[0] for line in lines if line.strip()]


def leaks(path: Path, level: str) -> list[str]:
    """Symbols of `path` without the namespace ph::<level> in their names."""
    # As compilers mangle it: a nested name in ph (or in a name that stood before), its length, the level's name.
    namespace = re.compile(rf"N(2ph|S[0-9A-Z]*_){len(level)}{level}")
    return [name for name in defined_symbols(path) if not namespace.search(name) and not HARMLESS.match(name)]


def demangled(names: list[str]) -> list[str]:
    """The names as they stand in the source."""
    return subprocess.run(["c++filt", *names], check=True, capture_output=True, text=True).stdout.splitlines()


def main() -> int:
    """Prints what leaks; 0 if nothing does."""
    if len(sys.argv) != 2:
        print(__doc__.rsplit("\n\n", 1)[-1].strip(), file=sys.stderr)
        return 2
    levels = level_objects(Path(sys.argv[1]))
    if not levels:
        print(f"no object files of levels under {sys.argv[1]}", file=sys.stderr)
        return 2
    bad = 0
    for level, objects in levels.items():
        for path in objects:
            names = leaks(path, level)
            bad += len(names)
            for name in demangled(names) if names else []:
                print(f"{level}: {path.name} gives other files {name}")
    print(f"{sum(map(len, levels.values()))} object files of {', '.join(levels)}: {bad} symbols leak")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
