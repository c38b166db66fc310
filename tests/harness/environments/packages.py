"""Environments and packages that tests make, so that none comes from a network."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from harness.environments.listing import Environment, Kind


def python(
    folder: Path, pins: str = "toy==1.0\n", packages: tuple[str, ...] = ("toy",)
) -> Environment:
    """Return an environment for Python with these pins."""
    path = folder / "toy.txt"
    path.write_text(pins, encoding="utf-8")
    return Environment(name="toy", kind=Kind.PYTHON, packages=packages, pins=path)


def wheel(folder: Path, name: str, version: str, needs: str = "") -> None:
    """Write a wheel with one module that has its version."""
    info = f"{name}-{version}.dist-info"
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        requires = f"Requires-Dist: {needs}\n" if needs else ""
        file.writestr(
            f"{info}/METADATA",
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}",
        )
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")


def npm_package(path: Path, stated: dict[str, Any]) -> None:
    """Write a package for npm with nothing but its ``package.json``."""
    data = json.dumps(stated).encode()
    with tarfile.open(path, "w:gz") as file:
        member = tarfile.TarInfo("package/package.json")
        member.size = len(data)
        file.addfile(member, io.BytesIO(data))
