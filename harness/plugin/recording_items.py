"""Items that record the cassettes of scenarios anew, in place of the items that play them.

The first adapter that speaks a scenario's dialect is let loose on the live endpoint; what it
got is kept if the scenario still passes on it. Only cassettes that were recorded are.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from harness.clients.conversation import first_call, next_call
from harness.clients.in_process import Output, drive
from harness.clients.interface import Call
from harness.plugin.items import CaseItem, FailedCaseError
from harness.plugin.recording import State
from harness.suite.scenario import Case, Scenario
from mockserver.cassettes import Cassette, Origin
from mockserver.dialects import base_path
from mockserver.errors import MockServerError
from mockserver.library import library
from mockserver.recording import DUMMY_KEY, provider_of

#: Seconds for one call to a live endpoint.
DEADLINE = 300.0


class Recording:
    """Exchanges the items of a session; registered as a plugin when something is recorded."""

    def __init__(self, state: State) -> None:
        self._state = state

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Put one item in place of all that play the same scenario."""
        kept: list[pytest.Item] = []
        left: list[pytest.Item] = []
        seen: set[str] = set()
        for item in items:
            if not isinstance(item, CaseItem):
                kept.append(item)
                continue
            case = item.cases[0]
            left.append(item)
            if case.variation == "recorded" and case.scenario.id not in seen:
                seen.add(case.scenario.id)
                if _was_recorded(case.scenario):
                    kept.append(self._item(item, case))
        items[:] = kept
        config.hook.pytest_deselected(items=left)

    def _item(self, item: CaseItem, case: Case) -> RecordItem:
        made = RecordItem.from_parent(
            item.parent, name=f"{case.scenario.id}/record@{case.adapter}", cases=[case]
        )
        assert isinstance(made, RecordItem)
        made.state = self._state
        return made


class RecordItem(CaseItem):
    """Asks a live endpoint what a scenario asks, and judges the client on the answer."""

    state: State

    def runtest(self) -> None:
        """Record, judge and write."""
        (case,) = self.cases
        if case.scenario.interactions is not None:
            pytest.skip("the scenario plays only part of its cassette; use 'tapecheck record'")
        try:
            self._record(case, case.scenario.cassette)
        except MockServerError as exc:
            raise FailedCaseError(str(exc)) from None

    def _record(self, case: Case, path: Path) -> None:
        old = library.load(path)
        provider = provider_of(old, self.state.providers.values())
        ends = {i.response.wire.end for i in old.interactions}
        with self.state.recorder.tape(
            path, [provider], mode=self.state.mode, name=case.scenario.id, ends=ends
        ) as tape:
            self.state.claim(path, self.nodeid)
            prefix = tape.base_url.removesuffix(provider.base_path)
            paths = [i.request.url.path for i in old.interactions]
            base_url = prefix + base_path(case.scenario.dialect, paths)
            asyncio.run(self._converse(case.scenario, base_url))
            result = tape.finish(lambda cassette: self._judge(case, cassette))
        failures = self.state.told(self, result)
        if failures:
            raise FailedCaseError("\n".join(failures))

    async def _converse(self, scenario: Scenario, base_url: str) -> None:
        adapters = self.parent.collection.plan.adapters
        adapter = next(a for a in adapters if a.name == self.cases[0].adapter)
        call: Call | None = None
        output = Output()
        for spec in scenario.turns:
            if spec.call is not None:
                call = first_call(
                    spec,
                    dialect=scenario.dialect,
                    base_url=base_url,
                    api_key=DUMMY_KEY,
                    timeout=DEADLINE,
                )
            else:
                assert call is not None
                if output.turn is None or output.turn.value is None:
                    raise FailedCaseError("the client returned no turn to continue from")
                call = next_call(call, output.turn.value, spec)
            output = await drive(adapter, call, deadline=DEADLINE)
            if output.raised is not None or output.hung:
                raise FailedCaseError(
                    output.raised or f"still running after {DEADLINE:.0f} seconds"
                )

    def _judge(self, case: Case, cassette: Cassette) -> None:
        """Play the scenario on what is about to be written."""
        with tempfile.TemporaryDirectory() as directory:
            candidate = Path(directory) / cassette.path.name
            library.write(replace(cassette, path=candidate))
            scenario = replace(case.scenario, cassette=candidate)
            self.cases = [replace(case, scenario=scenario)]
            try:
                super().runtest()
            finally:
                self.cases = [case]


def _was_recorded(scenario: Scenario) -> bool:
    origins = {i.response.wire.origin for i in library.load(scenario.cassette).interactions}
    return origins == {Origin.RECORDED}
