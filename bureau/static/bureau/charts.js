// Draws every [data-chart] from the JSON beside it. A click opens the rows behind the bar; paper gets its own size.
(() => {
  "use strict";
  const source = document.getElementById("chart-data");
  if (!source || !window.Plotly) return;
  const charts = JSON.parse(source.textContent);
  const COLOURS = { due: "#c9dcf5", done: "#1456a8", trouble: "#c8202f", returned: "#1a8754" };
  const narrow = matchMedia("(max-width: 575px)").matches;
  const family = getComputedStyle(document.body).fontFamily;
  const font = { family, size: 12, color: "#475467" };
  const axis = { fixedrange: true, tickfont: font, automargin: true };
  const PAPER = { sheet: 1032, gap: 13, height: 300 }; // px: A4 landscape less its margins (see @page in bureau.css)

  const layout = (chart) => ({
    font,
    margin: { l: 44, r: 14, t: 36, b: 34 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    barmode: "group",
    bargap: 0.35,
    bargroupgap: 0.08,
    hovermode: "x unified",
    hoverlabel: { bgcolor: "#fff", bordercolor: "#d5dbe4", font: { ...font, color: "#1d2939" } },
    legend: { orientation: "h", x: 1, xanchor: "right", y: 1.02, yanchor: "bottom", font },
    showlegend: chart.series.length > 1,
    separators: ".,",
    xaxis: { ...axis, type: "category", showgrid: false, showspikes: false, linecolor: "#d5dbe4", tickangle: narrow && chart.labels.length > 5 ? -45 : 0 },
    yaxis: { ...axis, gridcolor: "#eef1f5", zeroline: false, rangemode: "tozero", tickformat: ",d", nticks: 6 },
  });

  const traces = (chart) => chart.series.map((series) => ({
    type: "bar",
    name: series.name,
    x: chart.labels,
    y: series.values,
    customdata: series.urls,
    marker: { color: COLOURS[series.meaning] },
    hovertemplate: `%{y:,} ${chart.unit}`,
  }));

  const drawn = [];
  const ready = [...document.querySelectorAll("[data-chart]")].map((place) => {
    const chart = charts[place.dataset.chart];
    drawn.push(place);
    return Plotly.newPlot(place, traces(chart), layout(chart), { displayModeBar: false, responsive: true }).then((plot) => {
      if (chart.series.some((series) => series.urls.some(Boolean))) place.classList.add("click");
      plot.on("plotly_click", (event) => {
        // With one hover for the whole column every bar of it is reported: open the one under the pointer.
        const bars = event.points.filter((point) => point.customdata);
        const hit = bars.find((point) => underPointer(event.event, place, point)) || bars[0];
        if (hit) location.assign(hit.customdata);
      });
    });
  });

  const underPointer = (pointer, place, point) => {
    const bar = place.querySelectorAll(".trace.bars")[point.curveNumber];
    const path = bar && bar.querySelectorAll(".point path")[point.pointNumber];
    if (!path) return false;
    const box = path.getBoundingClientRect();
    return pointer.clientX >= box.left && pointer.clientX <= box.right;
  };

  // The browser lays paper out after it has asked for this, so the widths are told: those of .charts in bureau.css.
  const forPaper = (on) => {
    const panels = [...document.querySelectorAll(".charts > .panel")];
    const room = PAPER.sheet - PAPER.gap * (panels.length - 1);
    const shares = panels.length === 2 ? [1.25 / 2.25, 1 / 2.25] : panels.map(() => 1 / panels.length);
    for (const place of drawn) {
      const width = Math.floor(room * shares[panels.indexOf(place.closest(".panel"))]) - 4;
      Plotly.relayout(place, on
        ? { autosize: false, width, height: PAPER.height }
        : { autosize: true, width: null, height: null });
    }
  };
  addEventListener("beforeprint", () => forPaper(true));
  addEventListener("afterprint", () => forPaper(false));
  Promise.all(ready).then(() => { document.body.dataset.ready = "1"; });
})();
