// Cells that run: the code goes to the lesson's kernel, and what comes of it is shown under it, instead of what the lesson has printed.
import { notice, refuse, said, send } from "./desk.js";
import { key } from "./keys.js";

const url = `/lesson/${document.getElementById("lesson").dataset.lesson}`;
const queue = []; // cells that are to run, the one that runs first
const PNG = "data:image/png;base64,";

function make(name, kind, text) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  if (text !== undefined) made.textContent = text;
  return made;
}

function button(kind, text, action) {
  const made = make("button", kind, text);
  made.type = "button";
  made.addEventListener("click", action);
  return made;
}

class Cell {
  constructor(element) {
    this.element = element;
    this.number = Number(element.dataset.cell);
    this.pre = element.querySelector("pre");
    this.shown = element.querySelector("code") || this.pre;
    this.original = this.shown.textContent;
    this.highlighted = [...this.shown.childNodes];
    this.code = this.original;
    this.printed = document.querySelector(`[data-out="${this.number}"]`);
    this.expected = this.printed && !this.printed.hidden ? this.printed.textContent : null;
    this.yours = make("div", "yours");
    this.yours.setAttribute("role", "log");
    this.yours.setAttribute("aria-label", `output of cell ${this.number + 1}`);
    this.yours.hidden = true;
    (this.printed || element).after(this.yours);
    this.tool = element.querySelector("[data-run]");
    this.tool.type = "button";
    this.tool.addEventListener("click", () => (queue.includes(this) ? stop() : start([this])));
    this.editing = button("button quiet more", "edit", () => (this.field ? this.leave() : this.edit()));
    this.upTo = button("button quiet more", "run to here", () => start(cells.slice(0, cells.indexOf(this) + 1)));
    const tools = make("div", "cell-tools");
    element.append(tools);
    tools.append(this.editing, ...(this.number ? [this.upTo] : []), this.tool);
    this.pre.addEventListener("dblclick", () => this.edit());
  }

  edit() {
    if (this.field) return;
    const field = (this.field = make("textarea", "cell-code"));
    field.value = this.code;
    field.spellcheck = false;
    field.autocapitalize = "off";
    field.setAttribute("aria-label", `code of cell ${this.number + 1}; shift and enter run it, escape leaves`);
    const grow = () => (field.rows = field.value.split("\n").length);
    field.addEventListener("input", () => {
      this.code = field.value;
      grow();
    });
    field.addEventListener("keydown", (event) => this.typed(event));
    grow();
    this.pre.hidden = true;
    this.pre.before(field);
    this.editing.textContent = "done";
    field.focus();
  }

  typed(event) {
    const field = this.field;
    if (event.key === "Enter" && (event.shiftKey || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      start([this]);
    } else if (event.key === "Escape") {
      event.preventDefault();
      this.leave();
    } else if ((event.key === "Tab" && !event.shiftKey) || event.key === "Enter") {
      event.preventDefault();
      const line = field.value.slice(0, field.selectionStart).split("\n").pop();
      const deeper = line.trimEnd().endsWith(":") ? "    " : "";
      const text = event.key === "Tab" ? "    " : `\n${line.match(/^\s*/)[0]}${deeper}`;
      field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
      field.dispatchEvent(new Event("input"));
    }
  }

  leave() {
    this.code = this.field.value;
    this.field.remove();
    this.field = null;
    this.pre.hidden = false;
    this.editing.textContent = "edit";
    if (this.code === this.original) this.shown.replaceChildren(...this.highlighted);
    else this.shown.textContent = this.code;
    this.offerOriginal();
    this.editing.focus();
    reachable();
  }

  offerOriginal() {
    const changed = this.code !== this.original;
    if (changed && !this.back) {
      this.back = button("button quiet more", "as in the lesson", () => {
        this.code = this.original;
        this.shown.replaceChildren(...this.highlighted);
        this.offerOriginal();
        this.editing.focus();
      });
      this.editing.after(this.back);
    } else if (!changed && this.back) {
      this.back.remove();
      this.back = null;
    }
  }

  waits() {
    this.tool.textContent = "stop";
    this.element.classList.add("running");
  }

  rests() {
    this.tool.textContent = "run";
    this.element.classList.remove("running");
    this.yours.setAttribute("aria-busy", "false");
  }

  // Runs the cell; true if it came to its end.
  async run() {
    const pieces = new Pieces();
    this.yours.setAttribute("aria-busy", "true");
    const response = await send("POST", `${url}/cell/${this.number}`, { code: this.code });
    let done = null;
    for await (const output of lines(response.body)) {
      if (output.kind === "done") done = output;
      else {
        if (!pieces.box.firstChild) this.show(pieces.box);
        pieces.add(output);
      }
    }
    done ??= { how: "ended", says: "The desk went away before the cell had ended.", seconds: 0 };
    if (done.says) pieces.add({ kind: done.how === "ended" ? "end" : "note", text: done.says });
    this.settle(pieces, done);
    return done.how === "ran";
  }

  show(...parts) {
    this.yours.replaceChildren(...parts);
    this.yours.hidden = false;
    if (this.printed) this.printed.hidden = true;
  }

  // Whose output it is and how long it took, the output, and what the lesson has printed where that is something else.
  settle(pieces, { seconds }) {
    const time = seconds < 1 ? `${Math.max(1, Math.round(seconds * 1000))} ms` : `${seconds.toFixed(1)} s`;
    const same = this.expected !== null && pieces.plain && trimmed(pieces.printed) === trimmed(this.expected);
    const parts = [same ? "yours, as in the lesson" : "yours", time];
    if (!pieces.box.firstChild) parts.push("nothing printed");
    const line = make("p", "whose", parts.join(" · "));
    const again = make("span", "more", " · ");
    again.append(button("plain", "restart", restart));
    line.append(again);
    const details = make("details", "whose");
    details.append(make("summary", "", "as printed in the lesson"), make("pre", "out", this.expected ?? ""));
    this.show(line, pieces.box, ...(same || this.expected === null ? [] : [details]));
    reachable();
  }
}

// What a cell gives, as elements. Whatever it says stays text.
class Pieces {
  constructor() {
    this.box = make("div", "pieces");
    this.printed = "";
    this.plain = true; // nothing but what was printed
    this.last = null;
  }

  add(output) {
    if (output.kind === "text" && output.source === "out") this.printed += output.text;
    else this.plain = false;
    const build = this[output.kind];
    if (build) build.call(this, output);
  }

  text({ source, text }) {
    const goesOn = this.last?.className === source && source !== "value";
    if (!goesOn) {
      this.last = make("pre", source);
      this.last.raw = "";
      this.box.append(this.last);
    }
    this.last.raw += text;
    if (this.last.raw.includes("\r")) this.last.textContent = overwritten(this.last.raw);
    else this.last.append(text);
  }

  put(element) {
    this.last = null;
    this.box.append(element);
  }

  more({ lines, characters }) {
    const what = lines ? `${lines.toLocaleString("en")} more lines` : `${characters.toLocaleString("en")} more characters`;
    this.put(make("p", "note", `… ${what}`));
  }

  note({ text }) {
    this.put(make("p", "note", text));
  }

  end({ text }) {
    this.put(make("p", "note ended", text));
  }

  error({ text }) {
    this.put(make("pre", "error", text));
  }

  picture({ source, width, height, alternative }) {
    if (!source.startsWith(PNG)) return;
    const image = make("img");
    image.src = source;
    image.width = width;
    image.height = height;
    image.alt = alternative;
    this.put(image);
  }

  table({ columns, rows, of }) {
    const table = make("table");
    const head = table.createTHead().insertRow();
    head.append(make("td"), ...columns.map((name) => scoped("col", name)));
    const body = table.createTBody();
    for (const [name, ...values] of rows) {
      const row = body.insertRow();
      row.append(scoped("row", name), ...values.map((value) => make("td", "", value)));
    }
    const [height, width] = of;
    const cut = [[rows.length, height, "rows"], [columns.length, width, "columns"]].filter(([shown, all]) => all > shown);
    if (cut.length) {
      const parts = cut.map(([shown, all, what]) => `${shown} of ${all.toLocaleString("en")} ${what}`);
      table.createCaption().textContent = parts.join(", ");
    }
    const frame = make("div", "table");
    frame.append(table);
    this.put(frame);
  }
}

function scoped(scope, text) {
  const made = make("th", "", text);
  made.scope = scope;
  return made;
}

// A carriage return goes back to the beginning of its line, as in a terminal: what a progress bar lives on.
function overwritten(raw) {
  return raw
    .split("\n")
    .map((line) => line.replace(/\r+$/, "").split("\r").pop())
    .join("\n");
}

function trimmed(text) {
  return text
    .replace(/^\n+|\n+$/g, "")
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

// The JSON values of a stream, one a line.
async function* lines(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let left = "";
  for (;;) {
    const { value, done } = await reader.read().catch(() => ({ done: true }));
    if (done) return;
    const whole = (left + value).split("\n");
    left = whole.pop();
    for (const line of whole) if (line) yield JSON.parse(line);
  }
}

// What scrolls can be scrolled by the keyboard.
function reachable() {
  for (const each of document.querySelectorAll(".cell > pre, .yours pre, .yours .table")) {
    if (each.scrollWidth > each.clientWidth || each.scrollHeight > each.clientHeight) each.tabIndex = 0;
    else each.removeAttribute("tabindex");
  }
}

// Runs cells one after another; what does not come to its end keeps those after it from running.
async function start(wanted) {
  const idle = !queue.length;
  for (const cell of wanted) {
    if (queue.includes(cell)) continue;
    queue.push(cell);
    cell.waits();
  }
  while (idle && queue.length) {
    const cell = queue[0];
    let ran = false;
    try {
      ran = await cell.run();
    } catch (problem) {
      refuse(problem);
    }
    cell.rests();
    queue.shift();
    if (!ran) while (queue.length) queue.pop().rests();
  }
}

async function stop() {
  while (queue.length > 1) queue.pop().rests();
  if (!queue.length) return;
  try {
    await send("DELETE", `${url}/kernel`);
  } catch (problem) {
    refuse(problem);
  }
}

async function restart() {
  while (queue.length > 1) queue.pop().rests();
  try {
    await send("POST", `${url}/kernel/restart`);
    said("restarted: the cells have forgotten every name");
    notice("The cells have forgotten every name: run them from the top.");
  } catch (problem) {
    refuse(problem);
  }
}

// The cell that has the focus, or the last one that the reader has come to.
function here() {
  const focused = cells.findIndex((cell) => cell.element.contains(document.activeElement) || cell.yours.contains(document.activeElement));
  if (focused >= 0) return focused;
  const above = cells.filter((cell) => cell.element.getBoundingClientRect().top < innerHeight);
  return Math.max(0, above.length - 1);
}

const cells = [...document.querySelectorAll(".cell[data-cell]")].map((element) => new Cell(element));
if (cells.length) {
  addEventListener("resize", () => requestAnimationFrame(reachable));
  key("", "run all cells", "run all cells", () => start(cells));
  key("", "run above", "run all cells above this one", () => start(cells.slice(0, here())));
  key("", "stop cell", "stop the cell that runs", stop);
  key("", "restart cells", "restart the cells: forget every name", restart);
}
