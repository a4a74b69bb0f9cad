"""Results of the nightly ledger check."""

from django.db import models


class LedgerProof(models.Model):
    begun_at = models.DateTimeField()
    seconds = models.FloatField()
    wallets = models.PositiveIntegerField()
    discrepancies = models.PositiveIntegerField()
    text = models.TextField(blank=True, default="", db_default="", help_text="The first discrepancies.")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.discrepancies} discrepancies in {self.wallets} wallets"
