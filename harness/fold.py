"""The public name of the fold from events to a turn, for people who write an adapter."""

from mockserver.vocabulary.fold import *  # noqa: F403
