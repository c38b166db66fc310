"""``tapecheck record``: run a command against live endpoints and record the answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.commands.child import run, say, wait
from harness.commands.options import rule_of
from mockserver.recording import NAMES, Mode, age_of, parse_age, runs_in_ci

if TYPE_CHECKING:
    from mockserver.cassettes import Cassette
    from mockserver.recording import Capture, Provider, Recorder, Result

_ALL = f"all: the same as {Mode.of('all')}"
#: The ways in which an answer ends incomplete.
ENDS = ("truncated", "reset", "timeout", "client_closed")


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("argv", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND [ARG]...]")
@click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The cassette; .yaml is added. With --mode diff and no command, also a directory.",
)
@click.option(
    "--provider",
    "-p",
    "names",
    multiple=True,
    metavar="NAME",
    help="Provider to record from, such as openai, anthropic, gemini or llamacpp. May be "
    "repeated; TAPECHECK_BASE_URL is that of the first.",
)
@click.option("--upstream", metavar="URL", help="Another base URL for the first provider.")
@click.option(
    "--providers",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Providers of your own, in YAML.",
)
@click.option(
    "--mode",
    type=click.Choice(NAMES),
    metavar="MODE",
    default="rewrite",
    show_default=True,
    # Each in a line of its own.
    help="\n".join(("What happens:\n\n\b", *(f"{m}: {m.meaning}" for m in Mode), _ALL)),
)
@click.option("--in-ci", is_flag=True, help="Use the network even if CI is set.")
@click.option(
    "--allow-end",
    "ends",
    type=click.Choice(ENDS),
    multiple=True,
    help="Keep an answer that ended like this. May be repeated.",
)
@click.option(
    "--keep-opaque",
    is_flag=True,
    help="Keep encrypted reasoning and signatures; by default they are replaced.",
)
@click.option(
    "--allow",
    "allowed",
    multiple=True,
    metavar="TEXT",
    help="A text that looks like a secret and is none, or the mark that a refusal shows for it; "
    "also a line of .tapecheck-allow. May be repeated.",
)
@click.option(
    "--leave-out",
    is_flag=True,
    help="Record the other exchanges where one has a secret that cannot be replaced; exits with 1.",
)
@click.option(
    "--note",
    "notes",
    multiple=True,
    metavar="NAME=VALUE",
    help="A fact about the recording, such as server=llama.cpp-b6000. May be repeated.",
)
@click.option(
    "--match-on",
    "parts",
    multiple=True,
    metavar="PARTS",
    help="What to compare in requests: method, path, query and body (all by default), or fields, "
    "such as body.model,body.messages. 'strict' as for 'tapecheck serve'.",
)
@click.option(
    "--ignore",
    "-i",
    multiple=True,
    metavar="FIELD",
    help="A field of requests that may differ, such as body.metadata.trace. May be repeated.",
)
@click.option(
    "--allow-origin",
    "origins",
    multiple=True,
    metavar="ORIGIN",
    help="A site whose pages may send requests, such as http://localhost:5173. By default none "
    "may: what they send goes out with your key.",
)
@click.option(
    "--proxy",
    is_flag=True,
    help="Be a forward proxy, for clients whose base URL cannot be set. They read HTTPS_PROXY "
    "and trust the certificates in SSL_CERT_FILE or the like. Needs the extra tls.",
)
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="With --proxy, a host such as login.example.com or *.example.com, whose requests pass "
    "unrecorded. May be repeated. Hosts of the providers are recorded, others blocked.",
)
@click.option("--max-age", metavar="AGE", help="Warn if a cassette is older, such as 30d or 12h.")
@click.option("--strict-age", is_flag=True, help="Fail if a cassette is older.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="The longest wait for the next byte.",
)
def command(
    argv: tuple[str, ...],
    output: Path,
    names: tuple[str, ...],
    upstream: str | None,
    file: Path | None,
    mode: str,
    in_ci: bool,
    ends: tuple[str, ...],
    keep_opaque: bool,
    allowed: tuple[str, ...],
    leave_out: bool,
    notes: tuple[str, ...],
    parts: tuple[str, ...],
    ignore: tuple[str, ...],
    origins: tuple[str, ...],
    proxy: bool,
    hosts: tuple[str, ...],
    max_age: str | None,
    strict_age: bool,
    timeout: float,
) -> int:
    """Run a command against live endpoints and record the answers in a cassette.

    The command gets a local address in the variables that clients of the provider read, such
    as OPENAI_BASE_URL, and in TAPECHECK_BASE_URL. It gets a dummy key; the real one stays here.
    The cassette is written if the command succeeds and no secret is left in it; one that exists
    is replaced, unless --mode says otherwise. Without a command, it records until Ctrl-C.

    \b
    tapecheck record --provider openai -o cassettes/mine -- node my_client.js
    tapecheck record -p llamacpp --upstream http://127.0.0.1:4021/v1 -o mine -- python app.py
    tapecheck record -p openai -p anthropic -o mine -- npm test
    tapecheck record -p openai -o mine
    tapecheck record -p openai --proxy -o mine -- ./fixed-host-client
    tapecheck record --mode diff -p openai -o cassettes/mine -- node my_client.js
    tapecheck record --mode diff -o cassettes/mine.yaml
    """
    from mockserver.errors import RecordingError
    from mockserver.library import settings
    from mockserver.recording import allowed_texts

    project = settings.find(Path.cwd())
    wanted = Mode.of(mode)
    if wanted.uses_network and runs_in_ci(os.environ) and not in_ci:
        raise click.UsageError(f"CI is set, and mode {mode} uses the network: add --in-ci")
    if hosts and not proxy:
        raise click.UsageError("--allow-host needs --proxy")
    if proxy and wanted is Mode.DIFF and not argv:
        raise click.UsageError("--proxy needs a client; without a command, leave it out")
    known, chosen = _providers(names, upstream, file)
    options = _Options(
        mode=wanted,
        recorder={
            "timeout": timeout,
            "allow_origins": origins,
            "proxy": proxy,
            "allow_hosts": hosts,
        },
        max_age=_age(max_age),
        strict_age=strict_age,
        tape={
            "mode": wanted,
            "ends": _ends(ends),
            "keep_opaque": keep_opaque,
            "allowed": allowed_texts(Path(), allowed),
            "leave_out": leave_out,
            "notes": _notes(notes),
            "rule": rule_of(parts, ignore).over(project.rule),
            "repeat": project.repeat,
        },
    )
    try:
        if wanted is Mode.DIFF and not argv:
            return _check(output, known, chosen, options)
        if not chosen:
            raise click.UsageError("name a --provider; 'tapecheck record --help' has examples")
        return _record(_file(output), chosen, argv, options)
    except RecordingError as exc:
        say(str(exc))
        return 1


@dataclass(frozen=True, slots=True)
class _Options:
    """The options, apart from the output and the providers."""

    mode: Mode
    recorder: dict[str, Any]
    max_age: timedelta | None
    strict_age: bool
    tape: dict[str, Any]


def _record(
    path: Path, providers: Sequence[Provider], argv: Sequence[str], options: _Options
) -> int:
    from mockserver.recording import Recorder

    with (
        Recorder(watch=_show, tell=_messages(), **options.recorder) as recorder,
        recorder.tape(path, providers, **options.tape) as tape,
    ):
        code, stopped = run(argv, tape) if argv else (wait(tape), None)
        if stopped:
            say(f"stopped by {stopped}: {argv[0]} was ended, no cassette written")
            return code
        if code:
            say(f"{argv[0]} exited with {code}: no cassette written")
            return code
        result = tape.finish()
    _summary(result)
    drifted = result.mode is Mode.DIFF and result.drift is not None and result.drift.shapes
    return 1 if result.problems or drifted or _is_old(path, options) else 0


def _check(
    output: Path, known: Sequence[Provider], chosen: Sequence[Provider], options: _Options
) -> int:
    """Send the requests of recorded cassettes again, and compare the answers."""
    from mockserver.cassettes import Origin
    from mockserver.errors import CassetteError
    from mockserver.library import library as store
    from mockserver.recording import Recorder

    library = store.Library([output if output.exists() else _file(output)])
    cassettes = []
    code = 0
    for path in library.paths.values():
        try:
            cassettes.append(store.load(path))
        except CassetteError as exc:
            say(f"not compared: {exc}")
            code = 2
    recorded = [
        c
        for c in cassettes
        if any(i.response.wire.origin is Origin.RECORDED for i in c.interactions)
    ]
    if not recorded:
        raise click.UsageError(
            f"{output}: no recorded cassette to compare; authored and imported ones do not count"
        )
    with Recorder(**options.recorder) as recorder:
        for cassette in recorded:
            code = max(code, _check_one(cassette, chosen or known, recorder, options))
    left = len(cassettes) - len(recorded)
    count = f"{len(recorded)} cassette{'s' * (len(recorded) != 1)} compared"
    say(count + (f", {left} not recorded" if left else ""))
    return code


def _check_one(
    cassette: Cassette, known: Sequence[Provider], recorder: Recorder, options: _Options
) -> int:
    from mockserver.errors import RecordingError
    from mockserver.recording import providers_of, resend_requests

    old = _is_old(cassette.path, options)
    try:
        providers = providers_of(cassette, known)
        with recorder.tape(cassette.path, providers, **options.tape) as tape:
            resend_requests(cassette, tape, providers)
            result = tape.finish()
    except RecordingError as exc:
        say("\n".join((f"{cassette.path}: not compared:", *(f"  {r}" for r in exc.reasons))))
        return 1
    _summary(result)
    return 1 if old or (result.drift is not None and result.drift.shapes) else 0


def _providers(
    names: Sequence[str], upstream: str | None, file: Path | None
) -> tuple[list[Provider], list[Provider]]:
    """Return all known providers, and the chosen ones."""
    from mockserver.recording import providers

    known = providers.load(file) if file else dict(providers.PROVIDERS)
    chosen = [providers.find(name, known) for name in dict.fromkeys(names)]
    if upstream is not None:
        if not chosen:
            raise click.UsageError("--upstream needs a --provider")
        chosen[0] = known[chosen[0].name] = chosen[0].at(upstream)
    return list(known.values()), chosen


def _show(capture: Capture) -> None:
    """Print a line when an exchange begins, and one when it is over."""
    what = f"  {capture.number} {capture.route}"
    if not capture.over:
        say(what)
    elif capture.head is None:
        say(f"{what}: {capture.failure}")
    else:
        end = f", {capture.end}" if capture.end != "eof" else ""
        pieces = len(capture.pieces)
        size = f"{pieces} {'piece' if pieces == 1 else 'pieces'}, {capture.size} bytes{end}"
        say(f"{what}: {capture.head.status}, {size}")


def _messages() -> Callable[[str], None]:
    """Return what prints a line about a host, once."""
    said: set[str] = set()

    def tell(line: str) -> None:
        if line not in said:
            said.add(line)
            say(f"  {line}")

    return tell


def _summary(result: Result) -> None:
    unchanged = f", {result.unchanged} unchanged" if result.unchanged else ""
    if result.written:
        say(f"wrote {result.path}: {_count(result.interactions)}{unchanged}")
    elif result.drift is not None:
        say(f"{result.path}: {_count(result.interactions)} compared")
    else:
        say(f"{result.path}: not changed; {result.live} requests sent")
    if result.drift is not None:
        for line in str(result.drift).splitlines():
            say(f"  {line}")
    for note in result.notes:
        say(f"{result.path}: {note}")
    for problem in result.problems:
        say(f"{result.path}: {problem}")


def _is_old(path: Path, options: _Options) -> bool:
    """Warn if a cassette is too old; return whether that is a failure."""
    from mockserver.library import library as store

    if options.max_age is None or not path.is_file():
        return False
    age = age_of(store.load(path), datetime.now(UTC))
    if age is None or age <= options.max_age:
        return False
    say(f"{path}: last recorded or confirmed {age.days} days ago; re-record it")
    return options.strict_age


def _age(text: str | None) -> timedelta | None:
    try:
        return None if text is None else parse_age(text)
    except ValueError as exc:
        raise click.UsageError(f"--max-age: {exc}") from None


def _ends(names: Sequence[str]) -> Any:
    from mockserver.cassettes import End

    return [End(name) for name in names]


def _notes(pairs: Sequence[str]) -> dict[str, str]:
    split = [pair.partition("=") for pair in pairs]
    if any(not name or not equals for name, equals, _ in split):
        raise click.UsageError("a --note must be NAME=VALUE")
    return {name: value for name, _, value in split}


def _file(output: Path) -> Path:
    from mockserver.library import SUFFIXES

    return output if output.suffix in SUFFIXES else output.with_name(f"{output.name}.yaml")


def _count(number: int) -> str:
    return f"{number} {'interaction' if number == 1 else 'interactions'}"
