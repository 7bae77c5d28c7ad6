"""nvcc makes device code of what the simulator runs: every wrapper of cuda/ptx assembles, as the instruction meant."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
import simulator

NVCC = shutil.which("nvcc") or shutil.which("/usr/local/cuda/bin/nvcc")
pytestmark = pytest.mark.skipif(not NVCC, reason="needs nvcc")

EVERYWHERE = {
    "mma.sync.aligned.m16n8k16.row.col.f32.f16",
    "ldmatrix.sync",
    "trans.shared.b16",
    "bar.sync",
    "cvt.rn.f16.f32",
    "cvt.f32.f16",
    "st.global.v4.u32",
    "st.global.v2.u32",
}
SINCE_80 = {
    "row.col.f32.bf16",
    "row.col.f32.tf32",
    "cvt.rna.tf32",
    "cvt.rn.bf16.f32",
    "cp.async.cg",
    "cp.async.ca",
    "cp.async.wait_group",
}
SINCE_90 = {
    "mbarrier.init",
    "mbarrier.arrive.expect_tx",
    "mbarrier.try_wait",
    "cp.async.bulk.tensor.2d",
    "fence.proxy.async",
}
ONLY_90A = {
    "wgmma.fence",
    "wgmma.commit_group",
    "wgmma.wait_group",
    "setmaxnreg.dec",
    *(f"wgmma.mma_async.sync.aligned.m64n{n}k16.f32.bf16.bf16" for n in (64, 128, 256)),
    *(f"wgmma.mma_async.sync.aligned.m64n{n}k16.f32.f16.f16" for n in (64, 128)),
    *(f"wgmma.mma_async.sync.aligned.m64n{n}k8.f32.tf32.tf32" for n in (64, 128)),
}
ALL = EVERYWHERE | SINCE_80 | SINCE_90 | ONLY_90A
WANTED = {
    "sm_80": EVERYWHERE | SINCE_80,
    "sm_90a": ALL,
    "sm_100": EVERYWHERE | SINCE_80 | SINCE_90,
}


@pytest.mark.parametrize("architecture", WANTED)
def test_every_wrapper_assembles_as_the_instruction_meant(architecture, tmp_path):
    source = simulator.ROOT / "tests" / "cuda" / "instructions.cu"
    folders = [f"-I{simulator.ROOT}", f"-I{simulator.ROOT / 'src'}"]
    keep = ["--keep", "--keep-dir", str(tmp_path), "-o", str(tmp_path / "instructions.cubin"), "-Xptxas", "-v"]
    command = [
        NVCC,
        "-std=c++20",
        "--expt-relaxed-constexpr",
        f"-arch={architecture}",
        "-cubin",
        *folders,
        *keep,
        str(source),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "instructions.cubin").stat().st_size
    spilled = re.findall(r"[1-9]\d* bytes spill", result.stderr)
    assert not spilled and "Performance Loss" not in result.stderr
    text = (tmp_path / "instructions.ptx").read_text()
    assert {instruction for instruction in ALL if instruction in text} == WANTED[architecture]
