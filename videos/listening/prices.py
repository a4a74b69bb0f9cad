"""What a video with a speech costs exactly, for each kind of avatar."""

from decimal import Decimal

from django.conf import settings

from avatars.enums import AvatarKind
from billing import credits
from genvid.errors import ProviderUnavailable
from videos.enums import Resolution

KINDS = (AvatarKind.STUDIO_AVATAR, AvatarKind.PHOTO_AVATAR, AvatarKind.DIGITAL_TWIN)


def prices_of(seconds: Decimal) -> dict[str, int | None]:
    """By the usual engine and in 1080p; None for a kind that has no price."""
    return {kind.value: _price(kind, seconds) for kind in KINDS}


def _price(kind: AvatarKind, seconds: Decimal) -> int | None:
    try:
        return credits.price(
            engine=settings.HEYGEN_ENGINE, avatar_kind=kind, resolution=Resolution.FULL_HD, seconds=seconds
        )
    except ProviderUnavailable:
        return None
