// Runs compared: the mean over the seeds of each group, in a band from the lowest seed to the highest.
import { Chart, Line, controls, swatch } from "./curves.js";
import { refuse } from "./desk.js";

const page = document.getElementById("compare");
const charts = [];
document.querySelectorAll("[data-slot]").forEach((place) => place.append(swatch(Number(place.dataset.slot))));
document.getElementById("options")?.addEventListener("change", (event) => event.currentTarget.submit());

if (document.getElementById("charts")) {
  const settings = controls((now) => charts.forEach((chart) => chart.options(now)));
  fetch(`/runs/compare/curves?${page.dataset.query}`, { headers: { Accept: "application/json" } })
    .then((response) => response.json())
    .then(({ groups, bands }) => {
      const names = Object.keys(bands);
      document.getElementById("no-curves").hidden = names.length > 0;
      for (const metric of names) {
        const box = document.createElement("div");
        box.className = "chart";
        document.getElementById("charts").append(box);
        const lines = [], pairs = [];
        groups.forEach((name, slot) => {
          const { steps, mean, low, high, seeds } = bands[metric][name];
          lines.push(new Line({ name: seeds > 1 ? `${name}, mean of ${seeds}` : name, slot, steps, values: mean }));
          if (seeds < 2) return;
          const edge = (values) => Object.assign(new Line({ name, slot, steps, values }), { hidden: true });
          lines.push(edge(high), edge(low));
          pairs.push([lines.length - 2, lines.length - 1]);
        });
        const chart = new Chart(box, { title: metric, height: 280 });
        chart.options(settings());
        chart.set(lines, { bands: pairs });
        charts.push(chart);
      }
    })
    .catch(refuse);
}
