"""Programs that speak the client protocol, or do not: one for each name on the command line.

Standard library only, so that they start fast.
"""

from __future__ import annotations

import json
import os
import sys
import time

EVENT = {"type": "content_delta", "delta": "x"}
STOP = {"type": "message_stop", "finish_reason": "stop", "raw_finish_reason": "stop"}
CHUNK = {"id": "c1", "model": "m", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}
LAST = {"id": "c1", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
DECLARED = {"name": "x", "dialects": ["openai-chat"], "features": ["streaming"]}


def send(*messages: object) -> None:
    for message in messages:
        print(json.dumps(message), flush=True)


def answer(number: int, *data: object) -> None:
    for one in data:
        send({"type": "event", "id": number, "data": one})
    send({"type": "done", "id": number})


def native(number: int, *data: object) -> None:
    for one in data:
        send({"type": "native", "id": number, "data": one})
    send({"type": "done", "id": number})


def failed(number: int, **error: object) -> None:
    send({"type": "failed", "id": number, "error": error}, {"type": "done", "id": number})


def called(name: str, call: dict[str, object]) -> None:
    number = call["id"]
    assert isinstance(number, int)
    match name:
        case "good":
            answer(number, EVENT, STOP)
        case "native":
            native(number, CHUNK, LAST)
        case "native-no-end":
            native(number, CHUNK)
        case "native-nothing":
            native(number)
        case "native-turn":
            message = {"role": "assistant", "content": "Hi"}
            whole = {"id": "c1", "choices": [{"message": message, "finish_reason": "stop"}]}
            send({"type": "native_turn", "id": number, "data": whole})
            send({"type": "done", "id": number})
        case "unknown-form":
            send({"type": "native", "id": number, "data": {}, "form": "esperanto"})
        case "echo":
            answer(number, {"type": "content_delta", "delta": json.dumps(call)}, STOP)
        case "documented":
            failed(number, names=["ApiError", "Exception"], message="no", status=429)
        case "foreign":
            key = call["api_key"]
            failed(number, names=["TypeError"], message="odd", traceback=f"in x with {key}")
        case "junk":
            print("Debug: connected", flush=True)
            answer(number, EVENT, STOP)
        case "unknown-id":
            answer(number + 7, EVENT, STOP)
        case "unreadable":
            deep = json.loads("[" * 500 + "]" * 500)
            native(number, {"choices": [{"index": 0, "delta": {"content": deep}}]})
        case "two-hellos":
            hello()
        case "crash":
            print("about to fall over", file=sys.stderr, flush=True)
            sys.exit(3)
        case "flood":
            while True:
                send({"type": "event", "id": number, "data": {**EVENT, "delta": "x" * 500_000}})
        case "flood-of-errors":
            for _ in range(2000):
                print("x" * 1000, file=sys.stderr)
            answer(number, EVENT, STOP)
        case "big":
            answer(number, {"type": "content_delta", "delta": "x" * 10_000_000}, STOP)
        case "half-characters":
            answer(number, {"type": "content_delta", "delta": "\ud83d"}, STOP)
        case "not-run":
            send({"type": "not_run", "id": number, "message": "the disk is full"})
        case "not-run-with-key":
            said = f"the key is {call['api_key']}"
            send({"type": "not_run", "id": number, "message": said})
        case "hang" | "deaf":
            send({"type": "event", "id": number, "data": EVENT})


def hello() -> None:
    send({"type": "hello", "protocol": 1, "declaration": DECLARED})


def main(name: str) -> None:
    if name == "refuses":
        send({"type": "refused", "message": "the SDK is not installed", "hint": "npm i"})
        return
    if name == "declares-nonsense":
        send({"type": "hello", "protocol": 1, "declaration": {**DECLARED, "feature": ["x"]}})
    elif name == "declares-an-unknown-feature":
        send({"type": "hello", "protocol": 1, "declaration": {**DECLARED, "features": ["toools"]}})
    else:
        hello()
    waiting: list[dict[str, object]] = []
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "call" and name == "in-any-order":
            waiting.append(message)
            if len(waiting) == 1000:
                for call in reversed(waiting):
                    assert isinstance(call["id"], int)
                    answer(call["id"], {"type": "content_delta", "delta": str(call["model"])}, STOP)
        elif message["type"] == "call":
            called(name, message)
        elif message["type"] == "cancel" and name != "deaf":
            send({"type": "done", "id": message["id"]})
    if name == "deaf":
        time.sleep(60)


if __name__ == "__main__":
    os.environ.pop("COVERAGE_PROCESS_START", None)
    main(sys.argv[1])
