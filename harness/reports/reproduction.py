"""Reproduce a case without this package's Python: a URL of ``tapecheck serve``, curl, an SDK."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from harness.judge.transcript import SeenRequest, Transcript
from harness.plan.planning import cassette_of
from harness.suite import bundled
from harness.suite.scenario import Case
from mockserver.cassettes import Interaction
from mockserver.dialects import base_path, find_dialect
from mockserver.wire import Break, FaultKind, Variation

PORT = 8080
#: Characters of a request's body in a command; the server answers without it, too.
_LONG = 600
#: Requests of one turn that are shown.
_REQUESTS = 3


@dataclass(frozen=True)
class Reproduction:
    """How one turn of a case is played by a server of its own."""

    transcript: Transcript
    turn: int
    here: Path

    @property
    def case(self) -> Case:
        """The case at hand."""
        return self.transcript.case

    def lines(self) -> list[str]:
        """Return the commands to paste: the server, curl, and a program with the SDK, if any."""
        if not self._numbers:
            return []
        lines = [self._serve, *self._curls]
        if (program := self._program) is not None:
            lines += ["python - <<'PY'", *program.splitlines(), "PY"]
        if self.case.gate is not None:
            lines.append(f"# {self.case.gate.seen} events must come before the stream falls silent")
        return lines

    @cached_property
    def _numbers(self) -> tuple[int, ...]:
        """The interactions of the cassette that answer the turn."""
        scenario = self.case.scenario
        played = scenario.interactions or tuple(range(len(self._recorded)))
        if len(scenario.turns) == 1:
            return played
        answered = [r.exchange for r in self._requests if r.exchange is not None]
        return tuple(played[n] for n in answered)

    @cached_property
    def _recorded(self) -> tuple[Interaction, ...]:
        return cassette_of(self.case.scenario.cassette).interactions

    @property
    def _requests(self) -> Sequence[SeenRequest]:
        turns = self.transcript.turns
        return turns[self.turn].requests if self.turn < len(turns) else ()

    @property
    def _variation(self) -> Variation:
        """The words of the case. A stream that was held stalls at the same place."""
        case = self.case
        broken = None
        if case.gate is not None:
            broken = Break(FaultKind.STALL, case.gate.after)
        elif case.fault is not None:
            broken = Break(case.fault, case.event)
        is_all = self._numbers == tuple(range(len(self._recorded)))
        return Variation(case.point, broken, None if is_all else self._numbers)

    @property
    def _serve(self) -> str:
        path = self.case.scenario.cassette
        command = ["tapecheck", "serve", "--port", str(PORT)]
        if not path.is_relative_to(bundled.cassettes()):
            near = path.relative_to(self.here) if path.is_relative_to(self.here) else path
            command.insert(2, str(near))
        return f"{shlex.join(command)}  # in a terminal of its own"

    @property
    def _url(self) -> str:
        path = self.case.scenario.cassette
        name = path.stem
        if path.is_relative_to(bundled.cassettes()):
            name = path.relative_to(bundled.cassettes()).with_suffix("").as_posix()
        url = f"http://127.0.0.1:{PORT}/c/{quote(name)}"
        words = str(self._variation)
        return f"{url}/~{words}" if words else url

    @property
    def _curls(self) -> list[str]:
        sent = [r for r in self._requests if r.exchange is not None]
        if sent:
            asked = [(r.method, f"{r.path}?{r.query}" if r.query else r.path, r.body) for r in sent]
        else:
            recorded = self._recorded[self._numbers[0]].request
            asked = [(recorded.method, recorded.url.path, recorded.body)]
        return [self._curl(*one) for one in asked[:_REQUESTS]]

    def _curl(self, method: str, path: str, body: bytes) -> str:
        command = ["curl", "-gN"]
        if method.upper() != ("POST" if body else "GET"):
            command += ["-X", method.upper()]
        if any(s.header("content-encoding") for s in self.transcript.schedules):
            command.append("--compressed")
        command.append(self._url + path)
        if body:
            text = self._plain(body.decode(errors="replace"))
            command += ["-H", "content-type: application/json"]
            command += ["--data-raw", text if len(text) <= _LONG else "{}"]
        return shlex.join(command)

    @property
    def _program(self) -> str | None:
        requests = [e.request for e in (self._recorded[n] for n in self._numbers)]
        sent = next((r.body for r in self._requests if r.exchange is not None), requests[0].body)
        try:
            body: Any = json.loads(self._plain(sent.decode(errors="replace")))
        except ValueError:
            return None
        if not isinstance(body, dict):
            return None
        dialect = find_dialect(self.case.scenario.dialect)
        paths = [r.url.path for r in requests]
        call = self.case.scenario.turns[self.turn].call
        return dialect.sdk_program(
            self._url + base_path(dialect.name, paths),
            body,
            0 if call is None else call.max_retries,
            paths[0],
        )

    def _plain(self, text: str) -> str:
        key = self.transcript.api_key
        return text.replace(key, "any") if key else text
