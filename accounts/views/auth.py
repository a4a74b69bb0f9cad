"""Registration, sign-in, tokens and the verification of e-mail addresses: `auth/…`."""

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.auth import email_verification, sign_in
from accounts.auth.authentication import BearerAuthentication
from accounts.caller import Caller
from accounts.enums import Scope
from accounts.serializers.people import (
    LoginInput,
    RefreshInput,
    RegisterInput,
    SentOutput,
    SignedInOutput,
    TokenOutput,
    VerifiedOutput,
    VerifyInput,
    signed_in_data,
)
from accounts.serializers.teams import AcceptInput, SwitchInput
from accounts.teams import account_switching, invitation_acceptance
from accounts.views.current import current_user
from accounts.viewsets import AccountViewSet
from genvid.api.endpoints import Endpoint


class AuthViewSet(AccountViewSet):
    tag = "Signing in"
    endpoints = {
        "register": Endpoint(
            "register",
            scope=None,
            request=RegisterInput,
            response=SignedInOutput,
            status=201,
            rate_limit="RATE_LIMIT_SIGN_UP",
        ),
        "login": Endpoint(
            "login",
            scope=None,
            request=LoginInput,
            response=SignedInOutput,
            errors=("invalid_credentials", "totp_required"),
        ),
        "refresh": Endpoint(
            "refresh", scope=None, request=RefreshInput, response=TokenOutput, errors=("token_invalid",)
        ),
        "logout": Endpoint(
            "logout",
            # The refresh token is the proof: an expired access token must not keep anybody signed in.
            scope=None,
            request=RefreshInput,
            errors=("token_invalid",),
        ),
        "request_email_verification": Endpoint(
            "request_email_verification", scope=Scope.SELF, response=SentOutput, status=202
        ),
        "verify_email": Endpoint(
            "verify_email", scope=None, request=VerifyInput, response=VerifiedOutput, errors=("token_invalid",)
        ),
        "switch_account": Endpoint("switch_account", scope=Scope.SELF, request=SwitchInput, response=SignedInOutput),
        "accept_invitation": Endpoint(
            "accept_invitation",
            scope=None,
            optional_authentication=(BearerAuthentication,),
            request=AcceptInput,
            response=SignedInOutput,
            errors=("token_invalid", "invalid_credentials", "totp_required", "permission_denied", "conflict"),
        ),
    }

    @action(detail=False, methods=["post"])
    def register(self, request: Request) -> Response:
        """Register, and be signed in.

        Makes a person, their account and its wallet.
        """
        return Response(signed_in_data(sign_in.register(**self.body)), status=201)

    @action(detail=False, methods=["post"])
    def login(self, request: Request) -> Response:
        """Sign in."""
        return Response(signed_in_data(sign_in.login(**self.body)))

    @action(detail=False, methods=["post"])
    def refresh(self, request: Request) -> Response:
        """Get new tokens for a refresh token.

        Each refresh token works once. For 10 seconds after that the same device, by its network and user agent, gets
        the same successor again while that is unused. Any other second use ends the session.
        """
        return Response(TokenOutput.of(sign_in.refresh(self.body["refresh_token"])))

    @action(detail=False, methods=["post"])
    def logout(self, request: Request) -> Response:
        """Sign out.

        The refresh token is the proof: an access token is not asked for.
        """
        sign_in.logout(self.body["refresh_token"])
        return Response(status=204)

    @action(detail=False, methods=["post"], url_path="email/verification")
    def request_email_verification(self, request: Request) -> Response:
        """Send the verification mail again."""
        email_verification.request_verification(current_user(self.caller))
        return Response({"sent": True}, status=202)

    @action(detail=False, methods=["post"], url_path="email/verify")
    def verify_email(self, request: Request) -> Response:
        """Verify an e-mail address.

        With the token of the mail; it works once.
        """
        user = email_verification.verify_email(self.body["token"])
        return Response({"email": user.email, "email_verified": True})

    @action(detail=False, methods=["post"], url_path="switch")
    def switch_account(self, request: Request) -> Response:
        """Go on in another account.

        Ends this session and opens one for another account of the caller: use its tokens from now on.
        """
        return Response(signed_in_data(account_switching.switch_account(self.caller, **self.body)))

    @action(detail=False, methods=["post"], url_path="invitations/accept")
    def accept_invitation(self, request: Request) -> Response:
        """Accept an invitation.

        Joins the account, and signs in to it. An address that is registered sends its access token or its password;
        any other becomes a new person, and `password` is theirs.
        """
        given = dict(self.body)
        signed_in_as = request.user.user_id if isinstance(request.user, Caller) else None
        return Response(
            signed_in_data(
                invitation_acceptance.accept_invitation(given.pop("token"), signed_in_as=signed_in_as, **given)
            )
        )
