"""Every public function, class and method works as it is meant and answers spoiled arguments with an exception that
says what is wrong: the table is in public_arguments.py and public_methods.py, the spoiling in bad_variants.py."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import bad_variants
import pronghorn as ph
import public_calls
import public_methods

# tried in one process each, so that a crash ends that process only
GROUPS = (
    ("ops",),
    ("ops.image", "ops.linalg", "ops.nn", "ops.numpy", "activations", "losses"),
    ("metrics",),
    (
        "initializers",
        "regularizers",
        "constraints",
        "random",
        "tree",
        "saving",
        "config",
        "backend",
        "dtype_policies",
        "mixed_precision",
        "profiling",
    ),
    ("layers",),
    ("optimizers", "optimizers.schedules", "callbacks", "utils", "models", "tf_names"),
    ("methods",),
)

# public modules whose names need no call, and why
NO_CALLS = {"datasets": "a namespace of modules that download; test_datasets.py tries their load_data"}
# top-level names that no module offers: their methods have entries
WITH_METHODS = {"GradientTape", "KerasTensor", "Tensor", "Variable"}
WITH_TESTS = {"device": "test_devices.py tries its names"}

# methods without arguments to spoil, hooks that the library calls, and what an entry of another class covers
UNTRIED = {
    "Model": {
        *("add_loss", "add_variable", "add_weight", "call", "build_from_config", "compute_mask", "compute_metrics"),
        *("compute_output_shape", "compute_output_spec", "count_params", "get_build_config", "get_compile_config"),
        *(
            "get_config",
            "get_metrics_result",
            "get_weights",
            "load_own_variables",
            "predict_step",
            "reset_metrics",
            "run",
        ),
        *("save_own_variables", "stateless_call", "symbolic_call", "test_step", "to_json", "train_step"),
    },
    "Layer": {
        *("call", "compute_mask", "compute_output_spec", "count_params", "get_build_config", "get_config"),
        *("get_weights", "load_own_variables", "run", "save_own_variables", "symbolic_call"),
    },
    "Optimizer": {
        *("add_optimizer_variables", "add_variable_from_reference", "assign", "assign_add", "assign_sub"),
        *("finalize_variable_values", "get_config", "load_own_variables", "save_own_variables", "update_step"),
    },
    "Metric": {
        *("get_config", "reset_state", "result", "stateless_reset_state", "stateless_update_state", "update_state"),
    },
    "Variable": {"item", "numpy", "read", "seen", "tolist", "write"},
    "GradientTape": {"reset", "stop_recording", "watched_variables"},
}


def test_every_module_is_in_the_table():
    submodules = {module for module in ph._SUBMODULES if module not in NO_CALLS}
    assert submodules <= set(public_calls.MODULES)
    assert {module for group in GROUPS for module in group} == {*public_calls.MODULES, "methods"}
    offered = {id(value) for module in public_calls.MODULES for value in public_calls.public_names(module).values()}
    assert {name for name in ph._NAMES if id(getattr(ph, name)) not in offered} == WITH_METHODS | set(WITH_TESTS)


@pytest.mark.parametrize("module", public_calls.MODULES)
def test_every_public_name_has_a_call(module):
    without = [name for name, value in public_calls.functions(module) if not public_calls.call_of(module, name, value)]
    assert not without, f"give {without} of {module} arguments in public_arguments.py"


@pytest.mark.parametrize("name", UNTRIED)
def test_every_method_has_a_call(name):
    methods = {method for method in dir(getattr(ph, name)) if not method.startswith("_")}
    methods = {method for method in methods if callable(getattr(getattr(ph, name), method))}
    tried = {call[0].split(".")[1] for call in public_methods.calls() if call[0].split(".")[0] == name}
    without = methods - tried - UNTRIED[name]
    assert not without, f"give {sorted(without)} of {name} arguments in public_methods.py"
    assert UNTRIED[name] <= methods - tried


def test_names_left_out_exist():
    offered = {f"{module}.{name}" for module in public_calls.MODULES for name in public_calls.public_names(module)}
    for name in public_calls.LEFT_OUT:
        assert name in offered or any(each.endswith(f".{name}") for each in offered), name


@pytest.mark.parametrize("modules", GROUPS, ids=lambda modules: modules[0])
def test_spoiled_arguments_are_explained(modules):
    command = [sys.executable, bad_variants.__file__, *modules]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    last = "\n".join(run.stderr.splitlines()[-40:])
    assert run.returncode == 0, f"died with {run.returncode}; the last calls and what was said:\n{last}"
    result = json.loads(run.stdout)
    assert result["variants"] > 10 * result["calls"] > 0
    assert not result["faults"], "\n".join(result["faults"])


def _answers(error, arguments=("rate",)):
    call = public_calls.Call("layers.Drop", lambda **given: None, dict.fromkeys(arguments))
    try:
        raise error
    except Exception as raised:
        return bad_variants.fault_of(call, raised) is None


def test_what_counts_as_an_answer():
    assert _answers(ValueError("Drop: rate must be in [0, 1], got 2"))
    assert _answers(TypeError("rate must be a number"))
    assert _answers(MemoryError("out of memory: could not allocate 5 bytes"))
    assert not _answers(ValueError(""))
    assert not _answers(ValueError("wrong"))
    assert not _answers(TypeError("'NoneType' object is not iterable"))
    assert not _answers(AttributeError("rate has no attribute x"))
    assert not _answers(KeyError("rate"))
    assert not _answers(RecursionError("rate"))
    assert not _answers(SystemError("rate"))
