"""Instructor on the SDK of OpenAI: objects of classes that are made from the tools of a call."""
# mypy: ignore-errors

from collections.abc import Iterable
from functools import reduce
from importlib.metadata import version
from operator import or_
from typing import Any

import instructor
import openai
from instructor.core.exceptions import InstructorError
from pydantic import ConfigDict, create_model
from tapecheck_client import dumped, serve


def class_of(tool):
    """Return a class with the fields that a tool takes."""
    function = tool["function"]
    schema = function.get("parameters") or {}
    required = schema.get("required", ())
    fields = {n: (Any, ... if n in required else None) for n in schema.get("properties", {})}
    return create_model(function["name"], __config__=ConfigDict(extra="allow"), **fields)


async def make(call):
    """Make the call as a user of the package does."""
    given = {n: v for n, v in call.arguments.items() if n in ("model", "messages")}
    given["extra_body"] = dict(call.options)
    classes = tuple(class_of(tool) for tool in call.tools)
    mode = instructor.Mode.PARALLEL_TOOLS if len(classes) > 1 else instructor.Mode.TOOLS
    async with openai.AsyncOpenAI(
        base_url=call.base_url,
        api_key=call.api_key,
        timeout=call.timeout,
        max_retries=call.max_retries,
    ) as sdk:
        client = instructor.from_openai(sdk, mode=mode)
        answers = []
        client.on("completion:response", answers.append)  # the object has no id of its call
        wanted = Iterable[reduce(or_, classes)] if len(classes) > 1 else next(iter(classes), None)
        result = await client.create(response_model=wanted, max_retries=0, **given)
        answer = dumped(answers[-1] if classes else result)
        if classes:
            objects = list(result) if len(classes) > 1 else [result]
            message = answer["choices"][0]["message"]
            # The objects are what its user gets of the calls.
            message["tool_calls"] = [
                {
                    **said,
                    "function": {
                        "name": type(o).__name__,
                        "arguments": o.model_dump_json(exclude_unset=True),
                    },
                }
                for said, o in zip(message["tool_calls"], objects, strict=False)
            ]
        yield answer


serve(
    make,
    name="instructor",
    version=f"instructor {version('instructor')}, openai {openai.__version__}",
    dialects=["openai-chat"],
    features=["non_streaming", "tools", "refusal", "retries"],
    profile="framework",
    exposes=["response_id", "model", "error_status"],
    failures=[InstructorError, openai.OpenAIError],
)
