from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]
ADAPTER = '''
from harness import adapter
from harness.adapters import openai_compat

@adapter(dialects=["openai-chat"], features=["streaming", "non_streaming"])
async def mine(call):
    """Loses a word if DROP is set."""
    async for item in openai_compat.openai_compat.run(call):
        if not (DROP and getattr(item, "delta", "") == DROP):
            yield item

DROP = ""
'''
#: Takes every stream that ends early for a whole one.
CREDULOUS = """
from harness import adapter
from harness.adapters import openai_compat
from mockserver.vocabulary.model import ErrorEvent, FinishReason, MessageStop

@adapter(dialects=["openai-chat"], features=["streaming"])
async def mine(call):
    async for item in openai_compat.openai_compat.run(call):
        if isinstance(item, ErrorEvent) and item.error.error_class == "truncated_stream":
            yield MessageStop(finish_reason=FinishReason.STOP, raw_finish_reason="stop")
            return
        yield item
"""
#: Few cases, and the same in every test.
FEW = "openai-chat and text-basic"


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with an adapter, a scenario, and a test of its own."""
    pytester.makepyfile(mine=ADAPTER)
    pytester.makepyfile(
        **{"tests/test_own": "def test_own(tapecheck_server):\n    assert tapecheck_server.url\n"}
    )
    pytester.makeini(
        """
        [pytest]
        testpaths = tests
        tapecheck_adapters = mine.py
        tapecheck_axes = framing=one-byte
        """
    )
    for kind, name in (("specs/scenarios", "toy/hello"), ("cassettes", "toy/hello")):
        source = ROOT / kind / "openai-chat/text-basic.yaml"
        path = pytester.path / kind / f"{name}.yaml"
        path.parent.mkdir(parents=True)
        text = source.read_text(encoding="utf-8")
        text = text.replace("scenario: openai-chat/text-basic", "scenario: toy/hello")
        path.write_text(text.replace("twin: openai-chat/nonstream-basic/text\n", ""))
    return pytester


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest_subprocess("-p", "no:randomly", "-p", "no:cacheprovider", *arguments)


def test_without_an_adapter_nothing_happens(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_nothing_is_loaded(request):
            heavy = {"aiohttp", "jsonschema", "yaml", "harness.run", "mockserver.serving"}
            assert not heavy & sys.modules.keys()
            assert not request.config.pluginmanager.has_plugin("tapecheck-collection")
        """
    )
    result = run(pytester)
    result.assert_outcomes(passed=1)


def test_bundled_and_own_scenarios_run_with_the_projects_tests(
    project: pytest.Pytester,
) -> None:
    result = run(project, "-v", "-k", f"test_own or toy or ({FEW})")
    result.stdout.fnmatch_lines_random(
        [
            "tests/test_own.py::test_own PASSED*",
            "specs/scenarios/toy/hello.yaml::toy/hello/recorded@mine PASSED*",
            "specs/scenarios/toy/hello.yaml::toy/hello/framing=one-byte@mine PASSED*",
            "specs/scenarios/toy/hello.yaml::toy/hello/hold=2@mine PASSED*",
            "specs/scenarios/toy/hello.yaml::toy/hello/faults@mine PASSED*",
            "tapecheck::openai-chat/text-basic/recorded@mine PASSED*",
            "tapecheck::openai-chat/text-basic/faults@mine PASSED*",
        ]
    )
    result.assert_outcomes(passed=11, deselected=result.parseoutcomes()["deselected"])


@pytest.mark.parametrize(
    ("arguments", "passed"),
    [
        (["tests"], 1),
        (["specs/scenarios"], 5),
        (["specs/scenarios/toy/hello.yaml", "--no-tapecheck-faults"], 4),
        (["specs/scenarios/toy/hello.yaml::toy/hello/hold=2@mine"], 1),
        (["tapecheck::openai-chat/text-basic/recorded@mine", "tests"], 2),
        (["--tapecheck-axes", "none", "--no-tapecheck-faults", "specs"], 3),
        (["-m", "not tapecheck"], 1),
    ],
)
def test_paths_and_names_select(
    project: pytest.Pytester, arguments: list[str], passed: int
) -> None:
    result = run(project, *arguments)
    assert result.ret == 0
    assert result.parseoutcomes()["passed"] == passed


def test_a_failure_is_explained_without_a_traceback(project: pytest.Pytester) -> None:
    path = project.path / "mine.py"
    path.write_text(path.read_text().replace('DROP = ""', 'DROP = " and smile"'))
    result = run(project, "specs/scenarios", "--no-tapecheck-faults")
    result.assert_outcomes(failed=4)
    text = result.stdout.str()
    assert "Traceback" not in text
    assert "pytest_items.py" not in text
    assert "httpx:_client" not in text
    result.stdout.fnmatch_lines(
        [
            "*toy/hello/recorded@mine*",
            'must text: text differs at character 34: " and smile. 👋" expected, *',
            "FAIL  toy/hello/recorded@mine",
            'must text: text differs at character 34: " and smile. 👋" expected, *',
            "  specs/scenarios/toy/hello.yaml:*",
            "replay: tapecheck explain toy/hello/recorded@mine --adapter *mine.py --scenarios *",
            "FAILED specs/scenarios/toy/hello.yaml::toy/hello/recorded@mine - must *",
        ]
    )


def test_a_failed_sweep_is_one_item(project: pytest.Pytester) -> None:
    project.makepyfile(mine=CREDULOUS)
    # The first wire event opens the stream, the seventh has the finish_reason.
    result = run(project, "specs/scenarios/toy/hello.yaml::toy/hello/faults@mine")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "6 of 30 faults failed: *",
            "cut=1, cut=2, cut=3, cut=4, cut=5, cut=6",
            "FAIL  toy/hello/cut=1@mine",
        ]
    )


def test_an_undeclared_feature_is_skipped_with_its_reason(project: pytest.Pytester) -> None:
    path = project.path / "specs/scenarios/toy/hello.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[streaming]", "[streaming, tools]"), encoding="utf-8")
    result = run(project, "-rs", "specs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED * does not declare tools"])


def test_known_failures_are_expected_and_stale_ones_fail(project: pytest.Pytester) -> None:
    path = project.path / "mine.py"
    path.write_text(path.read_text().replace('DROP = ""', 'DROP = " and smile"'))
    declaration = project.path / "mine.yaml"
    entry = "{{cases: toy/hello/{}, signature: fold+sequence, reason: it smiles not}}"
    entries = "\n".join(f"- {entry.format(f'hold={n}')}" for n in (2, 4))
    declaration.write_text(f"adapter: mine\nentry: mine.py:mine\nbaseline:\n{entries}\n")
    arguments = ("specs", "--no-tapecheck-faults", "--tapecheck-adapter", "mine.yaml", "-rx")
    result = run(project, *arguments)
    result.assert_outcomes(xfailed=2, failed=2)
    result.stdout.fnmatch_lines(["XFAIL *toy/hello/hold=2@mine - *it smiles not"])
    path.write_text(ADAPTER)
    result = run(project, *arguments)
    result.assert_outcomes(failed=2, passed=2)
    result.stdout.fnmatch_lines(["*stale baseline entry: expected to fail by *, but it does not*"])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--tapecheck-adapter", "nobody"], "no adapter 'nobody'"),
        (["--tapecheck-adapter", "missing.py"], "*missing.py: no such adapter file"),
        (["--tapecheck-scenarios", "missing"], "ERROR: file or directory not found: *missing"),
        (["tapecheck::no/such@case"], "no case 'no/such@case'"),
        (["--tapecheck-axes", "fast"], "*axes are none, pairwise, all*"),
    ],
)
def test_a_usage_error_is_reported_without_a_traceback(
    project: pytest.Pytester, arguments: list[str], expected: str
) -> None:
    result = run(project, *arguments)
    assert result.ret not in {0, 1}
    text = f"{result.stdout.str()}\n{result.stderr.str()}"
    assert "pytest_items.py" not in text
    assert "INTERNALERROR" not in text
    pytest.LineMatcher(text.splitlines()).fnmatch_lines([expected])


def test_a_broken_scenario_of_the_project_is_named(project: pytest.Pytester) -> None:
    with (project.path / "specs/scenarios/toy/hello.yaml").open("a") as file:
        file.write("surprise: 1\n")
    result = run(project, "specs")
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*toy/hello.yaml:*: Additional properties are not allowed *"])


def test_workers_share_the_items(project: pytest.Pytester) -> None:
    run(project, "-n", "2", "specs", "tests").assert_outcomes(passed=6)


def test_the_last_failed_are_run_again(project: pytest.Pytester) -> None:
    path = project.path / "mine.py"
    path.write_text(path.read_text().replace('DROP = ""', 'DROP = " and smile"'))
    arguments = ("-p", "no:randomly", "--no-tapecheck-faults", "-k", f"test_own or toy or ({FEW})")
    result = project.runpytest_subprocess(*arguments)
    result.assert_outcomes(failed=8, passed=1, deselected=result.parseoutcomes()["deselected"])
    path.write_text(ADAPTER)
    result = project.runpytest_subprocess(*arguments, "--lf")
    assert result.parseoutcomes()["passed"] == 8


def test_results_as_xml(project: pytest.Pytester) -> None:
    run(project, "specs", "--junitxml", "out.xml")
    root = ElementTree.fromstring((project.path / "out.xml").read_bytes())
    names = {case.get("name") for case in root.iter("testcase")}
    assert "toy/hello/recorded@mine" in names
    assert len(names) == 5


def test_the_fixture_serves_own_and_bundled_cassettes(project: pytest.Pytester) -> None:
    project.makepyfile(
        **{
            "tests/test_server": """
            import httpx

            def test_pinned(tapecheck_server):
                for name in ("toy/hello", "openai-chat/text-basic"):
                    url = f"{tapecheck_server.url}/c/{name}/v1/chat/completions"
                    assert "[DONE]" in httpx.post(url, json={}).text

            def test_session(tapecheck_server):
                with tapecheck_server.session("toy/hello") as session:
                    httpx.post(f"{session.url}/v1/chat/completions", json={"model": "m"})
                    assert [e.body for e in session.journal] == [b'{"model":"m"}']
            """
        }
    )
    run(project, "tests/test_server.py").assert_outcomes(passed=2)


def test_the_plugin_is_light() -> None:
    code = (
        "import sys, harness.plugin.options\n"
        "heavy = {'aiohttp', 'jsonschema', 'yaml', 'rich', 'httpx', 'click'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "[]\n"


def test_a_client_that_ends_its_process_does_not_end_pytest(project: pytest.Pytester) -> None:
    project.makepyfile(
        mine="""
        import os
        from harness import adapter

        @adapter(dialects=["openai-chat"], features=["streaming"])
        async def mine(call):
            os._exit(0)
            yield
        """
    )
    result = run(project, "specs/scenarios", "--no-tapecheck-faults")
    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines(["must process ending: the client ended its process (exit code 0)"])


def test_an_interrupt_ends_pytest_and_the_client(project: pytest.Pytester) -> None:
    """The client sends the interrupt itself, and would wait for ever."""
    project.makepyfile(
        mine="""
        import os, signal, time
        from harness import adapter

        @adapter(dialects=["openai-chat"], features=["streaming"])
        async def mine(call):
            os.kill(os.getppid(), signal.SIGINT)
            time.sleep(1000)
            yield
        """
    )
    result = run(project, "specs/scenarios", "--no-tapecheck-faults")
    assert result.ret == pytest.ExitCode.INTERRUPTED


LENIENT = """
from harness import adapter
from harness.adapters import openai_compat

@adapter(dialects=["openai-chat"], features=["streaming"], granularity="exact")
async def mine(call):
    async for item in openai_compat.openai_compat.run(call):
        if getattr(item, "delta", "") == " and smile":
            yield {"type": "content_delta", "delta": " and"}
            yield {"type": "content_delta", "delta": " smile"}
        else:
            yield item
"""


@pytest.mark.parametrize(
    ("arguments", "ini", "failed"),
    [
        ((), "", 0),
        (("--tapecheck-level=may",), "", 1),
        ((), "tapecheck_level = may", 1),
        (("--tapecheck-level=must",), "tapecheck_level = may", 0),
    ],
)
def test_the_level_decides_what_fails(
    project: pytest.Pytester, arguments: tuple[str, ...], ini: str, failed: int
) -> None:
    (project.path / "mine.py").write_text(LENIENT)
    project.makeini(f"[pytest]\ntapecheck_adapters = mine.py\n{ini}\n")
    case = "specs/scenarios/toy/hello.yaml::toy/hello/recorded@mine"
    result = run(project, case, "--no-tapecheck-faults", *arguments)
    result.assert_outcomes(failed=failed, passed=1 - failed)


def test_a_level_that_does_not_exist(project: pytest.Pytester) -> None:
    result = run(project, "specs/scenarios", "--tapecheck-level=foo")
    assert "tapecheck level 'foo' does not exist" in result.stdout.str() + result.stderr.str()
    assert "known are must, should, may" in result.stdout.str() + result.stderr.str()
    assert result.ret != 0
