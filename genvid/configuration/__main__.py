"""`python -m genvid.configuration` writes docs/configuration.md and .env.example anew."""

from genvid.configuration.pages import PAGES

for path, render in PAGES.items():
    path.write_text(render())
