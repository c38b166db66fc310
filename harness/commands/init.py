"""``tapecheck init``: write what a project needs to test its client, and what to do next."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import click

from harness.commands import options

_TEMPLATES = Path(__file__).parent / "templates"
_SUFFIX = ".py.txt"
_FUNCTION = "function"


@dataclass(frozen=True, slots=True)
class _Shim:
    """A program that speaks the client protocol: its template, its file, how it is started.

    ``kit`` is the file that it imports, ``install`` the command for its SDK, ``setup`` what CI
    needs beside the packages of Python.
    """

    template: str
    file: str
    command: str
    kit: str
    install: str
    setup: str = ""


_SHIMS = {
    "node": _Shim(
        "node.mjs.txt",
        "my_client.mjs",
        "node my_client.mjs",
        "tapecheck-client.mjs",
        "npm install openai    # or what your client uses; CI needs package-lock.json",
        "      - uses: actions/setup-node@v4\n      - run: npm ci\n",
    ),
    "python": _Shim(
        "python.shim.txt",
        "my_client.py",
        "python my_client.py",
        "tapecheck_client.py",
        "pip install openai    # or what your client uses",
    ),
}
#: The SDKs and, last, a function: a template each.
KINDS = (
    *sorted(
        {path.name.removesuffix(_SUFFIX) for path in _TEMPLATES.glob(f"*{_SUFFIX}")} - {_FUNCTION}
    ),
    _FUNCTION,
    *_SHIMS,
)
#: The first line of a template: what it needs.
_NEEDS = re.compile(r"# pip install (\S+)\n")
_DECLARATION = "my-client.yaml"
_WORKFLOW = ".github/workflows/tapecheck.yml"
#: Where pytest looks for its settings. Where one of them is, a new pytest.ini would hide it.
_PYTEST = ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
_FOUND = """\
# What it gives out beside text, refusals and tool calls, found out by 'tapecheck init'. A word
# that no case of a whole run gives any more fails that run.
profile: framework
exposes: [{words}]
baseline:"""


@click.command()
@click.argument("kind", required=False, type=click.Choice(KINDS))
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The project. Default: the working directory.",
)
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
def command(kind: str | None, directory: Path, force: bool) -> int:
    """Write a wrapper of your client, its declaration, and the settings of pytest and CI.

    KIND is the SDK that your client uses; function, for any async Python function; node, for any
    async iterable in JavaScript; or python, for a client that needs another Python than tapecheck.
    The last two are programs of their own, as one in any language may be: docs/CLIENT_PROTOCOL.md.

    \b
    tapecheck init openai
    tapecheck init anthropic
    tapecheck init function --dir path/to/project
    tapecheck init node
    """
    kind = kind or click.prompt("What does your client use?", type=click.Choice(KINDS))
    texts = _files(directory, kind)
    _write(directory, texts, force=force)
    for name in texts:
        click.echo(f"wrote {directory / name}")
    if "pytest.ini" not in texts:
        lines = (_TEMPLATES / "pytest.ini").read_text(encoding="utf-8").splitlines()[1:]
        click.echo(f"to run it with pytest, add to its settings: {'; '.join(lines)}")
    shim = _SHIMS.get(kind)
    if kind != _FUNCTION:
        _find_out(directory / _DECLARATION)
    else:
        click.echo(f"now call your client in {directory / 'my_client.py'}")
    declaration = shlex.quote(str(directory / _DECLARATION))
    first = ""
    if (shim := _SHIMS.get(kind)) is not None:
        at = "" if directory == Path() else f"cd {shlex.quote(str(directory))} && "
        first = (
            f"  {shim.install}\n  {at}tapecheck smoke '{shim.command}'    # is the shim right?\n"
        )
    click.echo(
        f"\nnext:\n{first}"
        f"  tapecheck run --adapter {declaration}           # the most important scenarios\n"
        f"  tapecheck run --adapter {declaration} --full    # all, on many wires, with faults\n"
        f"  tapecheck baseline update {declaration} --reason '…'    # for failures that stay"
    )
    return 0


def _files(directory: Path, kind: str) -> dict[str, str]:
    """Return the texts of the files to write, by their names."""
    shim = _SHIMS.get(kind)
    client = shim.file if shim is not None else "my_client.py"
    templates = {
        client: shim.template if shim is not None else f"{kind}{_SUFFIX}",
        _DECLARATION: _DECLARATION,
        _WORKFLOW: "workflow.yml",
    }
    if not any((directory / name).exists() for name in _PYTEST):
        templates["pytest.ini"] = "pytest.ini"
    texts = {
        name: (_TEMPLATES / file).read_text(encoding="utf-8") for name, file in templates.items()
    }
    if needed := _NEEDS.match(texts[client]):
        texts[_WORKFLOW] = texts[_WORKFLOW].replace("tapecheck openai", f"tapecheck {needed[1]}")
    return texts if shim is None else _with_kit(texts, shim)


def _with_kit(texts: dict[str, str], shim: _Shim) -> dict[str, str]:
    """Return the files of a shim: the kit beside it, and how both are used."""
    from harness.suite import bundled

    kit = bundled.third_party() / "shims" / shim.kit
    declaration = texts[_DECLARATION].replace(
        "entry: my_client.py:my_client", f"command: {shim.command}"
    )
    workflow = texts[_WORKFLOW]
    if shim.setup:
        workflow = workflow.replace("tapecheck openai", "tapecheck")
        workflow = workflow.replace("      # Add what", f"{shim.setup}      # Add what")
    return {
        **texts,
        shim.kit: kit.read_text(encoding="utf-8"),
        _DECLARATION: declaration.replace("my_client.py", shim.file, 1),
        _WORKFLOW: workflow,
    }


def _write(directory: Path, texts: dict[str, str], *, force: bool) -> None:
    """Write the files, or none if one exists. Raises ``click.UsageError``, :class:`SetupError`."""
    from harness.errors import SetupError
    from mockserver import files

    for name in texts:
        if (directory / name).exists() and not force:
            raise click.UsageError(
                f"{directory / name} exists, so nothing was written: move it away, or overwrite "
                "it with --force"
            )
    for name, text in texts.items():
        try:
            files.replace(directory / name, text.encode())
        except OSError as exc:
            raise SetupError(
                f"cannot be written: {exc.strerror}",
                path=directory / name,
                hint="name another directory with --dir",
            ) from None


def _find_out(declaration: Path) -> None:
    """Play the most important scenarios, and declare what the client exposed."""
    import asyncio

    from harness.errors import AdapterError
    from harness.plan.planning import make_plan
    from harness.reports.exposure import Exposure
    from harness.run.run import run

    settings = options.settings_of(
        adapters=[str(declaration)], priorities=["P0"], axes="none", no_faults=True
    )
    try:
        plan = make_plan(settings)
    except AdapterError as exc:
        click.echo(f"the client was not run yet: {exc}")
        return
    exposure = Exposure()
    failed = 0

    async def play() -> None:
        nonlocal failed
        async for record in run(plan):
            if record["type"] == "case":
                exposure.add(record)
                failed += record["outcome"] != "pass"

    asyncio.run(play())
    click.echo(f"played {len(plan.cases)} cases: {failed} failed; the next run shows why")
    (adapter,) = plan.adapters
    if words := sorted(exposure.found(adapter.name)):
        text = declaration.read_text(encoding="utf-8")
        found = _FOUND.format(words=", ".join(words))
        _write(Path(), {str(declaration): text.replace("baseline:", found)}, force=True)
        click.echo(f"wrote to {declaration} what it exposes: {', '.join(words)}")
