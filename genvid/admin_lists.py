"""Lists of the admin over large tables: estimated counts, and exact ids and addresses before words."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Page, Paginator
from django.db import connection
from django.db.models import EmailField, Field, Model, QuerySet, UUIDField
from django.db.models.constants import LOOKUP_SEP
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils.functional import cached_property

MOST_COUNTED = 2_000
"""Rows that a list counts one by one; of a longer one that is filtered, this many can be paged through."""


class EstimatingPaginator(Paginator):  # type: ignore[type-arg]
    """Sorts ids alone, and reads and joins the rows of one page."""

    def page(self, number: int | str) -> Page:  # type: ignore[type-arg]
        page, rows = super().page(number), self.object_list
        if isinstance(rows, QuerySet) and rows.query.select_related:
            shown: Any = page.object_list
            page.object_list = rows.filter(pk__in=[*shown.values_list("pk", flat=True)])
        return page

    @cached_property
    def count(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        if not rows.query.where and (estimate := estimated_rows(rows.model)) > MOST_COUNTED:
            return estimate
        return rows.order_by()[:MOST_COUNTED].count()


def estimated_rows(model: type[Model]) -> int:
    """As of the last VACUUM or ANALYZE; 0 where the database does not know."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table])
        (count,) = cursor.fetchone()
    return max(0, int(count))


def newest_values(field: str, *order: str) -> type[admin.SimpleListFilter]:
    """A filter by the values that `field` has in the newest rows. All of its values would be read from all rows."""

    class NewestValues(admin.SimpleListFilter):
        title, parameter_name = field.replace("_", " "), field

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            newest = model_admin.model._default_manager.order_by(*order).values_list(field, flat=True)[:MOST_COUNTED]
            return [(value, value) for value in sorted({value for value in newest if value})]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{field: self.value()}) if self.value() else queryset

    return NewestValues


class ExactSearch:
    """A whole id, unique value or e-mail address is looked up by its index before anything is searched for."""

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        fields: Sequence[str] = self.get_search_fields(request)  # type: ignore[attr-defined]
        for lookup in _exact_lookups(queryset.model, fields, search_term.strip()):
            found = queryset.filter(**lookup)
            if found.exists():
                return found, any(LOOKUP_SEP in path for path in lookup)
        return super().get_search_results(request, queryset, search_term)  # type: ignore[misc]


def _exact_lookups(model: type[Model], paths: Sequence[str], term: str) -> Iterator[dict[str, Any]]:
    pk = as_uuid(term)
    for path in paths if term else ():
        field = _field_at(model, path)
        if isinstance(field, UUIDField):
            if pk is not None:
                yield {path: pk}
        elif isinstance(field, EmailField) and "@" in term:
            yield {f"{path}__in": addresses_like(field, term)}
        elif field.unique:
            yield {path: term}


def addresses_like(field: "Field[Any, Any]", term: str) -> list[str]:
    """Addresses of the field's table that differ from `term` in case alone. Found by an index of `lower()`."""
    rows = field.model._default_manager.alias(lowered=Lower(field.name)).filter(lowered=term.lower())
    return list(rows.order_by().values_list(field.name, flat=True)[:10])


def as_uuid(term: str) -> UUID | None:
    try:
        return UUID(term)
    except ValueError:
        return None


def _field_at(model: type[Model], path: str) -> Any:
    field: Any = None
    for name in path.lstrip("^=@").split(LOOKUP_SEP):
        field = model._meta.pk if name == "pk" else model._meta.get_field(name)
        model = field.related_model or model
    return field
