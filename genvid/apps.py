"""The base as a Django app: commands, templates, system checks; loads the Celery application as the default one."""

from importlib import import_module

from django.apps import AppConfig, apps
from django.contrib.admin import apps as admin_apps
from django.utils.module_loading import module_has_submodule

# Imported for their effect: Celery's default application, and the system checks. Not in genvid/__init__, where Celery's
# guide has it, for the sandbox starts without Celery.
from genvid import celery, checks, deployment_checks, observability, storage_checks  # noqa: F401
from genvid.database_defaults import return_only_unsent_columns
from genvid.metrics import celery_tasks  # noqa: F401 - for its effect, too


class GenvidConfig(AppConfig):
    name = "genvid"

    def ready(self) -> None:
        return_only_unsent_columns(apps.get_models(include_auto_created=True))
        observability.start()


class StaffPagesConfig(admin_apps.SimpleAdminConfig):
    """Django's admin with our own site, and every app's pages but dj-stripe's.

    Some of dj-stripe's pages fail under our API version, others call Stripe when a row is saved.
    """

    default = False  # not the configuration of this package
    default_site = "genvid.admin.StaffSite"

    def ready(self) -> None:
        super().ready()
        for app in apps.get_app_configs():
            if app.name != "djstripe" and app.module and module_has_submodule(app.module, "admin"):
                import_module(f"{app.name}.admin")
