"""The pipeline under fire: real services, real processes, hundreds of videos, and a seeded storm of misfortunes."""
