"""The pages that Stripe hosts: paying, 3-D Secure, the portal, invoices and receipts."""
