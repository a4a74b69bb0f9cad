"""A filter of the admin's lists by states that are no column."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

Narrow = Callable[[Any], Any]


def state_filter(states: Mapping[str, tuple[str, Narrow]]) -> type[admin.SimpleListFilter]:
    """`states`: by the word in the URL (`?state=`), its label and what narrows the list to it."""

    class StateFilter(admin.SimpleListFilter):
        title = "state"
        parameter_name = "state"

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(word, label) for word, (label, _) in states.items()]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
            chosen = states.get(self.value() or "")
            narrowed: QuerySet[Any] = chosen[1](queryset) if chosen else queryset
            return narrowed

    return StateFilter
