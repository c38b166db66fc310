"""The programs behind which the SDKs for Node.js are, and the types of their kit."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.adapters.third_party import shims
from harness.judge.terms import EXPOSABLE
from harness.suite.schemas import schema

FOLDER = Path(shims.__file__).parent
KIT = FOLDER / "tapecheck-client.mjs"
PROGRAMS = sorted(FOLDER.glob("*.mjs"))
TYPES = (FOLDER / "tapecheck-client.d.mts").read_text(encoding="utf-8")
NODE = shutil.which("node") or ""
needs_node = pytest.mark.skipif(not NODE, reason="Node.js is not installed")

ERRORS = """
class Base extends Error {}
class _Inner extends Base { name = "AI_InnerError" }
const said = { statusCode: 429, responseBody: "slow", responseHeaders: { a: "1" } };
const last = Object.assign(new _Inner("429"), said);
const again = Object.assign(new Base("gave up"), { lastError: last });
const named = Object.assign(new Error("late"), { name: "TimeoutError" });
console.log(JSON.stringify([again, last, { code: 7 }, "text", undefined, named].map(described)));
"""


def test_a_shim_is_small() -> None:
    served = [p for p in PROGRAMS if p != KIT and "serve(about" in p.read_text(encoding="utf-8")]
    assert served
    for program in served:
        assert len(program.read_text(encoding="utf-8").splitlines()) <= 40, program.name


@needs_node
def test_the_programs_are_javascript() -> None:
    # Parsed, and not run: they import SDKs.
    parse = (
        "for (const p of process.argv.slice(1)) new vm.SourceTextModule(fs.readFileSync(p, 'utf8'))"
    )
    words = [NODE, "--no-warnings", "--experimental-vm-modules", "-e", parse]
    subprocess.run([*words, *map(str, PROGRAMS)], check=True, stderr=subprocess.PIPE)


@needs_node
def test_what_an_exception_says() -> None:
    program = f"import {{ described }} from {json.dumps(KIT.as_uri())};\n{ERRORS}"
    ran = subprocess.run(
        [NODE, "--input-type=module", "-e", program], capture_output=True, check=True
    )
    again, last, thing, text, nothing, named = json.loads(ran.stdout)
    # After retries the provider's words are those of the last error.
    assert again["names"] == ["Base", "Error"]
    assert (again["status"], again["body"], again["headers"]) == (429, "slow", {"a": "1"})
    assert last["names"] == ["AI_InnerError", "Inner", "Base", "Error"]
    assert (thing["names"], thing["message"]) == (["object"], '{"code":7}')
    assert thing["body"] == {"code": 7}
    assert (text["message"], nothing["message"]) == ("text", "undefined")
    assert named["names"] == ["Error", "TimeoutError"]


def test_the_types_have_all_that_the_kit_hands_out() -> None:
    kit = KIT.read_text(encoding="utf-8")
    names = re.findall(r"^export (?:async )?(?:const|class|function\*?) (\w+)", kit, re.M)
    typed = re.findall(r"^export declare (?:const|class|function) (\w+)", TYPES, re.M)
    assert {*typed} - {"Said"} == {*names}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Feature", schema("scenario")["$defs"]["feature"]["enum"]),
        ("Exposable", list(EXPOSABLE)),
    ],
)
def test_the_types_have_all_words(name: str, words: list[str]) -> None:
    stated = re.search(rf"export type {name} =(.*?);", TYPES, re.S)
    assert stated is not None
    assert re.findall(r'"(\w+)"', stated[1]) == words


def test_the_types_have_all_fields_of_a_declaration() -> None:
    fields = schema("client_message")["$defs"]["declaration"]["properties"]
    body = TYPES[TYPES.index("interface Declaration") :].partition("\n}")[0]
    assert {*re.findall(r"^  (\w+)\??:", body, re.M)} == {*fields}
    for word in (w for field in fields.values() for w in field.get("enum", ()) if w is not True):
        assert f'"{word}"' in body
