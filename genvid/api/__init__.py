"""What every endpoint shares: the envelope, its errors, strict input, keyset pages, the OpenAPI document."""
