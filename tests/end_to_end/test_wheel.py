from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
import sysconfig
import tarfile
import urllib.request
import venv
import zipfile
from email.parser import BytesParser
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: These import an SDK that only the environment of the client has; the kit imports nothing.
SHIMS = "harness/adapters/third_party/shims/"
KIT = f"{SHIMS}tapecheck_client.py"
#: Used only if they are there.
OPTIONAL = {
    "brotli",
    "hypothesis",
    "mistral_common",
    "uvloop",
    "pytest",
    "zstandard",
    "azure",
    "botocore",
    "google",
    "trustme",
}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the source distribution and the wheel that was built from that."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "-o", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return out


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (path,) = dist.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with nothing but the wheel and, by path, what it needs."""
    place = tmp_path_factory.mktemp("venv")
    venv.create(place, with_pip=False, symlinks=True)
    (site,) = place.glob("lib/python*/site-packages")
    pip = [sys.executable, "-m", "pip", "--python", str(place), "install", "--quiet"]
    # What it needs is here already, and the index may be far.
    subprocess.run([*pip, "--no-deps", "--no-index", wheel], check=True, env=environment())
    # The editable install of the checkout is a .pth file there, and is not read from here.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return place / "bin"


def environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST", "COV"))}


def test_the_installed_package_is_the_one_that_runs(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed / "python", "-c", "import harness; print(harness.__file__)"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(installed.parent) in done.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run", "openai-chat/text-basic", "sse/bom-at-start", "--axes", "none"], "passed"),
        (["list", "openai-chat/text-basic"], "A text answer in pieces"),
        (["verify"], "every byte as recorded"),
        (["init", "function"], "wrote my_client.py"),
    ],
)
def test_it_works_in_an_empty_directory(
    installed: Path, tmp_path: Path, arguments: list[str], expected: str
) -> None:
    done = subprocess.run(
        [installed / "tapecheck", *arguments],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert expected in done.stdout


def test_it_serves_from_an_empty_directory(installed: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [installed / "tapecheck", "serve"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = next(line for line in process.stdout if "curl -N" in line).split()[2]
        with urllib.request.urlopen(urllib.request.Request(url, b"{}"), timeout=10) as answer:
            assert answer.read().endswith(b"data: [DONE]\n\n")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()


def test_the_source_distribution_is_the_checkout(dist: Path) -> None:
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a checkout")
    tracked = {name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()}
    assert tracked - names <= {".gitattributes"}
    made = {".venv", "__pycache__", ".tapecheck", "dist"}
    assert not [name for name in names if made & set(name.split("/"))]


def test_the_wheel_has_what_belongs_in_it_and_no_more(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names} == {
        "harness",
        "mockserver",
        f"{wheel.name.split('-py3')[0]}.dist-info",
    }
    for kind, suffix in (("specs", "schema.json"), ("specs", "yaml"), ("cassettes", "yaml")):
        bundled = {n for n in names if n.startswith(f"harness/_bundled/{kind}/")}
        here = {p for p in (ROOT / kind).rglob(f"*{suffix}") if p.is_file()}
        assert {f"harness/_bundled/{p.relative_to(ROOT).as_posix()}" for p in here} <= bundled
    assert {"harness/py.typed", "mockserver/py.typed"} <= set(names)
    templates = {p.name for p in (ROOT / "harness/commands/templates").iterdir()}
    assert {f"harness/commands/templates/{name}" for name in templates} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_every_import_is_declared(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        message = BytesParser().parsebytes(archive.read(metadata))
        sources = [
            archive.read(name)
            for name in archive.namelist()
            if name.endswith(".py") and (not name.startswith(SHIMS) or name == KIT)
        ]
    declared = {
        re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower()
        for requirement in message.get_all("Requires-Dist", [])
        if "extra ==" not in requirement
    }
    imported: set[str] = set()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                imported.add(node.module.split(".")[0])
    foreign = imported - set(sys.stdlib_module_names) - {"harness", "mockserver"} - OPTIONAL
    known = packages_distributions()
    for module in sorted(foreign):
        assert {name.lower() for name in known[module]} & declared, module
