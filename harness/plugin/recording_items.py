"""Items that re-record the cassettes of scenarios, in place of the items that play them.

The first adapter that speaks a scenario's dialect calls the live endpoint; the new cassette is
written if the scenario passes on it. Authored and imported cassettes are not re-recorded.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from harness.clients.conversation import first_call, next_call
from harness.clients.hosts import Client, host_of
from harness.clients.in_process import Output
from harness.clients.interface import Call
from harness.clients.logs import LogCapture
from harness.plugin.items import CaseItem, FailedCaseError
from harness.plugin.recording import Recording
from harness.suite.scenario import Case, Scenario
from harness.wrapping.sdks import ProviderSdks
from mockserver.cassettes import Cassette, Origin
from mockserver.dialects import base_path
from mockserver.errors import MockServerError
from mockserver.library import library
from mockserver.recording import DUMMY_KEY, provider_of

#: Seconds for one call to a live endpoint.
DEADLINE = 300.0


class RecordItems:
    """Replaces the items of a session; registered as a plugin in modes that record."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Replace all items that play the same scenario by one that records it."""
        selected: list[pytest.Item] = []
        deselected: list[pytest.Item] = []
        seen: set[str] = set()
        for item in items:
            if not isinstance(item, CaseItem):
                selected.append(item)
                continue
            case = item.cases[0]
            deselected.append(item)
            if case.variation == "recorded" and case.scenario.id not in seen:
                seen.add(case.scenario.id)
                if _was_recorded(case.scenario):
                    selected.append(self._item(item, case))
        items[:] = selected
        config.hook.pytest_deselected(items=deselected)

    def _item(self, item: CaseItem, case: Case) -> RecordItem:
        record_item = RecordItem.from_parent(
            item.parent, name=f"{case.scenario.id}/record@{case.adapter}", cases=[case]
        )
        assert isinstance(record_item, RecordItem)
        record_item.recording = self._recording
        return record_item


class RecordItem(CaseItem):
    """Sends a scenario's calls to a live endpoint, and judges the client on the answer."""

    recording: Recording

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
        provider = provider_of(old, self.recording.providers.values())
        ends = {i.response.wire.end for i in old.interactions}
        with self.recording.recorder.tape(
            path,
            [provider],
            mode=self.recording.mode,
            name=case.scenario.id,
            ends=ends,
            allowed=self.recording.allowed,
            rule=self.recording.settings.rule,
        ) as tape:
            self.recording.claim(path, self.nodeid)
            prefix = tape.base_url.removesuffix(provider.base_path)
            paths = [i.request.url.path for i in old.interactions]
            base_url = prefix + base_path(case.scenario.dialect, paths)
            asyncio.run(self._converse(case.scenario, base_url))
            result = tape.finish(lambda cassette: self._judge(case, cassette))
        failures = self.recording.report(result)
        if failures:
            raise FailedCaseError("\n".join(failures))

    async def _converse(self, scenario: Scenario, base_url: str) -> None:
        adapters = self.parent.collection.plan.adapters
        with LogCapture() as logs:
            host = host_of(
                next(a for a in adapters if a.name == self.cases[0].adapter), logs, ProviderSdks()
            )
            try:
                async with host.client(fresh=True) as client:
                    await _converse(scenario, base_url, client)
            finally:
                await host.close()

    def _judge(self, case: Case, cassette: Cassette) -> None:
        """Play the scenario on the cassette before it is written."""
        with tempfile.TemporaryDirectory() as directory:
            candidate = Path(directory) / cassette.path.name
            library.write(replace(cassette, path=candidate))
            scenario = replace(case.scenario, cassette=candidate)
            self.cases = [replace(case, scenario=scenario)]
            try:
                super().runtest()
            finally:
                self.cases = [case]


async def _converse(scenario: Scenario, base_url: str, client: Client) -> None:
    """Make the calls of a scenario. Raises :class:`FailedCaseError`."""
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
        output = await client.call(call, deadline=DEADLINE, on_event=None)
        if output.hung:
            raise FailedCaseError(f"still running after {DEADLINE:.0f} seconds")
        if failure := output.ended or output.raised:
            raise FailedCaseError(failure)


def _was_recorded(scenario: Scenario) -> bool:
    origins = {i.response.wire.origin for i in library.load(scenario.cassette).interactions}
    return origins == {Origin.RECORDED}
