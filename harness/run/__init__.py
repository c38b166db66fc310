"""Plays cases, side by side and in several processes."""
