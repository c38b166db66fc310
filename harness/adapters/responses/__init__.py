"""What several clients of the Responses API share: input, items, streams."""
