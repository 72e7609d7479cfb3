"""Every package of the kernel has its place in the contracts on imports."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KERNEL = ROOT / "src" / "polyclinic" / "kernel"
CONTRACTS = {
    contract["name"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
}
# May import what the contract forbids to the others.
EXEMPT = {
    "SQL lives in the store and in a module's repository": {"store", "errors"},
    "Only the HTTP edge knows the web framework": {"rest", "module", "platform", "errors"},
}


@pytest.mark.parametrize("contract", EXEMPT)
def test_a_new_package_of_the_kernel_is_under_the_contract(contract):
    packages = {path.parent.name for path in KERNEL.glob("*/__init__.py")} - EXEMPT[contract]

    named = set(CONTRACTS[contract]["source_modules"])

    assert {f"polyclinic.kernel.{package}" for package in packages} <= named
