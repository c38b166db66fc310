"""The examples of README.md and of docs/ do what their text says.

A block after ``<!-- file: NAME -->`` is a file. If ``<!-- output -->`` and another block follow, it
is a script that prints exactly that, against a server with the bundled cassettes.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from harness import cli
from mockserver import MockServer
from mockserver.library import library
from mockserver.serving.verify import verify_cassette

ROOT = Path(__file__).parents[2]
#: The address of the server in the documents.
ADDRESS = "http://127.0.0.1:8080"
_BLOCK = re.compile(
    r"<!-- file: (\S+) -->\n```\w+\n(.*?)```\n(?:\n<!-- output -->\n```\w*\n(.*?)```\n)?", re.DOTALL
)


@dataclass(frozen=True)
class Example:
    """A file that a document shows, and what it prints if that is shown too."""

    document: str
    name: str
    text: str
    output: str | None

    def __str__(self) -> str:
        return f"{self.document}:{self.name}"


DOCUMENTS = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
EXAMPLES = [
    Example(document, name, text, output or None)
    for document, content in DOCUMENTS.items()
    for name, text, output in _BLOCK.findall(content)
]
SCRIPTS = [example for example in EXAMPLES if example.output is not None]
COMMANDS = [
    (document, line.split("#")[0].strip())
    for document, content in DOCUMENTS.items()
    for block in re.findall(r"```bash\n(.*?)```", content, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("tapecheck ")
]
README = [command for document, command in COMMANDS if document == "README.md"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory with all the files that the README shows."""
    for example in EXAMPLES:
        if example.document == "README.md":
            path = tmp_path / example.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(example.text, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    """A server with the bundled cassettes."""
    with MockServer(ROOT / "cassettes") as running:
        yield running


def python(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=directory,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def tapecheck(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(project, "-m", "harness", *arguments)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_marked_block_is_read(document: str) -> None:
    mine = [example for example in EXAMPLES if example.document == document]
    # Matched loosely, so that a misspelt marker does not silently drop an example.
    markers = re.findall(r"<!--\s*(file|output)\b", DOCUMENTS[document], re.IGNORECASE)
    assert markers.count("file") == len(mine)
    assert markers.count("output") == sum(example.output is not None for example in mine)
    assert len(markers) == markers.count("file") + markers.count("output")


@pytest.mark.parametrize("example", SCRIPTS, ids=str)
def test_every_script_prints_what_is_shown(
    example: Example, server: MockServer, tmp_path: Path
) -> None:
    done = python(tmp_path, "-W", "error", "-c", example.text.replace(ADDRESS, server.url))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == example.output


def test_every_client_has_an_example_that_is_run() -> None:
    text = DOCUMENTS["docs/CLIENTS.md"]
    scripts = [example.text for example in SCRIPTS if example.document == "docs/CLIENTS.md"]
    assert text.count("```python") == len(scripts)
    for declaration in (ROOT / "specs" / "adapters").glob("*.yaml"):
        client = declaration.stem
        assert f"\n## {client}\n" in text, client
        folder = client.removesuffix("-client").replace("-", "_")
        package = f"from harness.adapters.{folder} import"
        assert any(package in script for script in scripts), client


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_extra_exists(document: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = set(re.findall(r"'(?:tapecheck|\.)\[(\w+)\]'", DOCUMENTS[document]))
    assert named <= project["optional-dependencies"].keys()


@pytest.mark.parametrize(("document", "command"), COMMANDS)
def test_every_command_exists_with_its_options(document: str, command: str) -> None:
    words = shlex.split(command)[1:]
    context = cli.tapecheck.make_context("tapecheck", words, resilient_parsing=True)
    group: click.Command = cli.tapecheck
    while isinstance(group, click.Group):
        name, found, words = group.resolve_command(context, words)
        assert found is not None
        assert name is not None
        group = found
    group.make_context(name, words)


def test_the_adapter_does_what_the_readme_says(project: Path) -> None:
    (template,) = (ROOT / "harness/commands/templates").glob("openai.py.txt")
    assert (project / "my_client.py").read_text() == template.read_text()
    assert len(template.read_text().splitlines()) <= 50
    # Whether it streams in time is no matter for a document.
    options = ("!**/hold=*", "--axes", "none", "--adapter", "my_client.py")
    for name in ("openai-chat/text-basic", "openai-chat/tool-single-split-args"):
        done = tapecheck(project, "run", name, *options, "--no-faults")
        assert done.returncode == 0, done.stdout + done.stderr
    done = tapecheck(project, "run", "openai-chat/text-basic/cut=1", *options)
    assert done.returncode == 1
    assert "must false-success ending" in done.stdout
    explain = next(c for c in README if c.startswith("tapecheck explain"))
    words = shlex.split(explain.replace("my-client.yaml", "my_client.py"))[1:]
    done = tapecheck(project, *words)
    assert done.returncode == 1
    assert "JSONDecodeError" in done.stdout


def test_the_scenario_and_its_cassette_are_valid(project: Path) -> None:
    lint, run = (shlex.split(c)[1:] for c in README if "--cassettes cassettes" in c)
    done = tapecheck(project, *lint)
    assert (done.returncode, done.stdout) == (0, "1 scenarios, 1 cassettes: 0 problems\n")
    done = tapecheck(project, *run, "--no-faults")
    assert done.returncode == 0, done.stdout + done.stderr
    assert verify_cassette(library.load(project / "cassettes/my/hello.yaml")) == []


def test_the_readme_lists_every_verb() -> None:
    for verb in cli.VERBS:
        assert f"tapecheck {verb}" in DOCUMENTS["README.md"], verb


def test_the_dialect_of_the_documents_joins_and_reads_facts(tmp_path: Path) -> None:
    (example,) = (e for e in EXAMPLES if e.name == "toy_dialect.py")
    (tmp_path / "toy_dialect.py").write_text(example.text, encoding="utf-8")
    info = tmp_path / "toy_dialect-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-dialect\nVersion: 1\n")
    declared = DOCUMENTS["docs/AUTHORING.md"].split("```toml\n")[1].split("```")[0]
    # What a build makes of the project's table.
    (info / "entry_points.txt").write_text(
        declared.replace(
            '[project.entry-points."tapecheck.dialects"]', "[tapecheck.dialects]"
        ).replace('"', "")
    )
    done = tapecheck(tmp_path, "list", "--what", "dialects")
    assert re.search(r"^toy +judged$", done.stdout, re.MULTILINE), done.stdout + done.stderr
    wire = b'data: {"say":"Hel"}\n\ndata: {"say":"lo"}\n\ndata: {"end":"said"}\n\n'
    look = (
        "from toy_dialect import read; from mockserver.wire import Body, Media; "
        f"facts = read(Body({wire!r}, Media.SSE)); print(facts.text, facts.terminal)"
    )
    done = python(tmp_path, "-c", look)
    assert done.stdout == "Hello said\n", done.stderr


@pytest.mark.parametrize("name", ["stop", "together", "again"])
def test_the_scenarios_of_the_documents_are_played(name: str, tmp_path: Path) -> None:
    (example,) = (e for e in EXAMPLES if e.name == f"authoring/{name}.yaml")
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "scenario.yaml").write_text(example.text, encoding="utf-8")
    where = ("--scenarios", "specs", "--cassettes", str(ROOT / "cassettes"))
    options = ("--axes", "none", "--no-faults", "--adapter", "openai-compat", "--level", "may")
    done = tapecheck(tmp_path, "run", f"authoring/{name}", *where, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 case in" in done.stdout


def test_the_failing_client_of_the_documents_reports_its_failure(tmp_path: Path) -> None:
    (example,) = (e for e in EXAMPLES if e.name == "failing.py")
    (tmp_path / "failing.py").write_text(example.text, encoding="utf-8")
    case = "openai-chat/text-basic/recorded@failing"
    done = tapecheck(tmp_path, "explain", case, "--adapter", "failing.py")
    assert done.returncode == 1
    assert "schema" not in done.stdout
    assert "timeout given" in done.stdout
