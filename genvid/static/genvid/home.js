// Keeps the panels of the staff's home page fresh while somebody looks at it.
"use strict";

(() => {
    const holder = document.getElementById("home-panels");
    const state = document.getElementById("home-state");
    const seen = document.getElementById("home-seen");
    const pause = Number(holder.dataset.seconds) * 1000;
    let timer = 0;

    const later = () => {
        clearTimeout(timer);
        timer = document.hidden ? 0 : setTimeout(refresh, pause);
    };

    const keepChart = (figure, old) => {
        const shown = old?.querySelector(`[data-chart="${CSS.escape(figure.dataset.chart)}"]`);
        const chart = shown && Chart.getChart(shown.querySelector("canvas"));
        const { value, options, type } = figure.querySelector("canvas").dataset;
        const data = JSON.parse(value);
        if (!chart || chart.data.datasets.length !== data.datasets.length) {
            return () => new Chart(figure.querySelector("canvas"), { type, data, options: JSON.parse(options) });
        }
        // The chart stays: Unfold recolours those that it has made when the theme changes.
        chart.data.labels = data.labels;
        data.datasets.forEach((set, index) => Object.assign(chart.data.datasets[index], { data: set.data, label: set.label }));
        shown.setAttribute("aria-label", figure.getAttribute("aria-label"));
        figure.replaceWith(shown);
        return () => chart.update("none");
    };

    const show = (fresh) => {
        const drawings = [];
        const panels = [...fresh.querySelectorAll("[data-panel]")].map((panel) => {
            const old = holder.querySelector(`[data-panel="${CSS.escape(panel.dataset.panel)}"]`);
            // Whoever has the focus in a panel is using it.
            if (old?.contains(document.activeElement)) return old;
            panel.querySelectorAll("[data-chart]").forEach((figure) => drawings.push(keepChart(figure, old)));
            return panel;
        });
        panels.forEach((panel, index) => {
            if (holder.children[index] !== panel) holder.insertBefore(panel, holder.children[index] ?? null);
        });
        while (holder.children.length > panels.length) holder.lastElementChild.remove();
        drawings.forEach((draw) => draw());
    };

    const refresh = async () => {
        try {
            const answer = await fetch(holder.dataset.address, { redirect: "manual", cache: "no-store" });
            if (answer.type === "opaqueredirect" || answer.status === 403) {
                state.textContent = "You are signed out. Load the page again.";
                return;
            }
            if (!answer.ok) throw new Error(String(answer.status));
            show(new DOMParser().parseFromString(await answer.text(), "text/html"));
            state.textContent = "";
            seen.textContent = `As of ${new Date().toLocaleTimeString()}.`;
        } catch {
            state.textContent = "The figures could not be refreshed; they are older than they seem.";
        }
        later();
    };

    document.addEventListener("visibilitychange", () => (document.hidden ? later() : refresh()));
    later();
})();
