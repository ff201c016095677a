// The lesson: the file in the editor is the file on the disk, and each save is judged.
import { ask, nonce, notice, put, refuse, Refused, said } from "./desk.js";
import { openEditor } from "./editor.js";
import { follow } from "./events.js";
import { key, run } from "./keys.js";

const AUTOSAVE = 1200; // ms after the last key; it saves, and does not judge

const page = document.getElementById("lesson");
const id = page.dataset.lesson;
const url = `/lesson/${id}`;
const element = document.getElementById("editor");
const points = document.getElementById("points");
const savedSign = document.getElementById("saved");
const conflict = document.getElementById("conflict");
const aside = document.getElementById("aside");
const past = document.getElementById("past");

// A file: path, text as last agreed with the disk, sha of that, draft while another tab of the editor is shown.
const files = element ? JSON.parse(element.dataset.files) : [];
let at = 0;
let editor = null;
let timer = 0;
let saving = Promise.resolve();
let theirs = null; // {text, sha} on the disk, while the two differ
let versions = [];

function draftName(number) {
  return `groundup-draft ${id} ${number}`;
}

function keepDraft() {
  try {
    if (editor.text() === files[at].text) sessionStorage.removeItem(draftName(at));
    else sessionStorage.setItem(draftName(at), JSON.stringify({ sha: files[at].sha, text: editor.text() }));
  } catch {
    // a browser that keeps nothing: the page itself still does
  }
}

function takeDraft(number) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(draftName(number)) || "null");
    return kept && typeof kept.text === "string" ? kept : null;
  } catch {
    return null;
  }
}

function state(text, kind = "dim") {
  savedSign.textContent = text;
  savedSign.className = kind;
}

function changed() {
  if (!editor) return;
  keepDraft();
  if (editor.text() === files[at].text) return state("saved");
  state("not saved");
  clearTimeout(timer);
  timer = setTimeout(() => save(false), AUTOSAVE);
}

// Saves what is in the editor; one save after another. judge: whether a verdict is wanted.
function save(judge) {
  clearTimeout(timer);
  saving = saving.then(() => write(judge)).catch(refuse);
  return saving;
}

async function write(judge) {
  if (theirs) return showConflict();
  const number = at;
  const text = editor.text();
  if (judge) busy();
  if (text === files[number].text) {
    if (judge) await check();
    return;
  }
  state("saving");
  try {
    const told = await ask("PUT", `${url}/file/${number}`, { text, base: files[number].sha, judge });
    files[number].text = text;
    files[number].sha = told.sha;
    if (number === at) {
      keepDraft();
      state(editor.text() === text ? "saved" : "not saved");
    }
  } catch (problem) {
    idle();
    if (problem instanceof Refused && problem.status === 409 && problem.told.sha !== undefined) {
      theirs = { text: problem.told.text, sha: problem.told.sha };
      return showConflict();
    }
    state("not saved", "miss");
    throw problem;
  }
}

function busy() {
  points.setAttribute("aria-busy", "true");
}

function idle() {
  points.removeAttribute("aria-busy");
}

async function check(body = {}) {
  busy();
  try {
    const told = await ask("POST", `${url}/check`, body);
    show(told.points);
    if (told.warning) notice(told.warning, "hint");
  } finally {
    idle();
  }
}

function show(html) {
  idle();
  if (points.dataset.html === html) return;
  points.dataset.html = html;
  put(points, html);
  markLine();
  reveal();
}

// The verdict into view, below the row it is about: the list scrolls, and the page stays where it is.
function reveal() {
  const verdict = points.querySelector(".verdict");
  if (!verdict) return;
  const box = document.getElementById("points-box");
  const row = (verdict.previousElementSibling ?? verdict).getBoundingClientRect();
  const { top } = box.getBoundingClientRect();
  if (row.top < top || verdict.getBoundingClientRect().bottom > top + box.clientHeight) box.scrollTop += row.top - top - 6;
}

// The line that the verdict names, marked in the editor.
function markLine() {
  if (!editor) return;
  editor.clearMarks();
  const button = points.querySelector("[data-line]");
  if (button && button.dataset.file === `mine/${files[at].path}`) {
    editor.mark(Number(button.dataset.line), points.querySelector(".verdict h3")?.textContent || "");
  }
}

// What the disk says now: sha of each file, "" where there is none. Looked at between saves: what is read during one may be what it replaces.
function onDisk(shas) {
  saving = saving.then(() => look(shas)).catch(refuse);
  return saving;
}

async function look(shas) {
  for (const [number, sha] of shas.entries()) {
    if (!files[number] || sha === files[number].sha) continue;
    const told = await ask("GET", `${url}/file/${number}`);
    if (told.sha === files[number].sha) continue; // old news: of a state that a save from here has replaced
    const mine = number === at ? editor.text() : takeDraft(number)?.text ?? files[number].text;
    if (told.text === mine || mine === files[number].text) {
      files[number].text = told.text;
      files[number].sha = told.sha;
      if (number === at) {
        if (editor.text() !== told.text) editor.setText(told.text);
        state("as on the disk");
        theirs = null;
        conflict.hidden = true;
        keepDraft();
      }
    } else if (number === at) {
      clearTimeout(timer);
      theirs = { text: told.text, sha: told.sha };
      showConflict();
    }
  }
}

function showConflict() {
  conflict.hidden = false;
  state("changed in two places", "miss");
  document.getElementById("difference").hidden = true;
}

function agree(text, sha) {
  files[at].text = text;
  files[at].sha = sha;
  theirs = null;
  conflict.hidden = true;
}

function edit(number) {
  if (editor && number !== at) {
    keepDraft();
    if (theirs) return showConflict();
    if (editor.text() !== files[at].text) save(false);
  }
  at = number;
  const kept = takeDraft(number);
  if (!editor) {
    element.replaceChildren();
    editor = openEditor(element, {
      text: files[number].text,
      label: `mine/${files[number].path}`,
      nonce,
      onSave: () => save(true),
      onChange: changed,
    });
  } else editor.open(files[number].text, `mine/${files[number].path}`);
  if (kept && kept.text !== files[number].text) {
    // typed before the page went away: put back, and a change on the disk since then is asked about
    const base = kept.sha;
    editor.setText(kept.text);
    if (base !== files[number].sha) {
      theirs = { text: files[number].text, sha: files[number].sha };
      showConflict();
    } else changed();
  } else state("saved");
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const here = Number(tab.dataset.file) === number;
    tab.setAttribute("aria-selected", String(here));
    tab.tabIndex = here ? 0 : -1;
    if (here) element.setAttribute("aria-labelledby", tab.id);
  }
  markLine();
}

function tell(build) {
  aside.replaceChildren();
  build(aside);
  aside.hidden = false;
  aside.scrollIntoView({ block: "nearest" });
}

function paragraph(parent, text, kind = "") {
  const p = document.createElement("p");
  p.textContent = text;
  p.className = kind;
  parent.append(p);
  return p;
}

function button(text, action, kind = "button quiet") {
  const made = document.createElement("button");
  made.type = "button";
  made.className = kind;
  made.textContent = text;
  made.addEventListener("click", () => Promise.resolve(action()).catch(refuse));
  return made;
}

async function hint() {
  const told = await ask("POST", `${url}/hint`);
  tell((box) => {
    box.className = "aside hint";
    paragraph(box, told.number <= told.of ? `hint ${told.number} of ${told.of}` : "after the hints", "dim");
    paragraph(box, told.text);
    if (told.number > told.of) box.append(button("show the reference; it is recorded", solution));
    box.append(button("close", () => (aside.hidden = true)));
  });
}

async function solution() {
  const told = await ask("POST", `${url}/solution`);
  tell((box) => {
    box.className = "aside";
    for (const file of told.files) {
      paragraph(box, `the reference's ${file.path}`, "dim");
      const pre = document.createElement("pre");
      pre.textContent = file.text;
      pre.tabIndex = 0;
      box.append(pre);
    }
    box.append(button("close", () => (aside.hidden = true)));
  });
}

async function bug() {
  const told = await ask("POST", `${url}/bug`);
  tell((box) => {
    box.className = told.found ? "aside pass" : "aside hint";
    paragraph(box, told.says);
    if (told.points) {
      const div = document.createElement("div");
      put(div, told.points);
      box.append(div);
    }
    box.append(button(told.found ? "another one" : "I have mended it", bug), button("close", () => (aside.hidden = true)));
  });
}

let looking = null; // the editor that shows an earlier state, which cannot be written in

async function history() {
  const told = await ask("GET", `${url}/file/${at}/history`);
  versions = told.versions;
  if (!versions.length) return notice("There is no earlier state of this file: every check keeps one.");
  await save(false);
  past.hidden = false;
  element.hidden = true;
  const when = document.getElementById("when");
  when.max = versions.length - 1;
  when.value = versions.length - 1;
  when.focus();
  await travel();
}

async function travel() {
  const when = Number(document.getElementById("when").value);
  const version = versions[when];
  const told = await ask("GET", `${url}/file/${at}/history/${version.event}`);
  if (past.hidden || Number(document.getElementById("when").value) !== when) return;
  const time = new Date(version.at * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  const passed = version.passed ? ", passed" : "";
  const same = told.text === editor.text() ? ", as it is now" : "";
  document.getElementById("when-said").textContent = `${when + 1} of ${versions.length}: ${time}, ${version.what}${passed}${same}`;
  const view = document.getElementById("past-view");
  if (looking) looking.setText(told.text);
  else looking = openEditor(view, { text: told.text, label: "an earlier state of the file", nonce, readOnly: true });
}

function leaveHistory() {
  past.hidden = true;
  element.hidden = false;
  looking?.close();
  looking = null;
}

async function putBack() {
  const text = looking.text();
  leaveHistory();
  const told = await ask("PUT", `${url}/file/${at}`, { text, base: files[at].sha, judge: true, keep: true });
  agree(text, told.sha);
  editor.setText(text);
  keepDraft();
  state("saved");
  said("put back; what stood there is kept");
}

async function reset() {
  if (!confirm("Start the files of this lesson again? What stands there now is kept, and the history brings it back.")) return;
  await ask("POST", `${url}/reset`, {});
  notice("The files are new again. The history, or `groundup reset --undo`, brings the old ones back.");
}

async function openLesson() {
  await ask("POST", `${url}/open`);
  location.reload();
}

function guarded(action) {
  return () => Promise.resolve(action()).catch(refuse);
}

key("", "open", "open the lesson: write its files", guarded(openLesson));
if (element) {
  key("r", "check", "check what is written", guarded(() => save(true)));
  key("h", "hint", "a hint", guarded(hint));
  key("e", "edit", "go into the editor", () => editor.focus());
  key("", "bug", "a bug to find", guarded(bug));
  key("", "history", "the history of this file", guarded(history));
  key("", "reset", "start the files again", guarded(reset));
  key("", "full check", "check with ten times as many cases", guarded(async () => {
    await save(false);
    await check({ full: true });
  }));
  key("", "solution", "show the reference; it is recorded", guarded(solution));
  key("", "put-back", "put this state of the file back", guarded(putBack));
  key("", "leave-history", "leave the history", leaveHistory);
  key("", "mine-counts", "the file here counts", guarded(async () => {
    agree(theirs.text, theirs.sha);
    await save(true);
  }));
  key("", "disk-counts", "the file on the disk counts", guarded(async () => {
    const { text, sha } = theirs;
    agree(text, sha);
    editor.setText(text);
    keepDraft();
    state("as on the disk");
    await check();
  }));
  key("", "show-difference", "show how the two differ", () => {
    const pre = document.getElementById("difference");
    pre.textContent = editor.diff(theirs.text).filter(({ sign }) => sign !== " ").map(({ sign, line, text }) => `${sign} ${line}  ${text}`).join("\n");
    pre.hidden = false;
  });
  edit(0);
  document.getElementById("when").addEventListener("input", () => travel().catch(refuse));
  for (const tab of document.querySelectorAll("[role=tab]")) {
    tab.addEventListener("click", () => edit(Number(tab.dataset.file)));
    tab.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      const next = (Number(tab.dataset.file) + by + files.length) % files.length;
      edit(next);
      document.getElementById(`tab-${next}`).focus();
    });
  }
  addEventListener("beforeunload", (event) => {
    if (theirs || editor.text() !== files[at].text) event.preventDefault();
  });
  if (page.dataset.stale === "yes") check().catch(refuse);
}

// j and k: the checkpoints.
function stepPoint(by) {
  const all = [...points.querySelectorAll(".point")];
  if (!all.length) return;
  const now = all.indexOf(document.activeElement);
  const next = all[Math.max(0, Math.min(all.length - 1, now < 0 ? 0 : now + by))];
  next.tabIndex = -1;
  next.focus();
}
key("n", "next lesson", "the next lesson", () => {
  const next = points.querySelector("[data-next]");
  if (next) location.assign(next.href);
  else notice("This one is not built yet.");
});
key("j", "next checkpoint", "the next checkpoint", () => stepPoint(1));
key("k", "checkpoint before", "the checkpoint before", () => stepPoint(-1));

points.addEventListener("click", (event) => {
  const line = event.target.closest("[data-line]");
  if (line && editor) {
    const number = files.findIndex((file) => `mine/${file.path}` === line.dataset.file);
    if (number >= 0 && number !== at) edit(number);
    editor.mark(Number(line.dataset.line), "");
    editor.focus(Number(line.dataset.line));
  }
  const doing = event.target.closest("[data-do]");
  if (doing) run(doing.dataset.do, doing);
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    const pre = copy.previousElementSibling;
    navigator.clipboard?.writeText(pre.textContent).then(() => said("copied"), () => notice("This browser does not let a page copy: mark the text instead."));
  }
});

follow(`lesson:${id}`, ({ kind, data }) => {
  if (kind === "files" && editor) onDisk(data);
  if (kind === "files" && !element && data.some(Boolean)) location.reload();
  if (kind === "news" && data.points) show(data.points);
}, { since: page.dataset.cursor });

document.addEventListener("connection", (event) => {
  // back after a while: what was typed meanwhile is saved now
  if (!event.detail.broken && editor && editor.text() !== files[at].text) save(false);
});
