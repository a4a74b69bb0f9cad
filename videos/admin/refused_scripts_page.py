"""The staff's page of what HeyGen's content policy refused, for who sees the rules for texts. It leads to new rules;
excerpts are for those who see videos.
"""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from genvid.staff_home import Page, add_pages
from genvid.staff_menu import add_link
from videos.staff import refused_scripts
from videos.staff.refused_scripts import SuspiciousWord

SEE_RULES, ADD_RULES = "accounts.view_moderationrule", "accounts.add_moderationrule"
SEE_VIDEOS = "videos.view_video"


def refused_scripts_page(request: HttpRequest) -> HttpResponse:
    report = refused_scripts.report()
    may_add = request.user.has_perm(ADD_RULES)
    words = [(each, _link_to_new_rule(each) if may_add else "") for each in report.words]
    excerpts = report.excerpts if request.user.has_perm(SEE_VIDEOS) else None
    context: dict[str, Any] = {"title": "What HeyGen refused", "report": report, "words": words, "excerpts": excerpts}
    return TemplateResponse(request, "videos/refused_scripts.html", admin.site.each_context(request) | context)


def _link_to_new_rule(word: SuspiciousWord) -> str:
    return f"{reverse('admin:accounts_moderationrule_add')}?{urlencode({'kind': 'word', 'text': word.word})}"


add_pages(Page("refused-scripts", "refused_scripts", refused_scripts_page, SEE_RULES))
add_link("HeyGen", "What HeyGen refused", "admin:refused_scripts", SEE_RULES)
