// An explorable: a control moves, the server computes, the newest picture stays.
import { put, said } from "./desk.js";
import { key } from "./keys.js";

const DEBOUNCE = 30; // ms from the last move to the request
const PATIENCE = 400; // ms after which a request gives way to a newer one: until then pictures follow a moving hand
const SETTLED = 400; // ms after which the address bar and the reader of the screen are told
const FRAME = 450; // ms from step to step while it plays

const form = document.querySelector("form.controls");
const stage = document.getElementById("picture");
const still = matchMedia("(prefers-reduced-motion: reduce)");

let request = null; // { abort, begun, query } of what is on its way
let wanted = null; // the newest query
let timer = 0;
let settling = 0;
let playing = 0;

function logarithmic(input) {
  const { low, high } = input.dataset;
  return Number((low * (high / low) ** (input.value / input.max)).toPrecision(3));
}

function query() {
  const found = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    const input = form.elements[name];
    if (input.dataset?.name) found.set(input.dataset.name, logarithmic(input));
    else if (name !== "on" || value !== "reference") found.set(name, value);
  }
  return found.toString();
}

function label(input) {
  const value = input.dataset.name ? String(logarithmic(input)) : input.value;
  const output = input.parentElement.querySelector("output");
  if (output) output.textContent = value;
  if (input.dataset.name) input.setAttribute("aria-valuetext", value);
}

function moved() {
  wanted = query();
  clearTimeout(timer);
  timer = setTimeout(ask, DEBOUNCE);
}

async function ask() {
  if (request) {
    if (performance.now() - request.begun < PATIENCE) {
      timer = setTimeout(ask, DEBOUNCE);
      return;
    }
    request.abort.abort();
  }
  const mine = { abort: new AbortController(), begun: performance.now(), query: wanted };
  request = mine;
  stage.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(`${form.action}/picture?${mine.query}`, { signal: mine.abort.signal });
    const text = await response.text();
    if (request === mine) show(response.ok || response.status === 400 ? text : null);
  } catch (problem) {
    if (problem.name !== "AbortError" && request === mine) show(null);
  } finally {
    if (request === mine) {
      request = null;
      stage.removeAttribute("aria-busy");
    }
  }
  clearTimeout(settling);
  settling = setTimeout(settle, SETTLED);
}

function show(fragment) {
  const open = stage.querySelector("details")?.open;
  if (fragment === null) {
    const trouble = document.createElement("p");
    trouble.className = "trouble";
    trouble.textContent = "the desk does not answer: start it again with `groundup desk`, then reload this page";
    stage.replaceChildren(trouble);
    stop();
    return;
  }
  put(stage, fragment);
  const details = stage.querySelector("details");
  if (details && open) details.open = true;
  if (stage.querySelector(".trouble")) stop();
  steps.forEach(({ input }) => {
    const last = stage.querySelector("figure")?.dataset.last ?? input.dataset.most;
    if (stage.querySelector("figure") && input.max !== last) {
      input.max = last;
      label(input);
    }
  });
}

function settle() {
  if (wanted === null || request) return;
  history.replaceState(null, "", wanted ? `${form.action}?${wanted}` : form.action);
  said(stage.querySelector("figcaption, .trouble")?.textContent ?? "");
}

const steps = [...form.querySelectorAll(".steps")].map((part) => {
  const found = { input: part.querySelector("input"), button: part.querySelector("button") };
  found.button.hidden = false;
  found.button.addEventListener("click", () => play(found));
  return found;
});

function step({ input }) {
  if (Number(input.value) >= Number(input.max)) return false;
  input.stepUp();
  label(input);
  moved();
  return true;
}

function play(which) {
  if (playing) return stop();
  if (still.matches) {
    if (!step(which)) rewind(which);
    return undefined;
  }
  if (Number(which.input.value) >= Number(which.input.max)) rewind(which);
  which.button.textContent = "stop";
  playing = setInterval(() => {
    if (!request && !step(which)) stop();
  }, FRAME);
  return undefined;
}

function rewind({ input }) {
  input.value = input.min;
  label(input);
  moved();
}

function stop() {
  clearInterval(playing);
  playing = 0;
  name();
}

function name() {
  for (const { button } of steps) button.textContent = still.matches ? "next step" : "play";
}

form.addEventListener("input", (event) => {
  if (playing && event.isTrusted) stop();
  label(event.target);
  moved();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  moved();
});
still.addEventListener("change", stop);
name();
if (stage.querySelector(".starting")) moved();
if (steps.length) key("p", "play", "play the steps", () => play(steps[0]));
