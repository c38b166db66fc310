"""The former name of the recorder."""

from mockserver.recording.recorder import Recorder, TapeHandle

__all__ = ["Recorder", "TapeHandle"]
