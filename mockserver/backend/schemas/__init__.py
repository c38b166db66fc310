"""Values that JSON schemas allow."""

from mockserver.backend.schemas.instance import instance, mismatch
from mockserver.backend.schemas.unmet import UnmetSchemaError

__all__ = ["UnmetSchemaError", "instance", "mismatch"]
