"""The OpenAPI document: complete by what the views declare, so that no endpoint can be left half described."""

from genvid.api.schema.document import complete
from genvid.api.schema.operations import EnvelopeAutoSchema

__all__ = ["EnvelopeAutoSchema", "complete"]
