"""Serializers of forgotten, reset and changed passwords."""

from accounts.serializers.fields import MailedTokenField
from genvid.api import serializers as api


class ForgotInput(api.StrictSerializer):
    email = api.StrictEmailField(max_length=254)


class ResetInput(api.StrictSerializer):
    token = MailedTokenField()
    new_password = api.NewPasswordField()


class ChangeInput(api.StrictSerializer):
    current_password = api.PasswordField()
    new_password = api.NewPasswordField(example="a longer horse, better stapled")
