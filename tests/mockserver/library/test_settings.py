from __future__ import annotations

from pathlib import Path

import pytest

from mockserver.errors import SettingsError
from mockserver.library.rule import Rule
from mockserver.library.settings import Settings, find

IGNORED = Settings(Rule.of([], ["body.metadata"]))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tapecheck.toml", 'ignore = ["body.metadata"]'),
        ("pyproject.toml", '[tool.tapecheck]\nignore = ["body.metadata"]'),
    ],
)
def test_the_nearest_file_counts(tmp_path: Path, name: str, text: str) -> None:
    inside = tmp_path / "project" / "tests" / "deep"
    inside.mkdir(parents=True)
    (tmp_path / "tapecheck.toml").write_text("repeat = false")
    (tmp_path / "project" / name).write_text(text)
    (tmp_path / "project" / "tests" / "pyproject.toml").write_text("[project]\n")
    assert find(inside) == IGNORED
    assert find(tmp_path) == Settings(repeat=False)


def test_the_search_ends_at_the_repository(tmp_path: Path) -> None:
    (tmp_path / "tapecheck.toml").write_text("repeat = false")
    inside = tmp_path / "repository"
    (inside / ".git").mkdir(parents=True)
    assert find(inside) == Settings()


def test_a_broken_file_of_other_tools_is_theirs(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "pyproject.toml").write_text("[broken")
    assert find(tmp_path) == Settings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[broken", "cannot be read"),
        ("ignored = []", r"unknown key 'ignored' \(did you mean ignore\?\)"),
        ("ignore = 'body.x'", "ignore must be a list"),
        ("match-on = [1]", "match-on must be a list"),
        ("repeat = 1", "repeat must be true or false"),
        ("ignore = ['bodi.x']", "unknown part 'bodi.x'"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "tapecheck.toml").write_text(text)
    with pytest.raises(SettingsError, match=rf"tapecheck\.toml: .*{message}"):
        find(tmp_path)


def test_a_table_of_the_wrong_kind_is_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool]\ntapecheck = 1")
    with pytest.raises(SettingsError, match=r"tool\.tapecheck must be a table"):
        find(tmp_path)
