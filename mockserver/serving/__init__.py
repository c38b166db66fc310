"""The aiohttp server that replays cassettes, and its control interface."""
