"""Every setting, by group, in the order of docs/configuration.md and .env.example."""

from genvid.configuration.declared import customers, operation, own_material, pipeline, providers, site, storage

GROUPS = (
    site.ESSENTIAL,
    site.PROXY,
    storage.DATA,
    storage.FILES,
    providers.HEYGEN,
    providers.STRIPE,
    customers.CUSTOMERS,
    customers.LIMITS,
    customers.MODERATION,
    customers.CROSS_ORIGIN,
    pipeline.PIPELINE,
    own_material.OWN_MATERIAL,
    customers.PRIVATE_ADDRESSES,
    site.BRAND,
    site.MAIL,
    operation.WATCHING,
    operation.PROCESSES,
    operation.LOGS,
    operation.LOCAL,
)

SETTINGS = {setting.name: setting for group in GROUPS for setting in group.settings}
