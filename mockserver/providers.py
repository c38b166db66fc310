"""The former name of the table of providers."""

from mockserver.recording.providers import *  # noqa: F403
