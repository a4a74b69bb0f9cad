"""How invoices were paid beside money, and what they added to the customer's balance at Stripe."""

from django.db import models

from billing.models.payments import Payment


class Funding(models.Model):
    """How a subscription's invoice was paid, in minor units of the payment's currency.

    Money of a payment may live on as time that a plan change gave back, and as balance that later invoices are paid
    with. `billing.purchases.money_tracing` follows it when it is refunded.
    """

    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, primary_key=True, related_name="funding")
    stripe_customer_id = models.CharField(max_length=255)
    stripe_subscription_id = models.CharField(max_length=255)
    issued_at = models.DateTimeField(help_text="When the invoice was made.")
    sequence = models.PositiveBigIntegerField(help_text="Its place among the customer's invoices, by its number.")
    balance_used = models.PositiveBigIntegerField(help_text="Of the customer's balance.")
    balance_brought = models.PositiveBigIntegerField(help_text="Into the customer's balance.")
    time_returned = models.PositiveBigIntegerField(help_text="What was paid for time that this invoice gave back.")
    credits_returned = models.PositiveBigIntegerField(help_text="The credits of that time.")
    balance_voided = models.PositiveBigIntegerField(
        default=0, help_text="Of what it brought: taken out of the balance again, as its money went back."
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
