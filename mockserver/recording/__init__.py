"""Record from live endpoints: the proxy, what it captures, and how that is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.lazy import lazy_face

if TYPE_CHECKING:
    from mockserver.recording import importing, providers
    from mockserver.recording.allowing import allowed_texts
    from mockserver.recording.converting import Converted, InconvertibleError, convert
    from mockserver.recording.exchange import Capture
    from mockserver.recording.importing import Imported, Kind
    from mockserver.recording.modes import NAMES, Mode, age_of, parse_age, runs_in_ci
    from mockserver.recording.providers import DUMMY_KEY, PROVIDERS, Provider
    from mockserver.recording.recorder import Recorder, TapeHandle
    from mockserver.recording.resend import provider_of, providers_of, resend_requests
    from mockserver.recording.saving import save_answers
    from mockserver.recording.tape import Result

__all__ = [
    "DUMMY_KEY",
    "NAMES",
    "PROVIDERS",
    "Capture",
    "Converted",
    "Imported",
    "InconvertibleError",
    "Kind",
    "Mode",
    "Provider",
    "Recorder",
    "Result",
    "TapeHandle",
    "age_of",
    "allowed_texts",
    "convert",
    "importing",
    "parse_age",
    "provider_of",
    "providers",
    "providers_of",
    "resend_requests",
    "runs_in_ci",
    "save_answers",
]

_HOMES = {
    "allowing": ("allowed_texts",),
    "converting": ("Converted", "InconvertibleError", "convert"),
    "exchange": ("Capture",),
    "importing": ("Imported", "Kind"),
    "modes": (
        "NAMES",
        "Mode",
        "age_of",
        "parse_age",
        "runs_in_ci",
    ),
    "providers": ("DUMMY_KEY", "PROVIDERS", "Provider"),
    "recorder": (
        "Recorder",
        "TapeHandle",
    ),
    "resend": (
        "provider_of",
        "providers_of",
        "resend_requests",
    ),
    "saving": ("save_answers",),
    "tape": ("Result",),
}

__getattr__ = lazy_face(__name__, _HOMES)
