"""No address function of the matrix products' main loops makes lanes wait for a bank or load sectors in vain."""

from __future__ import annotations

import subprocess

import pytest
import simulator

pytestmark = pytest.mark.skipif(not simulator.COMPILER, reason="needs g++")
SOURCE = simulator.ROOT / "tests" / "cuda" / "shared_tiles.cpp"


@pytest.fixture(scope="module")
def counts(tmp_path_factory) -> dict[str, tuple[int, ...]]:
    """By name: bank conflicts, sectors touched, sectors needed."""
    program = tmp_path_factory.mktemp("tiles") / "tiles"
    folders = [f"-I{simulator.ROOT}", f"-I{simulator.ROOT / 'src'}"]
    # nothing that needs the simulator's engine is called
    options = ["-std=c++20", "-O1", "-Wall", "-Wextra", "-ffunction-sections", "-Wl,--gc-sections", "-pthread"]
    subprocess.run([simulator.COMPILER, *options, *folders, "-o", str(program), str(SOURCE)], check=True)
    lines = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
    return {name: tuple(int(part) for part in rest) for name, *rest in (line.split("|") for line in lines)}


def test_the_count_finds_what_is_planted(counts):
    assert counts["planted"] == (3, 32, 16)


def test_no_lanes_that_are_served_together_want_different_words_of_a_bank(counts):
    found = {name: each[0] for name, each in counts.items() if name != "planted"}
    assert len(found) > 60
    assert {name for name, conflicts in found.items() if conflicts} == set()


def test_every_sector_that_is_loaded_or_stored_is_used_whole(counts):
    assert {name for name, (_, touched, needed) in counts.items() if touched != needed} == {"planted"}
