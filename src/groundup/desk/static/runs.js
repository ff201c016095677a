// The list of runs: curves of those that are chosen, the table, and the keys.
import { Chart, Line, controls, remember } from "./curves.js";
import { notice, put, refuse } from "./desk.js";
import { follow } from "./events.js";
import { key } from "./keys.js";
import { followRun, load } from "./run-data.js";

const table = document.getElementById("table");
const metrics = document.getElementById("metric");
const most = Number(document.getElementById("board")?.dataset.most || 0);
let chart, settings, loading = 0, following = [], drawn = "", at = -1;

const boxes = () => [...table.querySelectorAll("input[name=run]")];
const rows = () => [...table.querySelectorAll("tbody tr")];
const chosen = () => boxes().filter((box) => box.checked).map((box) => box.value);

async function show(metric = metrics.value) {
  const mine = ++loading;
  const ids = chosen();
  drawn = String(ids);
  const found = ids.length ? await load(ids, metric) : { runs: [], measured: [], metric: null };
  if (mine !== loading) return;
  for (const leave of following) leave();
  metrics.replaceChildren(...found.measured.map((name) => new Option(name, name, false, name === found.metric)));
  metrics.disabled = !found.measured.length;
  const lines = found.runs.map((run, slot) => new Line({ name: run.name, slot, href: `/runs/${run.id}`, ...found.runs[slot].metrics[found.metric] }));
  chart.set(lines, { title: found.metric || "nothing is drawn: choose runs in the table" });
  following = found.runs
    .map((run, slot) => ({ run, line: lines[slot] }))
    .filter(({ run }) => run.status === "running")
    .map(({ run, line }) =>
      followRun(run, {
        points: (points) => points[found.metric] && chart.append(line, ...points[found.metric]),
        stale: () => show().catch(refuse),
      }),
    );
}

async function refresh(address = `/runs${location.search}`) {
  const here = document.activeElement?.closest?.("tr")?.dataset.run, box = document.activeElement?.name === "run";
  const response = await fetch(address.replace(/^\/runs/, "/runs/table"));
  if (!response.ok) return notice("the table could not be loaded: load the page again", "miss");
  put(table, await response.text());
  if (here) table.querySelector(`tr[data-run="${here}"] ${box ? "input" : "th a"}`)?.focus();
}

table.addEventListener("change", async (event) => {
  if (event.target.name === "recipe") return event.target.form.submit();
  if (event.target.name !== "run") return;
  if (chosen().length > most) {
    event.target.checked = false;
    return notice(`at most ${most} runs are drawn over each other`);
  }
  const ids = chosen();
  remember({ run: ids.length ? ids : "" });
  try {
    await show();
    await refresh();
  } catch (problem) {
    refuse(problem);
  }
});

table.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-sort]");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const address = new URL(link.href);
  remember({ sort: address.searchParams.get("sort") });
  refresh().catch(refuse);
});

function move(by) {
  const all = rows();
  if (!all.length) return;
  const focused = all.indexOf(document.activeElement?.closest?.("tr"));
  at = Math.min(all.length - 1, Math.max(0, (focused < 0 ? at : focused) + by));
  all[at].querySelector("th a").focus();
}

key("j", "next run", "the next run", () => move(1));
key("k", "run before", "the run before", () => move(-1));
key("x", "choose", "draw this run, or no longer", () => {
  const row = document.activeElement?.closest?.("tr") || rows()[at];
  row?.querySelector("input[name=run]")?.click();
});
key("c", "compare", "compare the runs that are chosen", () => {
  const ids = chosen();
  if (ids.length < 2) return notice("choose two runs or more to compare: x in a row, or the box before it");
  location.assign(`/runs/compare?${new URLSearchParams(ids.map((id) => ["run", id]))}`);
});
key("", "claims", "every claim, and whether it is kept", () => location.assign("/claims"));
key("", "recipes", "start a recipe", () => location.assign("/recipes"));

if (metrics) {
  chart = new Chart(document.getElementById("chart"), { title: "", height: 380 });
  settings = controls((now) => chart.options(now));
  chart.options(settings());
  metrics.addEventListener("change", () => {
    remember({ metric: metrics.value });
    show().catch(refuse);
  });
  show(new URLSearchParams(location.search).get("metric")).catch(refuse);
}
follow("runs", async ({ data }) => {
  if (data.mark === table.querySelector("[data-mark]")?.dataset.mark) return;
  if (!metrics) return location.reload();
  try {
    await refresh();
    const going = chosen().filter((id) => table.querySelector(`tr[data-run="${id}"]`).dataset.status === "running");
    if (String(chosen()) !== drawn || going.length !== following.length) await show();
  } catch (problem) {
    refuse(problem);
  }
});
