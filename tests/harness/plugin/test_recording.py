from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from mockserver.library import library
from mockserver.recording.recorder import Recorder
from tests.mockserver.live import KEY, Live, stream

pytest_plugins = ["pytester"]

#: A test of another project: its client is a line of urllib.
TEST = """
import json, urllib.request

def ask(tape, text="hi"):
    request = urllib.request.Request(
        tape.base_url + "/chat/completions",
        data=json.dumps({"q": text}).encode(),
        headers={"content-type": "application/json", "authorization": "Bearer " + tape.api_key},
    )
    return urllib.request.build_opener().open(request).read().decode()

def test_hello(tapecheck):
    assert "Hello" in ask(tapecheck("local"))
"""


@pytest.fixture(scope="module", autouse=True)
def loaded(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Record once before all tests.

    A pytester run in this process removes the modules that it imported. A library that imports
    parts of itself later would then load them twice, with different exception classes.
    """

    async def answer(request: web.Request) -> web.StreamResponse:
        return await stream(request, b"data: x\n\n")

    with Live(answer) as live, Recorder(environment={"LIVE_KEY": KEY}) as recorder:
        path = tmp_path_factory.mktemp("loaded") / "x.yaml"
        with recorder.tape(path, [live.provider()]) as tape:
            httpx.post(f"{tape.base_url}/x", trust_env=False)
            tape.finish()


@pytest.fixture
def project(
    pytester: pytest.Pytester, live: Live, monkeypatch: pytest.MonkeyPatch
) -> pytest.Pytester:
    monkeypatch.setenv("LIVE_KEY", KEY)
    monkeypatch.delenv("CI", raising=False)
    (pytester.path / "providers.yaml").write_text(live.providers_file())
    pytester.makeini("[pytest]\ntapecheck_providers = providers.yaml\n")
    pytester.makepyfile(test_mine=TEST)
    return pytester


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest("-p", "no:randomly", "-p", "no:cacheprovider", *arguments)


def test_record_then_replay(project: pytest.Pytester, live: Live) -> None:
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*not recorded yet: cassettes/test_mine/test_hello.yaml"])
    line = "1 recording is missing; run: pytest --record test_mine.py::test_hello"
    assert result.stdout.str().count("pytest --record") == result.stdout.str().count(line) == 1
    result = run(project, "--record")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["*tapecheck recordings*", "cassettes/test_mine/test_hello.yaml", "  wrote 1 interaction"]
    )
    path = project.path / "cassettes/test_mine/test_hello.yaml"
    assert len(library.load(path).interactions) == 1
    assert KEY not in path.read_text() + result.stdout.str() + result.stderr.str()
    live.requests.clear()
    result = run(project)
    result.assert_outcomes(passed=1)
    assert live.requests == []
    result = run(project, "--record")
    result.stdout.fnmatch_lines(["  wrote 1 interaction, 1 unchanged", "  no difference"])


def test_a_test_that_fails_writes_nothing(project: pytest.Pytester, words: dict[str, str]) -> None:
    words["text"] = "Bye"
    run(project, "--record").assert_outcomes(failed=1)
    assert not (project.path / "cassettes/test_mine/test_hello.yaml").exists()
    words["text"] = "Hello"
    run(project, "--record").assert_outcomes(passed=1)
    before = (project.path / "cassettes/test_mine/test_hello.yaml").read_bytes()
    words["text"] = "Bye"
    run(project, "--record").assert_outcomes(failed=1)
    assert (project.path / "cassettes/test_mine/test_hello.yaml").read_bytes() == before


def test_a_cassette_that_cannot_be_written_fails_the_test(
    project: pytest.Pytester, words: dict[str, str]
) -> None:
    words["text"] = (
        f'Hello {KEY[:9]}"}}}}]}}\n\ndata: {{"choices": [{{"delta": {{"content": "{KEY[9:]}'
    )
    result = run(project, "--record")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*not written:", "*deltas at choices/delta/content: a known secret*"]
    )
    assert KEY not in result.stdout.str()
    assert not (project.path / "cassettes/test_mine/test_hello.yaml").exists()


def test_requests_that_differ_from_the_cassette_fail_the_test(project: pytest.Pytester) -> None:
    run(project, "--record").assert_outcomes(passed=1)
    project.makepyfile(
        test_mine=TEST.replace(
            'assert "Hello" in ask(tapecheck("local"))', 'tapecheck("local").base_url'
        )
    )
    result = run(project)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*interaction 0 was never requested: POST /v1/chat/completions"])
    project.makepyfile(test_mine=TEST.replace('text="hi"', 'text="ho"'))
    result = run(project)
    result.assert_outcomes(failed=1, errors=0)


def test_a_test_that_fails_says_what_got_no_answer(project: pytest.Pytester, live: Live) -> None:
    run(project, "--record").assert_outcomes(passed=1)
    nobody = '"local", upstream="http://127.0.0.1:9/v1"'
    project.makepyfile(test_mine=TEST.replace('"local"', nobody))
    result = run(project, "--record")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*tapecheck recordings*",
            "cassettes/test_mine/test_hello.yaml",
            "  POST /v1/chat/completions: no answer from provider local at http://127.0.0.1:9/v1*",
        ]
    )
    assert KEY not in result.stdout.str()
    # As well where a request differs from the recorded one.
    project.makepyfile(test_mine=TEST.replace('text="hi"', 'text="ho"'))
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["  nothing recorded for POST /v1/chat/completions in *"])


def test_what_only_adds_to_a_cassette_may_ask_for_less(
    project: pytest.Pytester, live: Live
) -> None:
    run(project, "--record").assert_outcomes(passed=1)
    project.makepyfile(test_mine=TEST.replace('text="hi"', 'text="ho"'))
    result = run(project, "--tapecheck-record-mode=new_episodes")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "  wrote 2 interactions, 1 unchanged",
            "  interaction 0 was never requested: POST /v1/chat/completions; it is kept",
        ]
    )


def test_modes_by_name(
    project: pytest.Pytester, live: Live, words: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mode = "--tapecheck-record-mode="
    run(project, f"{mode}once").assert_outcomes(passed=1)
    run(project, f"{mode}once").assert_outcomes(passed=1)
    assert len(live.requests) == 1
    run(project, f"{mode}diff").assert_outcomes(passed=1)
    words["text"] = 'Hello", "refusal": "no'
    result = run(project, f"{mode}diff")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*drifted", "*field body.choices[[][]].delta.refusal appears"])
    result = run(project, f"{mode}all")
    result.stdout.fnmatch_lines(["*field body.choices[[][]].delta.refusal appears"])
    assert run(project, f"{mode}none", "--record").ret == pytest.ExitCode.USAGE_ERROR
    monkeypatch.setenv("CI", "1")
    result = run(project, "--record")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*add --record-in-ci*"])
    run(project, "--record", "--record-in-ci").assert_outcomes(passed=1)
    run(project).assert_outcomes(passed=1)


def test_old_cassettes_are_reported(project: pytest.Pytester) -> None:
    run(project, "--record").assert_outcomes(passed=1)
    path = project.path / "cassettes/test_mine/test_hello.yaml"
    text = path.read_text()
    at = text.index("at: '") + 5
    path.write_text(text[:at] + "2020" + text[at + 4 :])
    result = run(project, "--tapecheck-max-age=30d")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*days ago; re-record it"])
    result = run(project, "--tapecheck-max-age=30d", "--tapecheck-strict-age")
    result.assert_outcomes(passed=1, errors=1)


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_two_tests_do_not_record_into_one_cassette(
    workers: list[str], project: pytest.Pytester
) -> None:
    body = TEST.partition("def test_hello")[0] + (
        "import pytest\n"
        "@pytest.mark.parametrize('text', 'abcdefgh')\n"
        "def test_shared(tapecheck, text):\n"
        "    ask(tapecheck('local', cassette='shared'), text)\n"
        "@pytest.mark.parametrize('text', ['a/b', 'c d'])\n"
        "def test_own(tapecheck, text):\n"
        "    ask(tapecheck('local'), text)\n"
    )
    project.makepyfile(test_mine=body)
    result = run(project, "--record", *workers)
    result.assert_outcomes(passed=3, failed=7)
    result.stdout.fnmatch_lines(["*another * record*into it*"])
    assert len(library.load(project.path / "cassettes/shared.yaml").interactions) == 1
    names = {f.name for f in (project.path / "cassettes/test_mine").iterdir()}
    assert names == {"test_own-a-b-a3ab3ee4.yaml", "test_own-c-d-4fe3e637.yaml"}
    # The report gathers what every process has written.
    own = "cassettes/test_mine/test_own-a-b-a3ab3ee4.yaml"
    result.stdout.fnmatch_lines(["cassettes/shared.yaml", own])


def test_unused_cassettes_are_reported(project: pytest.Pytester) -> None:
    project.makepyfile(test_mine=TEST + TEST.rpartition("\n\n")[2].replace("_hello", "_other"))
    run(project, "--record").assert_outcomes(passed=2)
    project.makepyfile(test_mine=TEST)
    orphan = "cassettes/test_mine/test_other.yaml: no test uses it"
    run(project).stdout.fnmatch_lines([orphan])
    # A selection of tests does not show what is unused.
    for arguments in (["-k", "hello"], ["test_mine.py"]):
        run(project, *arguments).stdout.no_fnmatch_line(orphan)


def test_a_configured_proxy_is_bypassed(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(variable, "intra.example")
    run(project, "--record").assert_outcomes(passed=1)


def test_an_unknown_provider_is_reported(project: pytest.Pytester) -> None:
    project.makepyfile(test_mine=TEST.replace('"local"', '"locl"'))
    result = run(project, "--record")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*no provider 'locl' (did you mean local?); known providers: *"])


def test_a_missing_key_is_reported_once(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LIVE_KEY")
    result = run(project, "--record")
    result.assert_outcomes(failed=1)
    shown = result.stdout.str().partition("short test summary")[0]
    assert shown.count("provider local needs its key in LIVE_KEY") == 1
    assert "During handling" not in shown


def test_it_runs_with_the_options_of_pytest_recording(project: pytest.Pytester) -> None:
    project.makeconftest(
        """
        def pytest_addoption(parser):
            group = parser.getgroup("recording")
            group.addoption("--record-mode", default=None)
            group.addoption("--block-network", action="store_true")
            group.addoption("--disable-recording", action="store_true")
            group.addoption("--allowed-hosts", default=None)
        """
    )
    run(project, "--record", "--record-mode=none", "--block-network").assert_outcomes(passed=1)


SCENARIO = """\
scenario: toy/hello
title: A greeting
dialect: openai-chat
requires: [streaming]
source: a test
priority: P0
call: {model: m, messages: [{role: user, content: hi}]}
expect:
  turn: {response_id: c1, content: Hello, finish_reason: stop}
"""
CHUNK = (
    'data: {"id":"c%d","object":"chat.completion.chunk","created":1,"model":"m",'
    '"choices":[{"index":0,"delta":%s,"finish_reason":%s}]}\n\n'
)


class TestScenarios:
    """``pytest --record`` with an adapter under test."""

    @pytest.fixture
    def live(self, words: dict[str, str]) -> Iterator[Live]:
        async def answer(request: web.Request) -> web.StreamResponse:
            run = len(running.requests)
            delta = f'{{"role":"assistant","content":"{words["text"]}"}}'
            text = CHUNK % (run, delta, "null")
            ended = CHUNK % (run, "{}", '"stop"')
            return await stream(request, text.encode(), ended.encode(), b"data: [DONE]\n\n")

        with Live(answer) as running:
            yield running

    @pytest.fixture
    def path(self, project: pytest.Pytester, live: Live) -> Path:
        project.makeini(
            "[pytest]\ntapecheck_providers = providers.yaml\n"
            "tapecheck_adapters = openai-compat\ntapecheck_axes = none\n"
        )
        file = project.path / "specs/scenarios/toy/hello.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(SCENARIO)
        path = project.path / "cassettes/toy/hello.yaml"
        with (
            Recorder(environment={"LIVE_KEY": KEY}) as recorder,
            recorder.tape(path, [live.provider()]) as tape,
        ):
            body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
            body |= {"stream": True, "stream_options": {"include_usage": True}}
            httpx.post(f"{tape.base_url}/chat/completions", json=body, trust_env=False)
            tape.finish()
        return path

    def test_one_item_records_a_scenario(
        self, project: pytest.Pytester, path: Path, live: Live
    ) -> None:
        run(project, "specs").assert_outcomes(passed=1)
        live.requests.clear()
        live.requests.append(("", "", {}, b""))
        before = path.read_text()
        result = run(project, "specs", "--record", "-v")
        result.assert_outcomes(passed=1, deselected=1)
        result.stdout.fnmatch_lines(
            ["*toy/hello/record@openai-compat PASSED*", "  wrote 1 interaction, 1 unchanged"]
        )
        assert len(live.requests) == 2
        assert live.requests[1][2]["Authorization"] == f"Bearer {KEY}"
        new = set(path.read_text().splitlines()) - set(before.splitlines())
        assert all(line.strip().startswith("confirmed: ") for line in new)
        run(project, "specs").assert_outcomes(passed=1)

    def test_a_cassette_that_fails_its_scenario_is_not_written(
        self, project: pytest.Pytester, path: Path, words: dict[str, str]
    ) -> None:
        before = path.read_bytes()
        words["text"] = "Bye"
        result = run(project, "specs", "--record")
        result.assert_outcomes(failed=1, deselected=1)
        result.stdout.fnmatch_lines(
            ['must text: text differs at character 1: "Hello" expected, "Bye" given']
        )
        assert path.read_bytes() == before
        result = run(project, "specs", "--tapecheck-record-mode=diff")
        result.assert_outcomes(passed=1, deselected=1)
        words["text"] = 'Hello","refusal":"no'
        result = run(project, "specs", "--tapecheck-record-mode=diff")
        result.assert_outcomes(failed=1, deselected=1)
        result.stdout.fnmatch_lines(["*has drifted", "*delta.refusal appears"])
        assert path.read_bytes() == before

    def test_authored_cassettes_are_not_recorded(
        self, project: pytest.Pytester, path: Path, live: Live
    ) -> None:
        path.write_text(
            "# Authored.\n" + path.read_text().replace("origin: recorded", "origin: authored")
        )
        live.requests.clear()
        assert run(project, "specs", "--record").ret == pytest.ExitCode.NO_TESTS_COLLECTED
        assert live.requests == []
