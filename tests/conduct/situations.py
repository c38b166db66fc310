"""What goes wrong, in the words of a script."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mockserver.testing.llm import Llm

Situation = Callable[[Llm], object]

TEXT = "one two three four five six seven eight"

SITUATIONS: Mapping[str, Situation] = {
    "nothing": lambda llm: llm.say(TEXT),
    "429 twice, then an answer": lambda llm: llm.fail(429, retry=0.3, times=2),
    "429 for ever": lambda llm: llm.fail(429, retry=0.3, times=30),
    "503 without a time": lambda llm: llm.fail(503, times=1),
    "500 twice": lambda llm: llm.fail(500, times=2),
    "400": lambda llm: llm.fail(400, times=30),
    "401": lambda llm: llm.fail(401, times=30),
    "a stream that is cut": lambda llm: llm.say(TEXT).cut(3),
    "a connection that closes": lambda llm: llm.say(TEXT).end(3),
    "a connection that is reset": lambda llm: llm.say(TEXT).reset(3),
    "an event that is no JSON": lambda llm: llm.say(TEXT).garble(3),
    "silence in the middle": lambda llm: llm.say(TEXT).stall(3),
}
