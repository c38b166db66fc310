from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness import cli
from tests.harness.commands.small_suite import use_only

CLIENT = """
from dataclasses import replace
from harness import adapter
from harness.adapters import openai_compat

@adapter(dialects=["openai-chat"], features=["streaming"]{declared})
async def mine(call):
    async for item in openai_compat.openai_compat.run(call):
        yield {item}
"""
#: The same client after a release that lost a field.
LOST = 'replace(item, response_id=None) if hasattr(item, "response_id") else item'
WRITTEN = Path(".tapecheck/exposes/mine.yaml")


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Runs a client with a suite of one scenario, and returns the exit code and stderr."""
    use_only("openai-chat/text-basic", tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)

    def play(item: str = "item", declared: str = "", *options: str) -> tuple[int, str]:
        Path("mine.py").write_text(CLIENT.format(item=item, declared=declared))
        with pytest.raises(SystemExit) as raised:
            cli.main(["run", "--adapter", "mine.py", "--axes", "none", "--no-faults", *options])
        assert isinstance(raised.value.code, int)
        captured = capfd.readouterr()
        shown = captured.out + captured.err
        return raised.value.code, shown

    return play


def test_the_first_whole_run_writes_down_what_a_client_exposes(
    run: Callable[..., tuple[int, str]],
) -> None:
    code, shown = run()
    assert code == 0
    assert shown.count(f"wrote to {WRITTEN} what mine exposes") == 1
    text = WRITTEN.read_text(encoding="utf-8")
    assert "response_id" in text
    assert "retry_after" not in text
    code, shown = run()
    assert (code, "wrote to" in shown) == (0, False)
    assert WRITTEN.read_text(encoding="utf-8") == text


def test_a_field_that_vanishes_fails_the_next_whole_run(
    run: Callable[..., tuple[int, str]],
) -> None:
    run()
    code, shown = run(LOST)
    assert code == 1
    assert "mine gave response_id before and does not any more" in " ".join(shown.split())


@pytest.mark.parametrize("options", [("openai-chat/text-basic",), ("--priority", "P0"), ("-x",)])
def test_a_part_of_the_suite_finds_nothing_out(
    run: Callable[..., tuple[int, str]], options: tuple[str, ...]
) -> None:
    assert run("item", "", *options)[0] == 0
    assert not WRITTEN.exists()


def test_a_part_of_the_suite_uses_what_is_written_down(
    run: Callable[..., tuple[int, str]],
) -> None:
    run()
    code, shown = run(LOST, "", "openai-chat/**")
    assert code == 0, shown
    assert run(LOST, "", "openai-chat/**", "--level", "should")[0] == 1


def test_what_is_declared_is_not_found_out(run: Callable[..., tuple[int, str]]) -> None:
    assert run("item", ', profile="framework"')[0] == 0
    assert not WRITTEN.exists()
