import json
from types import SimpleNamespace

import pytest

from harness.judge.request import request
from harness.judge.terms import Terms
from harness.judge.transcript import SeenRequest
from harness.suite.scenario import RequestSpec, StepSpec

KEY = "sk-tapecheck-0123"
POST = ("POST", "/v1/responses", "")
GET = ("GET", "/v1/responses/resp_1", "stream=true&starting_after=7")
SEQUENCE = (
    StepSpec(line="POST /v1/responses"),
    StepSpec(line="GET /v1/responses/resp_1?stream=true&starting_after=7"),
)
FORM = ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")


def seen(method, path, query, key=KEY, *, headers=(), body=b""):
    return SeenRequest(
        method=method,
        path=path,
        query=query,
        headers=(("Authorization", f"Bearer {key}"), *headers),
        body=body,
        exchange=0,
    )


def findings(spec, *requests, terms=None, dialect="openai-chat"):
    reading = SimpleNamespace(
        spec=SimpleNamespace(request=spec, key_path=()),
        record=SimpleNamespace(requests=requests),
        transcript=SimpleNamespace(api_key=KEY),
        terms=terms or Terms(),
        case=SimpleNamespace(scenario=SimpleNamespace(dialect=dialect)),
    )
    return list(request(reading))


def found(spec, *requests):
    return [finding.key_path for finding in findings(spec, *requests)]


@pytest.mark.parametrize(
    ("requests", "places"),
    [
        ([seen(*POST), seen(*GET)], []),
        ([seen(*POST)], [("request", "sequence")]),
        ([seen(*GET), seen(*POST)], [("request", "sequence")]),
        (
            [seen(*POST), seen(GET[0], GET[1], "stream=true&starting_after=8")],
            [("request", "sequence")],
        ),
        ([seen(*POST), seen(*GET, key="another")], [("request", "headers", "authorization")]),
    ],
)
def test_a_sequence_names_every_request(requests, places):
    headers = {"authorization": "Bearer {api_key}"}
    assert found(RequestSpec(sequence=SEQUENCE, headers=headers), *requests) == places


def test_without_a_sequence_headers_are_those_of_the_first():
    spec = RequestSpec(count=2, headers={"authorization": "Bearer {api_key}"})
    assert found(spec, seen(*POST), seen(*GET, key="another")) == []
    assert found(spec, seen(*POST, key="another"), seen(*GET)) == [
        ("request", "headers", "authorization")
    ]


def test_each_request_of_a_sequence_has_headers_of_its_own():
    old, new = {"authorization": "Bearer {api_key}"}, {"authorization": "Bearer new"}
    steps = (
        StepSpec(line="POST /v1/responses", headers=old),
        StepSpec(line="POST /v1/responses", headers=new),
    )
    spec = RequestSpec(sequence=steps, headers={"x-extra": None})
    assert found(spec, seen(*POST), seen(*POST, key="new")) == []
    assert found(spec, seen(*POST), seen(*POST)) == [
        ("request", "sequence", 1, "headers", "authorization")
    ]
    extra = seen(*POST, key="new", headers=[("X-Extra", "1")])
    assert found(spec, seen(*POST, key="new"), extra) == [
        ("request", "headers", "x-extra"),
        ("request", "sequence", 0, "headers", "authorization"),
    ]


@pytest.mark.parametrize(
    ("headers", "body", "places"),
    [
        ([FORM], b"a=1&b=x+y", []),
        ([], b'{"a":"1","b":"x y"}', []),
        ([FORM], b"a=2&b=x+y", [("body", "contains", "a")]),
        ([FORM], b"a=1&b=x+y&c=", [("body", "absent")]),
        ([FORM], b"nonsense", [()]),
        ([FORM], b"\xff=1", [()]),
        ([], b"a=1&b=x+y", [()]),
        ([], b"[]", [()]),
        ([], b"[" * 100_000, [()]),
    ],
)
def test_a_body_is_json_or_a_form(headers, body, places):
    wanted = {"contains": {"a": "1", "b": "x y"}, "absent": ("/c",)}
    one = seen(*POST, headers=headers, body=body)
    assert found(RequestSpec(**wanted), one) == [("request", *place) for place in places]
    steps = (StepSpec(line="POST /v1/responses", **wanted),)
    at = ("request", "sequence", 0)
    assert found(RequestSpec(sequence=steps), one) == [(*at, *place) for place in places]


@pytest.mark.parametrize(
    ("wanted", "key", "observed"),
    [
        ("Bearer new", KEY, "Bearer {api_key}"),
        ("Bearer new", "sk-of-somebody", "a different value"),
        ("Bearer {api_key}", "sk-of-somebody", "a different value"),
        (None, KEY, "Bearer {api_key}"),
    ],
)
def test_no_key_is_shown(wanted, key, observed):
    spec = RequestSpec(headers={"authorization": wanted})
    (finding,) = findings(spec, seen(*POST, key=key))
    assert (finding.expected, finding.observed) == (wanted, observed)


def test_other_headers_are_shown():
    spec = RequestSpec(headers={"openai-beta": "b", "x-none": "c"})
    shown = [f.observed for f in findings(spec, seen(*POST, headers=[("OpenAI-Beta", "a")]))]
    assert shown == ["a", None]


# --- kinds


def kinds(spec, *requests, terms=None):
    return [finding.kind for finding in findings(spec, *requests, terms=terms)]


@pytest.mark.parametrize(("count", "kind"), [(1, "no-retry"), (2, None), (3, "extra-request")])
def test_the_number_of_requests(count, kind):
    assert kinds(RequestSpec(count=2), *[seen(*POST)] * count) == ([kind] if kind else [])


@pytest.mark.parametrize(
    ("requests", "kind"),
    [
        ([POST, GET, GET], "extra-request"),
        ([POST], "no-retry"),
        ([GET, POST], "wrong-request"),
        ([POST, POST], "wrong-request"),
    ],
)
def test_the_order_of_requests(requests, kind):
    assert kinds(RequestSpec(sequence=SEQUENCE), *(seen(*r) for r in requests)) == [kind]


def test_a_request_to_another_path_is_for_something_else():
    assert kinds(RequestSpec(path="/v1/models"), seen(*POST)) == ["wrong-request"]


ASSISTANT = {"role": "assistant", "tool_calls": [{"id": "call_a", "function": {"name": "f"}}]}
RESULT = {"role": "tool", "tool_call_id": "call_a", "content": "12 degrees"}
ITEM = {"type": "reasoning", "id": "rs_1", "encrypted_content": "opaque"}


def sent(**body):
    return seen(*POST, body=json.dumps(body).encode())


@pytest.mark.parametrize(
    ("wanted", "body", "kind"),
    [
        # The same content in another form.
        ([ASSISTANT, RESULT], [ASSISTANT, {**RESULT, "content": ["12 degrees"]}], "request-form"),
        ([{"role": "user", "content": "Hi"}], [{"content": [{"text": "Hi"}]}], "request-form"),
        # The result, or the id of its call, is gone.
        ([ASSISTANT, RESULT], [ASSISTANT], "not-sent-back"),
        ([ASSISTANT, RESULT], [ASSISTANT, {**RESULT, "content": "none"}], "not-sent-back"),
        ([ASSISTANT, RESULT], [{**RESULT, "tool_call_id": "call_b"}], "not-sent-back"),
    ],
)
def test_what_must_go_back(wanted, body, kind):
    spec = RequestSpec(contains={"messages": wanted})
    assert kinds(spec, sent(messages=body)) == [kind]


def test_opaque_items_must_go_back_if_the_client_exposes_them():
    spec = RequestSpec(contains={"input": [ITEM]})
    without = sent(input=[{"type": "reasoning", "id": "rs_1"}])
    exposes = Terms(exposes=frozenset({"signatures"}))
    assert kinds(spec, without, terms=exposes) == ["not-sent-back"]
    assert kinds(spec, without) == ["request-form"]
    assert kinds(spec, sent(input=[]), terms=Terms()) == ["not-sent-back"]


@pytest.mark.parametrize(
    ("key", "kind"), [("previous_response_id", "not-sent-back"), ("temperature", "request-form")]
)
def test_fields_outside_of_the_conversation(key, kind):
    assert kinds(RequestSpec(contains={key: "x"}), sent(other=1)) == [kind]


PICTURE = "https://images.example/a.png"
PROMPT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "What?"}, {"image_url": PICTURE}]},
    {"role": "user", "content": [{"image_url": {"url": "data:image/png;base64,aGk="}}]},
]
IMAGES = [{"image_url": PICTURE}, {"image_url": "data:image/png;base64,aGk="}]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"messages": PROMPT}, []),
        ({"messages": [{"text": "Be brief.\n\nWhat?"}, *IMAGES]}, ["request-form"]),
        ({"system": "Be brief.", "messages": ["What?", *IMAGES]}, ["request-form"]),
        ({"system": "Be brief.", "messages": IMAGES}, ["wrong-request"]),
        ({"messages": ["What?", *IMAGES]}, ["wrong-request"]),
        ({"messages": ["Be brief.", "What?", IMAGES[0]]}, ["wrong-request"]),
        ({"messages": ["Be brief.", "What?", IMAGES[1]]}, ["wrong-request"]),
        ({}, ["wrong-request"]),
        ({"messages": IMAGES, "previous_response_id": "resp_1"}, ["request-form"]),
    ],
)
def test_what_the_prompt_says_and_shows_is_sent(body, found):
    assert kinds(RequestSpec(contains={"messages": PROMPT}), sent(**body)) == found


def test_a_body_is_compared_in_the_one_form_of_its_dialect():
    wanted = {"contents": [{"role": "model", "parts": [{"functionCall": {"id": "k1"}}]}]}
    spec = RequestSpec(contains=wanted)
    calls = [{"text": ""}, {"function_call": {"id": "k1"}}]
    split = [{"role": "model", "parts": [part]} for part in calls]
    body = json.dumps({"contents": split}).encode()
    post = ("POST", "/v1/models/x:generateContent", "")
    assert findings(spec, seen(*post, body=body), dialect="gemini") == []
    assert len(findings(spec, seen(*post, body=body))) == 1
