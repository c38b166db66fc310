from harness import adapter


@adapter(dialects=["openai-chat"], features=["streaming"])
async def mine(call):
    yield {"type": "content_delta", "delta": "Hi"}
