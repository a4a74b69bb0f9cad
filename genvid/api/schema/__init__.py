"""The OpenAPI document, generated from the declarations of the views."""

from genvid.api.schema.document import complete
from genvid.api.schema.operations import EnvelopeAutoSchema

__all__ = ["EnvelopeAutoSchema", "complete"]
