"""What several clients of Chat Completions share: requests, streams, tool calls."""
