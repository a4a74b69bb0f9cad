"""Tag user: who the key belongs to, and what is in the wallet."""

from genvid.sandbox.heygen.calls import Call, Operation, Reply
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
