"""The base as a Django app: its commands, templates, system checks, and the Celery application as the default one."""

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class GenvidConfig(AppConfig):
    name = "genvid"

    def ready(self) -> None:
        # Imported here, not in genvid/__init__: the sandbox and the HTTP door start without Celery.
        import_module("genvid.celery")
        import_module("genvid.checks")


class StaffPagesConfig(admin_apps.AdminConfig):
    """Django's admin with a site of our own."""

    default = False  # not the configuration of this package
    default_site = "genvid.admin.StaffSite"
