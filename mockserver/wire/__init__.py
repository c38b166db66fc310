"""Bytes on the wire: event streams, schedules, and lossless and lossy changes of them."""

from mockserver.wire import axes, eventstream, faults, sse
from mockserver.wire.axes import AXES, RECORDED, Point, point, reframes
from mockserver.wire.axes import apply as apply_point
from mockserver.wire.body import Body, Media
from mockserver.wire.eventstream import Frame, FrameDecoder
from mockserver.wire.faults import SWEPT, Fault, FaultKind
from mockserver.wire.json_array import Elements
from mockserver.wire.schedule import Ending, Gate, Schedule, from_response, gate_after
from mockserver.wire.sse import Block, Decoder
from mockserver.wire.variation import Break, Variation
from mockserver.wire.variation import apply as apply_variation

__all__ = [
    "AXES",
    "RECORDED",
    "SWEPT",
    "Block",
    "Body",
    "Break",
    "Decoder",
    "Elements",
    "Ending",
    "Fault",
    "FaultKind",
    "Frame",
    "FrameDecoder",
    "Gate",
    "Media",
    "Point",
    "Schedule",
    "Variation",
    "apply_point",
    "apply_variation",
    "axes",
    "eventstream",
    "faults",
    "from_response",
    "gate_after",
    "point",
    "reframes",
    "sse",
]
