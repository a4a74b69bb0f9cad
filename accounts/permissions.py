"""What a role may do."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.caller import caller_of


class ReadOrWriteByRole(BasePermission):
    """Everybody of the account may read; viewers may do nothing else."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user:
            return False
        return request.method in SAFE_METHODS or caller_of(request).may_write
