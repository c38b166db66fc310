from __future__ import annotations

from pathlib import Path

import pytest

from harness.clients import registry
from harness.environments import listing
from harness.errors import AdapterError, SpecError
from harness.judge.kinds import KINDS, Level
from harness.judge.terms import ERRORS, EXPOSABLE, GRANULARITIES, PROFILES
from harness.plan.planning import Settings, find_outlines
from harness.suite.schemas import schema

GOOD = """\
from harness import adapter

@adapter(dialects=["openai-chat"], features=["streaming"])
def my_client(call):
    yield {"type": "message_stop", "finish_reason": "stop"}
"""


def test_bundled_adapters_load() -> None:
    for name in registry.bundled_names():
        adapter, _ = registry.load(name)
        assert adapter.name == name


def test_a_file_with_one_adapter(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(GOOD)
    adapter, baseline = registry.load(str(path))
    assert adapter.name == "my-client"
    assert baseline.entries == ()
    assert registry.load(f"{path}:my_client")[0].name == "my-client"


def test_an_imported_adapter_is_not_the_one_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("from harness.adapters.openai_compat import openai_compat\n" + GOOD)
    assert registry.load(str(path))[0].name == "my-client"


def test_a_file_may_import_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_adapter.py").write_text("X = 1\n")
    path = tmp_path / "mine.py"
    path.write_text("import neighbour_of_adapter\n" + GOOD)
    assert registry.load(str(path))[0].name == "my-client"


def test_a_declaration_with_a_baseline(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(GOOD)
    path = tmp_path / "mine.yaml"
    path.write_text(
        "adapter: my-client\nentry: mine.py:my_client\n"
        "baseline:\n- {cases: sse/*, signature: sequence, reason: not yet}\n"
    )
    _, baseline = registry.load(str(path))
    assert baseline.entries[0].reason == "not yet"


@pytest.mark.parametrize(
    ("code", "reference", "says"),
    [
        (GOOD, "mine.py:other", "'other' is not an adapter"),
        ("x = 1\n", "mine.py", "0 adapters in this file, one expected"),
        (GOOD + GOOD.replace("my_client", "two"), "mine.py", "2 adapters in this file"),
        ("import nothing_like_this\n", "mine.py", "No module named 'nothing_like_this'"),
        ("def broken(:\n", "mine.py", "SyntaxError"),
        (GOOD.replace("streaming", "flying"), "mine.py", "unknown feature 'flying'"),
        (GOOD.replace("openai-chat", "telex"), "mine.py", "unknown dialect 'telex'"),
        (GOOD, "none.py", "no such adapter file"),
        (GOOD, "nobody", "no adapter 'nobody'"),
        (GOOD, "nothing.like.this:x", "cannot be imported"),
        (GOOD, "none.yaml", "no such adapter declaration"),
    ],
)
def test_what_cannot_be_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, reference: str, says: str
) -> None:
    (tmp_path / "mine.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AdapterError) as caught:
        registry.load(reference)
    assert says in str(caught.value)


def test_an_import_error_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("import os\n\nimport nothing_like_this\n")
    with pytest.raises(AdapterError) as caught:
        registry.load(str(path))
    assert caught.value.line == 3


def test_an_import_error_of_a_file_named_from_here_names_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here.py").write_text("import os\n\nraise RuntimeError(os.sep)\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AdapterError, match=r"here\.py:3"):
        registry.load("here.py")


def test_a_declaration_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("adapter: x\nentry: harness.nothing:y\nextra: 1\n")
    with pytest.raises(SpecError, match="extra") as caught:
        registry.load(str(path))
    assert caught.value.line == 3


@pytest.mark.parametrize(
    ("words", "says", "known"),
    [
        ('level="foo"', "level: unknown word 'foo'", "must, should, may"),
        ('errors="classes"', "errors: unknown word 'classes' (did you mean class?)", "family"),
        ('granularity="coalesced"', "granularity: unknown word 'coalesced'", "any, exact"),
        ('profile="frame"', "profile: unknown word 'frame'", "chunks, accumulator, framework"),
        ('exposes=["modell"]', "exposes: unknown word 'modell' (did you mean model?)", "usage"),
        ("level=3", "level: unknown word 3", "must, should, may"),
    ],
)
def test_an_unknown_word_of_a_decorator(tmp_path: Path, words: str, says: str, known: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(GOOD.replace('features=["streaming"]', f'features=["streaming"], {words}'))
    with pytest.raises(AdapterError) as caught:
        registry.load(str(path))
    assert str(caught.value).startswith(f"{path}:3: {says}")
    assert known in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("level: foo", "level: 'foo' is not one of ['must', 'should', 'may']"),
        ("errors: classes", "errors: 'classes' is not one of ['class', 'family', 'none']"),
        ("granularity: coalesced", "granularity: 'coalesced' is not one of ['any', 'exact']"),
        ("profile: frame", "profile: 'frame' is not one of ['chunks', 'accumulator',"),
        ("exposes: [modell]", "'retryable', 'hosted_tools', 'warnings'] (did you mean model?)"),
        ("idle_timeout: 7", "idle_timeout: 7 is not one of ['none']"),
    ],
)
def test_an_unknown_word_of_a_declaration(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "mine.py").write_text(GOOD)
    path = tmp_path / "mine.yaml"
    path.write_text(f"adapter: my-client\nentry: mine.py:my_client\n{line}\n")
    with pytest.raises(SpecError) as caught:
        registry.load(str(path))
    assert (caught.value.line, caught.value.exit_code) == (3, 2)
    assert says in caught.value.message


def test_a_declaration_wins_over_the_decorator(tmp_path: Path) -> None:
    words = 'profile="chunks", errors="none", level="may"'
    code = GOOD.replace('features=["streaming"]', f'features=["streaming"], {words}')
    (tmp_path / "mine.py").write_text(code)
    path = tmp_path / "mine.yaml"
    path.write_text(
        "adapter: my-client\nentry: mine.py:my_client\nexposes: [model]\nlevel: should\n"
        "idle_timeout: none\n"
    )
    adapter = registry.load(str(path))[0]
    assert adapter.exposes == {"model"}
    assert (adapter.errors, adapter.level, adapter.gives_up) == ("none", Level.SHOULD, False)


def test_the_schemas_know_the_words_of_the_code() -> None:
    known = schema("adapter")["properties"]
    assert known["exposes"]["items"]["enum"] == list(EXPOSABLE)
    assert known["profile"]["enum"] == list(PROFILES)
    assert known["errors"]["enum"] == list(ERRORS)
    assert known["granularity"]["enum"] == list(GRANULARITIES)
    assert known["level"]["enum"] == list(Level)
    raised = schema("scenario")["properties"]["must"]["items"]["enum"]
    assert raised == [kind for kind in KINDS if kind not in ("stale", "setup")]


def test_the_bundled_clients_are_held_to_all_that_is_known() -> None:
    for name in registry.bundled_names():
        terms = registry.load(name)[0].terms
        assert (terms.level, terms.errors, terms.granularity) == (Level.MAY, "class", "exact")
        assert terms.exposes == EXPOSABLE.keys()


def test_every_feature_says_what_it_means() -> None:
    feature = schema("scenario")["$defs"]["feature"]
    assert list(feature["descriptions"]) == feature["enum"]
    assert all(feature["descriptions"].values())


def test_every_known_failure_of_a_third_party_client_names_scenarios() -> None:
    scenarios = [outline.id for outline in find_outlines(Settings())]
    for client in listing.third_parties().values():
        registry._baseline_of(client.file).check_names(scenarios)
