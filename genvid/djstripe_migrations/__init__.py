"""dj-stripe's schema in one migration (`MIGRATION_MODULES`)."""
