"""Shapes of forgotten, reset and changed passwords."""

from genvid.api.serializers import NewPasswordField, StrictCharField, StrictEmailField, StrictSerializer

LONGEST = 256


class ForgotInput(StrictSerializer):
    email = StrictEmailField(max_length=254)


class ResetInput(StrictSerializer):
    token = StrictCharField(max_length=1024)
    new_password = NewPasswordField()


class ChangeInput(StrictSerializer):
    current_password = StrictCharField(max_length=LONGEST, trim_whitespace=False, write_only=True)
    new_password = NewPasswordField()
