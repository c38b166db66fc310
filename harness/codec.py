"""The public name of the vocabulary's JSON codec, for people who write an adapter."""

from mockserver.vocabulary.codec import *  # noqa: F403
