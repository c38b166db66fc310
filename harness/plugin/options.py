"""The pytest plugin: one test item per case, and a mock server for tests of your own.

It does nothing until an adapter is named, by ``--tapecheck-adapter`` or in the ini file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.plugin.llm import llm as llm
from harness.plugin.llm import pytest_runtest_call as pytest_runtest_call

if TYPE_CHECKING:
    from mockserver import MockServer

_DIRECTORIES = {
    "scenarios": "directory of your own scenarios (default: specs/scenarios)",
    "cassettes": "directory of cassettes, searched before the bundled ones (default: cassettes)",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and ini values of tapecheck."""
    group = parser.getgroup("tapecheck", "conformance of LLM client adapters")
    group.addoption(
        "--tapecheck-adapter",
        action="append",
        default=[],
        metavar="REF",
        help="adapter to test: a bundled name, file.py, file.py:name, package.module:name or a "
        "declaration .yaml; may be repeated",
    )
    group.addoption(
        "--tapecheck-axes",
        metavar="MODE",
        help="none, pairwise, all, or one point such as eol=crlf,framing=one-byte",
    )
    group.addoption(
        "--tapecheck-level",
        metavar="LEVEL",
        help="must, should or may: fail for findings of this level and those above",
    )
    group.addoption(
        "--no-tapecheck-faults",
        action="store_true",
        help="skip the sweep of cuts, resets and stalls",
    )
    group.addoption(
        "--tapecheck-in-process",
        action="store_true",
        help="run your clients in this process, for a debugger or coverage: no gate, since a "
        "client can end the run",
    )
    parser.addini("tapecheck_adapters", "adapters to test", type="linelist", default=[])
    parser.addini("tapecheck_axes", "none, pairwise, all, or one point", default="pairwise")
    parser.addini("tapecheck_level", "must, should or may", default="")
    for name, text in _DIRECTORIES.items():
        group.addoption(
            f"--tapecheck-{name}", action="append", default=[], metavar="DIR", help=text
        )
        parser.addini(f"tapecheck_{name}", text, type="paths", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Register the collection if there is an adapter to test."""
    config.addinivalue_line("markers", "llm(**settings): settings of the fixture llm")
    if adapters(config):
        from harness.plugin.items import Collection

        config.pluginmanager.register(Collection(config), "tapecheck-collection")


def adapters(config: pytest.Config) -> tuple[str, ...]:
    """Return the adapters that the command line names, or else those of the ini file.

    A file is relative to pytest's working directory, or to the ini file that names it.
    """
    named: list[str] = config.getoption("--tapecheck-adapter")
    if named:
        return tuple(_located(ref, config.invocation_params.dir) for ref in named)
    return tuple(
        _located(ref, _ini_directory(config)) for ref in config.getini("tapecheck_adapters")
    )


def directories(config: pytest.Config, name: str) -> tuple[Path, ...]:
    """Return the project's directories of ``scenarios`` or ``cassettes``, or the usual one."""
    named = [config.invocation_params.dir / p for p in config.getoption(f"--tapecheck-{name}")]
    named = named or config.getini(f"tapecheck_{name}")
    if not named:
        usual = config.rootpath / {"scenarios": "specs/scenarios"}.get(name, name)
        named = [usual] if usual.is_dir() else []
    return tuple(path.resolve() for path in named)


@pytest.fixture(scope="session")
def tapecheck_server(pytestconfig: pytest.Config) -> Iterator[MockServer]:
    """Yield a mock server with the project's cassettes and the bundled ones.

    ``{tapecheck_server.url}/c/openai-chat/text-basic/v1`` is the base URL of one cassette;
    ``tapecheck_server.session("openai-chat/text-basic")`` gives a test a journal of its own.
    """
    from harness.suite import bundled
    from mockserver import MockServer

    with MockServer([*directories(pytestconfig, "cassettes"), bundled.cassettes()]) as server:
        yield server


def _located(reference: str, directory: Path) -> str:
    name, colon, attribute = reference.partition(":")
    if (path := directory / name).is_file():
        return f"{path}{colon}{attribute}"
    return reference


def _ini_directory(config: pytest.Config) -> Path:
    return config.rootpath if config.inipath is None else config.inipath.parent
