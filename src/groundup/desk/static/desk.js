// On every page: requests that change something, notices, the theme, the palette.
import { begin, key, run } from "./keys.js";

export class Refused extends Error {
  constructor(status, told) {
    super(told.error || "the desk did not answer: is it still running in the terminal?");
    this.status = status;
    this.told = told;
  }
}

export const token = document.querySelector("meta[name=groundup-token]").content;
export const nonce = document.querySelector("meta[name=groundup-nonce]").content;

// One request; body: an object. Throws Refused with the server's sentence.
export async function send(method, url, body, options = {}) {
  let response;
  try {
    response = await fetch(url, {
      method,
      headers: { "X-Groundup-Token": token, "Content-Type": "application/json", Accept: "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      ...options,
    });
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    throw new Refused(0, {});
  }
  if (response.ok) return response;
  let told = {};
  try {
    told = await response.json();
  } catch {
    told = {};
  }
  throw new Refused(response.status, told);
}

export async function ask(method, url, body, options) {
  return (await send(method, url, body, options)).json();
}

// A sentence at the foot of the page; it stays until it is read.
export function notice(text, kind = "") {
  const box = document.createElement("div");
  box.className = `notice ${kind}`;
  box.setAttribute("role", kind === "miss" ? "alert" : "status");
  const says = document.createElement("span");
  says.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "plain";
  close.textContent = "close";
  close.addEventListener("click", () => box.remove());
  box.append(says, close);
  const notices = document.getElementById("notices");
  notices.append(box);
  while (notices.children.length > 3) notices.firstChild.remove();
  return box;
}

export function said(text) {
  document.getElementById("said").textContent = text;
}

export function refuse(problem) {
  if (problem.name === "AbortError") return;
  notice(problem instanceof Refused ? problem.message : `something on this page failed: ${problem.message}`, "miss");
  if (!(problem instanceof Refused)) console.error(problem);
}

// Where HTML that the server has made and escaped is put in: the one place.
export function put(element, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  element.replaceChildren(template.content);
  if (window.htmx) window.htmx.process(element);
}

// data-command="name" on a button runs the command of that name.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-command]");
  if (button) run(button.dataset.command, button);
});

key("", "theme", "change between light and dark", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try {
    localStorage.setItem("groundup-theme", root.dataset.theme);
  } catch {
    // it holds for this page
  }
  document.dispatchEvent(new CustomEvent("themechange"));
});
key("g m", "map", "go to the map", () => location.assign("/"));
key("g e", "explore", "go to the explorables", () => location.assign("/explore"));
key("g r", "runs", "go to the runs", () => location.assign("/runs"));
key("g p", "plan", "go to the plan", () => location.assign("/plan"));
key("g n", "notes", "go to the log", () => location.assign("/notes"));
key("g c", "recall", "go to recall", () => location.assign("/recall"));
key("g s", "shelf", "go to the shelf", () => location.assign("/shelf"));
key("", "guide", "go to the guide: where to ask, what to compute on, habits", () => location.assign("/guide"));
key("", "placement", "go to placement: what you know already", () => location.assign("/placement"));
key("", "doctor", "go to this machine: what works here", () => location.assign("/doctor"));
key("", "portfolio", "go to the portfolio", () => location.assign("/portfolio"));
begin();
