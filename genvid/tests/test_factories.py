import pytest

from genvid.tests.asserts import the_ledger_proves
from genvid.tests.factories import make_video
from videos.enums import Status


@pytest.mark.parametrize("status", Status.values)
def test_a_video_is_led_to_every_status_and_the_ledger_proves(owner, avatar, status):
    assert make_video(owner, status, avatar=avatar).status == status
    assert the_ledger_proves()
