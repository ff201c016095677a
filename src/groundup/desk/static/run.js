// One run: a chart for each metric as it comes, what it prints, stopping it, and text from its model.
import { Chart, Line, controls } from "./curves.js";
import { ask, put, refuse, said, send } from "./desk.js";
import { key } from "./keys.js";
import { followRun, load } from "./run-data.js";

const page = document.getElementById("run");
const { run: id, name } = page.dataset;
const charts = new Map(); // metric -> {chart, line}
const host = document.getElementById("charts");
let leave = null, loading = 0;

function chartOf(metric) {
  let found = charts.get(metric);
  if (!found) {
    const box = document.createElement("div");
    box.className = "chart";
    host.append(box);
    const chart = new Chart(box, { title: metric, height: charts.size ? 220 : 320 });
    chart.options(settings());
    found = { chart, line: new Line({ name: metric, slot: 0 }) };
    charts.set(metric, found);
    document.getElementById("no-curves").hidden = true;
  }
  return found;
}

const settings = controls((now) => charts.forEach(({ chart }) => chart.options(now)));

async function show() {
  const mine = ++loading;
  const found = await load([id], "*");
  if (mine !== loading) return;
  if (leave) leave();
  const [run] = found.runs;
  for (const [metric, data] of Object.entries(run.metrics)) {
    const drawn = chartOf(metric);
    drawn.line = new Line({ name: metric, slot: 0, ...data });
    drawn.chart.set([drawn.line]);
  }
  leave = followRun(run, {
    points: (points) => {
      for (const [metric, data] of Object.entries(points)) {
        const fresh = !charts.has(metric);
        const { chart, line } = chartOf(metric);
        if (fresh) chart.set([line]);
        chart.append(line, ...data);
      }
    },
    stale: () => show().catch(refuse),
    state: (now) => told(now).catch(refuse),
    output: (size) => size >= 0 && printed().catch(refuse),
  });
}

let before = null;
async function told(now) {
  const mark = JSON.stringify(now);
  if (mark === before) return;
  const first = before === null;
  before = mark;
  if (first && now.status === page.dataset.status) return;
  page.dataset.status = now.status;
  if (!first) said(`${name} is ${now.status}`);
  put(document.getElementById("summary"), await (await fetch(`/runs/${id}/summary`)).text());
  if (!first && now.status !== "running") put(document.getElementById("files"), await (await fetch(`/runs/${id}/files`)).text());
}

let printing = false, again = false;
async function printed() {
  if (printing) return void (again = true);
  printing = true;
  const pane = document.getElementById("output");
  const text = pane.querySelector("pre");
  const follows = !text || text.scrollTop + text.clientHeight >= text.scrollHeight - 8;
  const top = text?.scrollTop;
  put(pane, await (await fetch(`/runs/${id}/output`)).text());
  document.getElementById("output-part").hidden = false;
  const now = pane.querySelector("pre");
  now.scrollTop = follows ? now.scrollHeight : top;
  printing = false;
  if (again) {
    again = false;
    await printed();
  }
}

page.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-do]");
  if (!button) return;
  if (button.dataset.do === "halt") return writing?.abort();
  button.disabled = true;
  const word = button.textContent;
  button.textContent = button.dataset.do === "stop" ? "Stopping: what it saved is looked at" : "Going on";
  try {
    await ask("POST", `/runs/${id}/${button.dataset.do}`);
    if (button.dataset.do !== "stop") return;
    button.textContent = "Stop at once";
  } catch (problem) {
    button.textContent = word;
    refuse(problem);
  }
  button.disabled = false;
});

let writing = null;
page.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (writing) return;
  const form = event.target;
  const [text, says, halt] = ["#sample-text", "#sample-said", "[data-do=halt]"].map((each) => page.querySelector(each));
  writing = new AbortController();
  const { prompt, ...options } = Object.fromEntries(new FormData(form));
  text.textContent = "";
  says.textContent = "the model is being read";
  halt.hidden = false;
  try {
    const response = await send("POST", form.action, { prompt, options }, { signal: writing.signal });
    text.hidden = false;
    says.textContent = "it writes";
    await lines(response.body, (line) => {
      if (line.text !== undefined) text.append(line.text);
      else says.textContent = line.error || "";
    });
  } catch (problem) {
    says.textContent = problem.name === "AbortError" ? "stopped" : "";
    refuse(problem);
  }
  writing = null;
  halt.hidden = true;
});

async function lines(stream, take) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    for (const part of parts) take(JSON.parse(part));
  }
}

key("", "stop", "stop this run", () => page.querySelector("[data-do=stop]")?.click());
key("", "another", "start another like it", () => page.querySelector('a[href^="/recipes/"]')?.click());
const pane = document.querySelector("#output pre");
if (pane) pane.scrollTop = pane.scrollHeight;
show().catch(refuse);
