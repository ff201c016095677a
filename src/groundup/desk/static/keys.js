// Keys and the palette: every command of a page has a name, many have a key, all are found by typing.
const commands = new Map();
let waiting = null; // a command that was clicked before its page's script had come
let prefix = "";
let prefixTimer = 0;
let dialog, input, list, chosen = 0, entries = [], asked = 0;

// key("r", "check", "check what is saved", action); the key may be "" or two, such as "g m".
export function key(keys, name, says, action) {
  commands.set(name, { keys, name, says, action });
  if (waiting?.name !== name) return;
  const { element } = waiting;
  waiting = null;
  setTimeout(() => action(element)); // once the rest of that script has run
}

export function run(name, element) {
  const command = commands.get(name);
  if (command) return command.action(element);
  waiting = { name, element };
}

function typing(target) {
  return target.closest && target.closest("input, textarea, select, [contenteditable=true], .cm-editor");
}

export function begin() {
  key("/", "palette", "search lessons and commands", open);
  key("?", "keys", "show the keys", () => open("?"));
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "k") {
      event.preventDefault();
      return open();
    }
    if (event.ctrlKey || event.metaKey || event.altKey || (dialog && dialog.open)) return;
    if (typing(event.target) && event.target.type !== "range" && event.target.type !== "checkbox") return;
    const pressed = prefix ? `${prefix} ${event.key}` : event.key;
    prefix = "";
    for (const command of commands.values()) {
      if (command.keys && command.keys === pressed) {
        event.preventDefault();
        return command.action(null);
      }
    }
    if ([...commands.values()].some((c) => c.keys.startsWith(`${event.key} `))) {
      prefix = event.key;
      clearTimeout(prefixTimer);
      prefixTimer = setTimeout(() => (prefix = ""), 1000);
    }
  });
}

function build() {
  dialog = document.createElement("dialog");
  dialog.className = "palette";
  dialog.setAttribute("aria-label", "search lessons and commands");
  input = document.createElement("input");
  input.type = "text";
  input.placeholder = "a lesson, a word, a command";
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-label", "search lessons and commands");
  input.setAttribute("aria-expanded", "true");
  input.setAttribute("aria-controls", "palette-list");
  list = document.createElement("ul");
  list.id = "palette-list";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "what was found");
  dialog.append(input, list);
  document.body.append(dialog);
  input.addEventListener("input", fill);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      take(chosen);
    }
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}

function open(text) {
  if (!dialog) build();
  input.value = typeof text === "string" ? "" : "";
  if (!dialog.open) dialog.showModal();
  input.focus();
  fill();
}

async function fill() {
  const question = input.value.trim();
  const mine = ++asked;
  const words = question.toLowerCase().split(/\s+/).filter(Boolean);
  const matching = [...commands.values()].filter((c) => c.name !== "palette" && words.every((w) => `${c.name} ${c.says}`.toLowerCase().includes(w)));
  let lessons = [];
  try {
    const response = await fetch(`/search?q=${encodeURIComponent(question)}`, { headers: { Accept: "application/json" } });
    if (response.ok) lessons = (await response.json()).lessons;
  } catch {
    lessons = [];
  }
  if (mine !== asked) return;
  const asCommands = matching.map((c) => ({ label: c.says, tail: c.keys, act: () => c.action(null) }));
  const asLessons = lessons.map((l) => ({ label: `${l.id} ${l.title}`, tail: l.phase, passage: l.passage, act: () => location.assign(l.href) }));
  entries = /^\d/.test(question) ? [...asLessons, ...asCommands] : [...asCommands, ...asLessons];
  list.replaceChildren(...entries.map(row));
  choose(0);
}

function row(entry, index) {
  const item = document.createElement("li");
  item.setAttribute("role", "option");
  item.id = `palette-${index}`;
  const label = document.createElement("span");
  label.textContent = entry.label;
  item.append(label);
  if (entry.tail) {
    const tail = document.createElement("small");
    tail.textContent = entry.tail;
    item.append(tail);
  }
  if (entry.passage) {
    const passage = document.createElement("small");
    passage.className = "passage";
    passage.textContent = entry.passage;
    item.append(passage);
  }
  item.addEventListener("click", () => take(index));
  return item;
}

function choose(index) {
  chosen = entries.length ? (index + entries.length) % entries.length : 0;
  [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === chosen)));
  if (list.children[chosen]) {
    list.children[chosen].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", `palette-${chosen}`);
  } else input.removeAttribute("aria-activedescendant");
}

function take(index) {
  if (!entries[index]) return;
  dialog.close();
  entries[index].act();
}
