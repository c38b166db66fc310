"""The public name of the normalized vocabulary, for people who write an adapter."""

from mockserver.vocabulary.model import *  # noqa: F403
