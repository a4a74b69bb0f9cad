"""How subscription invoices were paid: balance, returned time, money."""

from django.db import models

from billing.models.payments import Payment


class Funding(models.Model):
    """What paid a subscription's invoice, in minor units. `billing.purchases.money_tracing` reads it after refunds."""

    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, primary_key=True, related_name="funding")
    stripe_customer_id = models.CharField(max_length=255)
    stripe_subscription_id = models.CharField(max_length=255)
    issued_at = models.DateTimeField(help_text="When the invoice was created.")
    sequence = models.PositiveBigIntegerField(
        help_text="Position among the customer's invoices, from the invoice number."
    )
    balance_used = models.PositiveBigIntegerField(help_text="Minor units paid from the customer's balance.")
    balance_brought = models.PositiveBigIntegerField(help_text="Minor units added to the customer's balance.")
    time_returned = models.PositiveBigIntegerField(help_text="Minor units credited for unused time.")
    credits_returned = models.PositiveBigIntegerField(help_text="Credits of the unused time.")
    balance_voided = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Part of `balance_brought` that was voided after a refund or dispute."
    )

    class Meta:
        ordering = ["issued_at", "sequence"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(balance_voided__lte=models.F("balance_brought")),
                name="funding_voids_what_it_brought",
            )
        ]

    def __str__(self) -> str:
        return f"{self.balance_used} used, {self.balance_brought} brought"
