"""Model of the networks that users sign in from."""

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models.people import User


class KnownNetwork(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="known_networks", db_index=False)
    network = models.CharField(max_length=64, help_text="An IPv4 address, or the /64 of an IPv6 address.")
    last_used_at = models.DateTimeField(default=timezone.now, db_default=Now(), db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "network"], name="known_network_unique")]

    def __str__(self) -> str:
        return self.network
