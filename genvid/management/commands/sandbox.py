"""`manage.py sandbox`: runs the sandbox, which stands in for HeyGen and Stripe."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from genvid.sandbox.server import add_arguments, options_from, serve


class Command(BaseCommand):
    help = "Runs the local stand-in for HeyGen's v3 API."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        serve(options_from(**options))
