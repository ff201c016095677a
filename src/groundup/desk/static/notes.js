// The log: a line is added, an entry opened, a rating written down, a week copied. The page is read again: the file is the truth.
import { ask, notice, refuse, said } from "./desk.js";
import { key } from "./keys.js";
import { write } from "./writing.js";

// The entry's own text, in the page once it is asked for.
const writing = document.getElementById("write");
let file = null;
async function begin() {
  if (file || !writing.open) return;
  file = write(writing.querySelector("[data-writing]"));
  try {
    (await file).focus();
  } catch (problem) {
    refuse(problem);
  }
}
const saved = async () => file && (await file).save();
if (writing) {
  begin();
  writing.addEventListener("toggle", begin);
  writing.querySelector("[data-written]").addEventListener("click", () => saved().then(() => location.reload(), refuse));
  key("e", "write", "write in this entry", () => { writing.open = true; });
}

function shown(entry) {
  const there = `/notes/entry/${encodeURIComponent(entry)}`;
  if (location.pathname === there) location.reload();
  else location.assign(there);
}

for (const form of document.querySelectorAll("[data-add]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await saved();
      const { entry } = await ask("POST", "/notes/line", { line: form.elements.line.value, entry: form.dataset.add });
      if (form.dataset.add) shown(entry);
      else location.reload();
    } catch (problem) {
      refuse(problem);
    }
  });
}

for (const button of document.querySelectorAll("[data-open]")) {
  button.addEventListener("click", async () => {
    try {
      shown((await ask("POST", `/notes/of/${button.dataset.open}`, {})).entry);
    } catch (problem) {
      refuse(problem);
    }
  });
}

for (const form of document.querySelectorAll("[data-rate]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const answers = Object.fromEntries(new FormData(form));
    if (!Object.keys(answers).length) return notice("Choose an answer first.");
    try {
      await saved();
      shown((await ask("POST", `/notes/entry/${encodeURIComponent(form.dataset.rate)}/rating`, answers)).entry);
    } catch (problem) {
      refuse(problem);
    }
  });
}

for (const button of document.querySelectorAll("[data-copy-from]")) {
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copyFrom);
    try {
      await navigator.clipboard.writeText(text.textContent);
      said("copied");
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text);
      notice("Your browser keeps the clipboard to itself: the text is selected, copy it with the keyboard.");
    }
  });
}

const line = document.getElementById("line");
if (line) key("n", "note", "note one line", () => line.focus());
const search = document.getElementById("q");
if (search) key("f", "find", "search the log", () => search.focus());
