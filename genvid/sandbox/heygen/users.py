"""Tag user: the owner of the key, and the wallet."""

from genvid.sandbox.heygen.dispatch import Call, Operation, Reply
from genvid.sandbox.heygen.wallet import MICRO

USERNAME = "sandbox"


async def me(call: Call) -> Reply:
    balance = call.core.wallet.balance / MICRO
    return Reply(
        {
            "username": USERNAME,
            "email": "sandbox@example.com",
            "first_name": "Sandy",
            "last_name": "Box",
            "billing_type": "wallet",
            "wallet": {"currency": "usd", "remaining_balance": balance, "auto_reload": {"enabled": False}},
        }
    )


OPERATIONS = [Operation("GET", "/v3/users/me", me)]
