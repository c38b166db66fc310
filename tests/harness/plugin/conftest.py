from __future__ import annotations

import importlib
import pkgutil

import pytest

import harness
import mockserver

SHIMS = "harness.adapters.third_party.shims."
KIT = f"{SHIMS}tapecheck_client"


@pytest.fixture(scope="session", autouse=True)
def all_modules() -> None:
    """Import every module before a pytester run in this process.

    Such a run removes the modules that it imported. Later tests would get other ones, with other
    exception classes, beside those that were imported before.
    """
    for package in (harness, mockserver):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            # The shims are programs, and need an SDK.
            is_shim = module.name.startswith(SHIMS) and module.name != KIT
            if not (module.name.endswith("__main__") or is_shim):
                importlib.import_module(module.name)
