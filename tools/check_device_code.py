"""Holds the machine code of the GPU kernels against device_code_rules.py: what can be known of speed without a GPU.

For each architecture in the library: registers, static shared memory and stack of every kernel (a spilled register is a
stack, and so is an array that did not fit in registers). For those that the rules name: how many of the instructions
wanted there are, such as those of tensor cores, or loads of 16 bytes.

Needs cuobjdump and nvdisasm: on PATH, or pip install nvidia-cuda-cuobjdump nvidia-cuda-nvdisasm.

Usage: python tools/check_device_code.py [--list] LIBRARY
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import sysconfig
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from device_code_rules import LIMITS, LIMITS_ELSEWHERE, WANTED, WATCHED, Limits

Places = dict[str, dict[str, "Usage"]]
INSTRUCTION = re.compile(r"\s+/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+ )?([A-Z][A-Z0-9_.]+)")
USAGE = re.compile(r"REG:(\d+) STACK:(\d+) SHARED:(\d+)")


class Usage(NamedTuple):
    registers: int
    stack: int
    shared: int


def cuobjdump(*arguments: str) -> subprocess.Popen[str]:
    packages = os.path.join(sysconfig.get_path("purelib"), "nvidia", "cu13", "bin")
    path = os.pathsep.join([os.environ["PATH"], packages])
    return subprocess.Popen(
        ["cuobjdump", *arguments], stdout=subprocess.PIPE, text=True, env=os.environ | {"PATH": path}
    )


def source_names(mangled: list[str]) -> dict[str, str]:
    """Mangled names and those of the source, without what all have."""
    text = "\n".join(mangled)
    shown = subprocess.run(["c++filt"], input=text, check=True, capture_output=True, text=True).stdout.splitlines()
    return dict(zip(mangled, [re.sub(r"\(anonymous namespace\)::|ph::cuda::|ph::|^void ", "", name) for name in shown]))


def kernel_of(name: str) -> str:
    """product_kernel of product_kernel<float, 4>(int)."""
    return re.split(r"[<(]", name)[0]


def usages(library: str) -> Places:
    """Of each architecture's kernels, by mangled name."""
    found: Places = defaultdict(dict)
    process = cuobjdump("-res-usage", library)
    architecture = kernel = ""
    for line in process.stdout or ():
        if line.startswith("arch = "):
            architecture = line.split()[-1]
        elif line.startswith(" Function "):
            kernel = line.split()[-1].rstrip(":")
        elif match := USAGE.search(line):
            found[architecture][kernel] = Usage(*map(int, match.groups()))
    if process.wait() != 0 or not found:
        sys.exit(f"cuobjdump finds no kernels in {library}")
    return found


def instructions(library: str, architecture: str) -> dict[str, Counter[str]]:
    """How many of each instruction a kernel has, by mangled name."""
    found: dict[str, Counter[str]] = {}
    process = cuobjdump("-sass", "-arch", architecture, library)
    counts: Counter[str] = Counter()
    for line in process.stdout or ():
        if match := INSTRUCTION.match(line):
            counts[match[1]] += 1
        elif "Function : " in line:
            counts = found[line.split()[-1]] = Counter()
    if process.wait() != 0:
        sys.exit(f"cuobjdump does not disassemble {library}")
    return found


def rule_of(name: str, rules: dict[str, Limits]) -> str:
    """The longest rule that the name of an instance begins with; "" if there is none."""
    fitting = [rule for rule in rules if rule == kernel_of(name) or ("<" in rule and name.startswith(rule))]
    return max(fitting, key=len, default="")


def limits_of(name: str, architecture: str) -> Limits:
    elsewhere = {} if architecture in WATCHED else LIMITS_ELSEWHERE
    return elsewhere.get(rule_of(name, elsewhere)) or LIMITS.get(rule_of(name, LIMITS), Limits())


def excesses(usage: Usage, limits: Limits) -> list[str]:
    over = [(what, getattr(usage, what), getattr(limits, what)) for what in Usage._fields]
    return [f"{what} {is_now}, at most {limit} wanted" for what, is_now, limit in over if is_now > limit]


def check_usages(found: Places, names: dict[str, str]) -> list[str]:
    wrong = []
    for rules in (LIMITS, LIMITS_ELSEWHERE):
        used = {rule_of(name, rules) for name in names.values()}
        wrong += [f"rules: {kernel} is no kernel" for kernel in rules if kernel not in used]
    for architecture, kernels in found.items():
        for mangled, usage in kernels.items():
            name = names[mangled]
            wrong += [f"{architecture} {name}: {text}" for text in excesses(usage, limits_of(name, architecture))]
    return wrong


def check_instructions(library: str, architectures: list[str], names: dict[str, str]) -> list[str]:
    wrong = []
    with ThreadPoolExecutor() as pool:
        disassembled = dict(zip(architectures, pool.map(lambda each: instructions(library, each), architectures)))
    for rule in WANTED:
        for architecture in filter(disassembled.get, rule.architectures):
            kernels = {k: counts for k, counts in disassembled[architecture].items() if re.match(rule.kernel, names[k])}
            if not kernels:
                wrong.append(f"rules: {rule.kernel} is no kernel of {architecture}")
            for mangled, counts in kernels.items():
                count = sum(n for name, n in counts.items() if re.match(rule.instruction, name))
                if count < rule.count:
                    text = f"{count} of {rule.instruction}, at least {rule.count} wanted"
                    wrong.append(f"{architecture} {names[mangled]}: {text}")
    return wrong


def largest(found: Places, names: dict[str, str]) -> list[str]:
    """A line for each architecture's kernel: the most that an instance takes."""
    lines = []
    for architecture, kernels in found.items():
        most: dict[str, list[Usage]] = defaultdict(list)
        for mangled, usage in kernels.items():
            most[kernel_of(names[mangled])].append(usage)
        for kernel, each in sorted(most.items()):
            registers, stack, shared = map(max, zip(*each))
            lines.append(
                f"{architecture} {kernel} ({len(each)}): {registers} registers, {stack} stack, {shared} shared"
            )
    return lines


def main() -> int:
    """Prints what breaks a rule; 0 if nothing does."""
    parser = argparse.ArgumentParser(description="Holds the machine code of GPU kernels against the rules.")
    parser.add_argument("library")
    parser.add_argument("--list", action="store_true", help="print what each kernel takes at most")
    arguments = parser.parse_args()
    found = usages(arguments.library)
    names = source_names(sorted({kernel for kernels in found.values() for kernel in kernels}))
    if arguments.list:
        print(*largest(found, names), sep="\n")
    disassembled = sorted({architecture for rule in WANTED for architecture in rule.architectures} & set(found))
    wrong = check_usages(found, names) + check_instructions(arguments.library, disassembled, names)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(
        f"{sum(map(len, found.values()))} kernels of {', '.join(found)}, instructions of {' and '.join(disassembled)}: "
        f"{len(wrong)} rules broken"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
