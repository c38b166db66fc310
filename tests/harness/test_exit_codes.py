"""One fault, one exit code, whichever verb meets it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from harness import cli

ROOT = Path(__file__).parents[2]
SCENARIO = (ROOT / "specs/scenarios/openai-chat/text-basic.yaml").read_text(encoding="utf-8")
CASSETTE = (ROOT / "cassettes/openai-chat/text-basic.yaml").read_text(encoding="utf-8")
ADAPTER = """
from harness import adapter

@adapter(dialects=["openai-chat"], features=["streaming"])
async def mine(call):
    yield {"type": "content_delta", "delta": "never right"}
"""
QUICK = ("--axes", "none", "--no-faults")
#: A run that has one case, which fails.
RUN = ("run", "openai-chat/text-basic/recorded", *QUICK, "--scenarios", "good", "-a", "mine.py")
CASE = "openai-chat/text-basic/recorded@mine"
EXPLAIN = ("explain", CASE, "-a", "mine.py")
RECORD = ("record", "-p", "openai", "--upstream", "http://127.0.0.1:9", "--in-ci")

# What is named cannot be used: 2. What is to be written cannot be: 3.
FAULTS: dict[str, tuple[int, list[tuple[str, ...]]]] = {
    "unknown option": (2, [(verb, "--nonsense") for verb in cli.VERBS]),
    "missing file or directory": (
        2,
        [
            ("run", "-a", "missing.py"),
            ("run", "-a", "missing.yaml"),
            ("run", "--scenarios", "missing"),
            ("run", "--recordings", "missing"),
            ("list", "--scenarios", "missing"),
            ("list", "-w", "cassettes", "--cassettes", "missing"),
            ("lint", "missing"),
            ("lint", "good", "--cassettes", "missing"),
            ("verify", "missing"),
            ("import", "missing.har", "-o", "out"),
            ("report", "missing.ndjson"),
            ("report",),
            ("baseline", "show", "missing.yaml"),
            ("baseline", "update", "missing.yaml"),
            ("baseline", "update", "mine.yaml", "--results", "missing.ndjson"),
            ("explain", "missing.json"),
            ("explain", CASE, "-a", "missing.py"),
            ("serve", "missing"),
            ("record", "--mode", "diff", "--in-ci", "-o", "missing.yaml"),
            (*RECORD, "-o", "out.yaml", "--", "./missing-program"),
            (*RECORD, "--providers", "missing.yaml", "-o", "out.yaml"),
        ],
    ),
    "unreadable file": (
        2,
        [
            ("run", "-a", "locked.yaml"),
            ("run", "--scenarios", "locked-scenarios"),
            ("run", "--recordings", "locked-cassettes", *QUICK, "-a", "mine.py"),
            ("list", "--scenarios", "locked-scenarios"),
            ("lint", "locked-scenarios"),
            ("lint", "good", "--cassettes", "locked-cassettes"),
            ("verify", "locked.yaml"),
            ("import", "locked.yaml", "-o", "out"),
            ("report", "locked.ndjson"),
            ("baseline", "show", "locked.yaml"),
            ("baseline", "update", "locked.yaml"),
            ("baseline", "update", "mine.yaml", "--results", "locked.ndjson"),
            ("explain", "locked.json"),
            ("record", "--mode", "diff", "--in-ci", "-o", "locked.yaml"),
            (*RECORD, "--providers", "locked.yaml", "-o", "out.yaml"),
        ],
    ),
    "directory in place of a file": (
        2,
        [
            ("run", "-a", "folder.py"),
            ("run", "-a", "folder.yaml"),
            ("list", "-w", "adapters", "-a", "folder.py"),
            ("report", "folder.ndjson"),
            ("baseline", "show", "folder.yaml"),
            ("baseline", "update", "mine.yaml", "--results", "folder.ndjson"),
            ("explain", "folder.json"),
            (*RECORD, "--providers", "folder.yaml", "-o", "out.yaml"),
        ],
    ),
    "broken file": (
        2,
        [
            ("run", "--scenarios", "broken-scenarios"),
            (*RUN, "--cassettes", "broken-cassettes"),
            ("run", "--recordings", "broken-cassettes", *QUICK, "-a", "mine.py"),
            ("run", "-a", "broken.py"),
            ("run", "-a", "broken.yaml"),
            ("list", "--scenarios", "broken-scenarios"),
            ("lint", "broken-scenarios"),
            ("lint", "good", "--cassettes", "broken-cassettes"),
            ("verify", "broken-cassettes"),
            ("import", "broken.yaml", "-o", "out"),
            ("report", "broken.ndjson"),
            ("baseline", "show", "broken.yaml"),
            ("baseline", "update", "mine.yaml", "--results", "broken.ndjson"),
            ("explain", "broken.json"),
            ("explain", CASE, "-a", "broken.py"),
            (*EXPLAIN, "--scenarios", "broken-scenarios"),
            (*EXPLAIN, "--cassettes", "broken-cassettes"),
            ("record", "--mode", "diff", "--in-ci", "-o", "broken-cassettes"),
            (*RECORD, "--providers", "broken.yaml", "-o", "out.yaml"),
        ],
    ),
    "unknown adapter or provider": (
        2,
        [
            ("run", "-a", "nobody"),
            ("list", "-w", "adapters", "-a", "nobody"),
            ("list", "-w", "cases", "-a", "nobody"),
            ("explain", CASE, "-a", "nobody"),
            ("baseline", "show", "nobody"),
            ("baseline", "update", "nobody"),
            ("record", "-p", "nobody", "--in-ci", "-o", "out.yaml"),
        ],
    ),
    "nothing matches": (
        2,
        [
            ("run", "no/such", "--scenarios", "good"),
            ("list", "no/such", "--scenarios", "good"),
            ("list", "-w", "cases", "no/such", "--scenarios", "good"),
            ("list", "-w", "cassettes", "no/such"),
            ("explain", "no/such/recorded@mine", "-a", "mine.py", "--scenarios", "good"),
        ],
    ),
    "nothing to look at": (
        2,
        [
            ("run", "--scenarios", "empty"),
            ("run", "--recordings", "empty"),
            ("list", "--scenarios", "empty"),
            ("list", "-w", "cassettes", "--cassettes", "empty"),
            ("lint", "empty"),
            ("lint", "--cassettes", "empty"),
            ("verify", "empty"),
            ("verify", "silent.yaml"),
            ("import", "empty", "-o", "out"),
            ("import", "other", "-o", "out"),
            ("import", "silent.yaml", "-o", "out"),
            ("report", "empty.ndjson"),
            ("record", "--mode", "diff", "--in-ci", "-o", "empty"),
        ],
    ),
    "output cannot be written": (
        3,
        [
            (*RUN, "-o", "mine.py/below"),
            (*RUN, "-o", "missing/report"),
            (*RUN, "-o", "folder.py"),
            (*RUN, "--results", "mine.py/below"),
            (*RUN, "--keep", "mine.py"),
            ("report", "good.ndjson", "-o", "mine.py/below"),
            ("import", "plain.yaml", "-o", "mine.py"),
            ("baseline", "update", "read-only.yaml", "--results", "good.ndjson", "--reason", "x"),
            ("verify", "--rechunk", "read-only-cassettes"),
            (*RECORD, "-o", "mine.py/below.yaml"),
        ],
    ),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The records of a run of all cases of the one scenario."""
    directory = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        _files(directory)
        with pytest.raises(SystemExit) as raised:
            cli.main(["run", "--scenarios", "good", "-a", "mine.yaml", "--results", "r.ndjson"])
    assert raised.value.code == 1
    return (directory / "r.ndjson").read_text(encoding="utf-8")


@pytest.fixture
def place(tmp_path: Path, results: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with good and bad files; locked ones cannot be read, read-only ones written."""
    _files(tmp_path)
    (tmp_path / "good.ndjson").write_text(results, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    real = io.open

    def guarded(file: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
        if "locked" in str(file) and "r" in mode:
            raise PermissionError(13, "Permission denied", str(file))
        return real(file, mode, *more, **named)

    def refused(*_: object, dir: Any, **named: Any) -> Any:  # noqa: A002
        raise PermissionError(13, "Permission denied", str(dir))

    # As root, nothing is forbidden by its mode.
    monkeypatch.setattr("io.open", guarded)
    monkeypatch.setattr("tempfile.mkstemp", refused)
    return tmp_path


def _files(place: Path) -> None:
    unsound = CASSETTE.replace("    wire:\n", "    wire:\n      chunks: [[1, 5]]\n")
    declaration = "adapter: mine\nentry: mine.py:mine\n"
    simple = SCENARIO[: SCENARIO.index("\n# Wire event 1")] + "\nfaults: {skip: quicker}\n"
    files = {
        "mine.py": ADAPTER,
        "mine.yaml": declaration,
        "read-only.yaml": declaration,
        "read-only-cassettes/one.yaml": unsound,
        "good/one.yaml": simple,
        "cassettes/openai-chat/text-basic.yaml": CASSETTE,
        "plain.yaml": CASSETTE[: CASSETTE.index("    wire:\n")],
        "silent.yaml": "version: 1\ninteractions: []\n",
        "other/notes.json": '{"no": "recording"}',
        "empty.ndjson": "",
        "broken-scenarios/one.yaml": "scenario: [",
        "broken-cassettes/openai-chat/text-basic.yaml": "version: 1\ninteractions: 3\n",
        "broken.py": "import nothing_of_that_name",
        "broken.yaml": "adapter: [",
        "broken.json": "{",
        "broken.ndjson": "{",
        "locked.py": ADAPTER,
        "locked.json": "{}",
        "locked.yaml": declaration,
        "locked.ndjson": "",
        "locked-scenarios/one.yaml": simple,
        "locked-cassettes/openai-chat/text-basic.yaml": CASSETTE,
    }
    for name, text in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name in ("empty", "folder.py", "folder.yaml", "folder.json", "folder.ndjson"):
        (place / name).mkdir()


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        pytest.param(code, arguments, id=f"{fault}: {' '.join(arguments)}")
        for fault, (code, several) in FAULTS.items()
        for arguments in several
    ],
)
def test_one_fault_has_one_code(
    place: Path, capsys: pytest.CaptureFixture[str], code: int, arguments: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main(arguments)
    out, err = capsys.readouterr()
    assert (raised.value.code or 0) == code, out + err
    assert err or "Problems\n\n✗ " in out, "somebody has to say what is wrong"
    assert "Traceback" not in err


def test_each_verb_is_in_the_table() -> None:
    tried = {arguments[0] for _, several in FAULTS.values() for arguments in several}
    assert tried == set(cli.VERBS)
