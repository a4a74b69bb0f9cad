"""What happens to videos, one module a deed."""
