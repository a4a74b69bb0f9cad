"""HeyGen clients for a creation: the real HeyGen, or the operator's test renderer."""

from django.conf import settings

from avatars.models import Creation
from genvid.heygen import gate
from genvid.heygen.avatar_making import AvatarMaker
from genvid.heygen.heygen_client import get_client, get_test_client


def maker_for(creation: Creation) -> AvatarMaker:
    return AvatarMaker(get_test_client() if creation.is_test else get_client())


def may_call(creation: Creation) -> bool:
    """False while staff have paused HeyGen, its gate is shut, or the operator runs no test renderer."""
    return bool(settings.TEST_RENDERER_URL) if creation.is_test else gate.is_open()
