"""Data and options of Unfold's charts (Chart.js) as JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

COLORS = ("#2563eb", "#d97706", "#16a34a", "#7c3aed", "#0891b2", "#dc2626")
"""Readable on white and on the dark pages."""
TEXT = "#8b93a1"


def chart_data(labels: Sequence[str], series: Mapping[str, Sequence[float | None]]) -> str:
    """`series`: a line or group of bars by its name; None is a gap."""
    sets = [
        {"label": name, "data": list(values), "borderColor": color, "backgroundColor": color}
        | {"borderWidth": 2, "pointRadius": 2, "tension": 0.2, "spanGaps": False}
        for (name, values), color in zip(series.items(), COLORS * len(series), strict=False)
    ]
    return json.dumps({"labels": list(labels), "datasets": sets})


def chart_options() -> str:
    ticks: dict[str, Any] = {"color": TEXT, "maxRotation": 0, "autoSkip": True, "maxTicksLimit": 8}
    legend = {"position": "bottom", "align": "start", "labels": {"color": TEXT, "boxWidth": 12}}
    options = {
        "animation": False,
        "responsive": True,
        "maintainAspectRatio": False,
        "interaction": {"mode": "index", "intersect": False},
        "plugins": {"legend": legend},
        "scales": {
            "x": {"grid": {"display": False}, "ticks": ticks},
            "y": {"beginAtZero": True, "grid": {"tickWidth": 0}, "ticks": {"color": TEXT, "maxTicksLimit": 5}},
        },
    }
    return json.dumps(options)


def chart(name: str, about: str, labels: Sequence[str], series: Mapping[str, Sequence[float | None]]) -> dict[str, str]:
    """The context of `genvid/home/chart.html`. `about`: what the chart shows, for those who do not see it."""
    return {"name": name, "about": about, "data": chart_data(labels, series), "options": chart_options()}
