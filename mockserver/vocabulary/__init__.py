"""The neutral words for what a client makes of a stream: events, turns, errors."""
