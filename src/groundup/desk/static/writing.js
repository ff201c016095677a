// A file of the learner's in the page: what recall and the arena hand out, an entry of the log. Saved a moment after the last key.
import { ask, nonce, refuse, Refused } from "./desk.js";
import { openEditor } from "./editor.js";

const AUTOSAVE = 1200; // ms after the last key

// Mounts the file that data-writing names. Code in the editor; prose (data-prose) in a text field, which breaks its lines.
// Gives {save, read, focus}; save() is done when the disk has what is here, and throws where it cannot.
export async function write(element) {
  const url = `/writing?${element.dataset.writing}`;
  const sign = element.querySelector(".sign");
  const choice = element.querySelector(".conflict");
  let { text: agreed, sha, path } = await ask("GET", url);
  let theirs = null; // {text, sha} on the disk, while the two differ
  let timer = 0;
  let saving = Promise.resolve();
  const state = (text, kind = "dim") => Object.assign(sign, { textContent: text, className: `sign ${kind}` });

  const changed = () => {
    clearTimeout(timer);
    if (surface.text() === agreed) return state("saved");
    state("not saved");
    if (!theirs) timer = setTimeout(() => save().catch(refuse), AUTOSAVE);
  };
  const surface = (element.dataset.prose === undefined ? code : prose)(element.querySelector(".sheet"), {
    text: agreed, label: path, nonce, onChange: changed, onSave: () => save().catch(refuse),
  });
  element.querySelector(".path").textContent = path;
  state("saved");

  function save() {
    clearTimeout(timer);
    const next = saving.catch(() => {}).then(put);
    saving = next;
    return next;
  }

  async function put() {
    const text = surface.text();
    if (text === agreed) return;
    state("saving");
    try {
      sha = (await ask("PUT", url, { text, base: sha })).sha;
      agreed = text;
      state(surface.text() === text ? "saved" : "not saved");
    } catch (problem) {
      state("not saved", "miss");
      if (problem instanceof Refused && problem.told.sha !== undefined) {
        theirs = problem.told;
        choice.hidden = false;
      }
      throw problem;
    }
  }

  // The disk has another text: one of the two counts, and the learner says which.
  choice.addEventListener("click", (event) => {
    const which = event.target.dataset.counts;
    if (!which || !theirs) return;
    ({ sha } = theirs);
    agreed = theirs.text;
    if (which === "disk") surface.setText(theirs.text);
    theirs = null;
    choice.hidden = true;
    if (which === "disk") state("saved");
    else save().catch(refuse);
  });
  // Who comes back from another editor finds what was saved there. Looked at between saves: what is read during one may be what it replaces.
  addEventListener("focus", () => { saving = saving.catch(() => {}).then(look); });

  async function look() {
    if (theirs || surface.text() !== agreed) return;
    const now = await ask("GET", url).catch(() => null);
    if (!now || now.sha === sha || surface.text() !== agreed) return;
    agreed = now.text;
    sha = now.sha;
    surface.setText(now.text);
  }

  addEventListener("beforeunload", (event) => {
    if (surface.text() !== agreed) event.preventDefault();
  });
  return { save, focus: surface.focus, path };
}

// It opens at the hole, where there is one.
function code(element, options) {
  const editor = openEditor(element, options);
  const hole = options.text.split("\n").findIndex((line) => line.includes("raise NotImplementedError"));
  if (hole >= 0) editor.reveal(hole + 1);
  return editor;
}

// A text field knows one kind of line end: those of the file are put back.
function prose(element, { text, label, onChange, onSave }) {
  const windows = /\r\n/.test(text) && !/(^|[^\r])\n/.test(text);
  const field = document.createElement("textarea");
  field.setAttribute("aria-label", label);
  field.value = text;
  element.append(field);
  field.addEventListener("input", onChange);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "s" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    onSave();
  });
  return {
    text: () => (windows ? field.value.replace(/\n/g, "\r\n") : field.value),
    setText: (other) => { field.value = other; },
    focus() {
      const first = field.value.match(/^## .*\n\n?/m); // below the first question
      const at = first ? first.index + first[0].length : 0;
      field.setSelectionRange(at, at);
      field.focus();
      field.scrollTop = 0;
    },
  };
}
