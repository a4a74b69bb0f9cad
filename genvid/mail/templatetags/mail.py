"""Tags and filters of mail templates. Each serves both renderings: text, and HTML, which escapes."""

import re

from django import template
from django.conf import settings
from django.template import Context
from django.utils.html import format_html

register = template.Library()
MAX_NAME_LENGTH = 60
LINK = '<a href="{0}" style="color:{1}">{0}</a>'
BUTTON = (
    '<a href="{}" style="display:inline-block;margin-top:8px;padding:10px 18px;border-radius:8px;background:{};'
    'color:#ffffff;font-weight:600;text-decoration:none">{}</a>'
)


@register.simple_tag(takes_context=True)
def link(context: Context, url: str) -> str:
    return (
        format_html('<a href="{0}" style="color:{1}">{0}</a>', url, settings.BRAND_COLOR) if context.autoescape else url
    )


@register.simple_tag(takes_context=True)
def button(context: Context, url: str, label: str) -> str:
    return format_html(BUTTON, url, settings.BRAND_COLOR, label) if context.autoescape else url


@register.filter
def plain_name(name: str) -> str:
    """A name chosen by strangers, cut to one short line without anything that looks like a link."""
    line = " ".join(name.split())[:MAX_NAME_LENGTH]
    return re.sub(r"(?<=\w)\.(?=\w)", ". ", line.replace("://", ": "))
