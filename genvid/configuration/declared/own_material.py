"""Settings of customers' own avatars and voices."""

from genvid.configuration.kinds import Choice, Number, Whole
from genvid.configuration.setting import Group, Setting

OWN_MATERIAL = Group(
    "Own avatars and voices",
    (
        Setting(
            "OWN_AVATAR_REVIEW",
            Choice(("none", "others", "all")),
            "Which own avatars and voices wait for a review by staff: none, those of other people than the customer, "
            "or all.",
            default="others",
            wrong="With `none`, nobody looks before a face or voice is copied.",
        ),
        Setting(
            "OWN_AVATAR_LEASE",
            Number(above_zero=True),
            "How long a worker may be at one own avatar or voice before another takes it over; sending a film takes "
            "minutes.",
            default="900",
            unit="seconds",
            wrong="Not above HEYGEN_WRITE_TIMEOUT is an error of the check: an order could be sent twice.",
            checks=("genvid.E046",),
        ),
        Setting(
            "OWN_AVATAR_REVIEW_ALARM_HOURS",
            Whole(1),
            "Staff are alarmed when a review has waited for so long.",
            default="24",
            unit="hours",
        ),
        Setting(
            "OWN_AVATAR_REVIEW_DEADLINE",
            Number(above_zero=True),
            "How long a review may wait before it is given up, and the credits are released.",
            default="1209600",
            unit="seconds",
        ),
        Setting(
            "OWN_AVATAR_QUEUE_DEADLINE",
            Number(above_zero=True),
            "How long an own avatar or voice may wait, while HeyGen has no room, before it is given up.",
            default="604800",
            unit="seconds",
        ),
        Setting(
            "OWN_AVATAR_CREATE_DEADLINE",
            Number(above_zero=True),
            "How long HeyGen may take to make one before it is given up.",
            default="82800",
            unit="seconds",
            wrong="24 hours or more is an error of the check: HeyGen has forgotten the order's key by then.",
            checks=("genvid.E045",),
        ),
        Setting(
            "OWN_AVATAR_CONSENT_DEADLINE",
            Number(above_zero=True),
            "How long a filmed person may take to agree on HeyGen's page before the avatar is given up.",
            default="1209600",
            unit="seconds",
        ),
        Setting(
            "OWN_AVATAR_WITHDRAWN_VIDEOS",
            Choice(("finish", "stop")),
            "What becomes of videos that HeyGen is rendering when their avatar or voice is deleted. Queued ones fail.",
            default="finish",
            wrong="With `stop`, the operator pays for renders that nobody gets.",
        ),
    ),
)
