"""tapecheck's mock server: replays recorded HTTP streams byte for byte and chunk for chunk."""
