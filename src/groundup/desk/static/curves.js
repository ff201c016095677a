// Curves of runs over their steps: many over each other, as they come, in both themes, with a table that says the same.
import uPlot from "./vendor/uplot.js";

const DASHES = [[], [7, 3], [2, 2.5], [9, 3, 2, 3], [4, 4], [12, 4]];
const COLOURS = 6; // --series-1 to --series-6
const DOTS = 60; // a curve of at most so many points shows each
const ROWS = 24; // of the table
const WHOLE = Array.from({ length: 16 }, (_, i) => [1, 2, 5].map((n) => n * 10 ** i)).flat(); // between two ticks: a step is a whole number
const SHARE = 12; // times what drawing took is waited until it is drawn again

export const format = (value) => {
  if (value === undefined || value === null) return "";
  if (Number.isNaN(value)) return "not a number";
  if (!Number.isFinite(value)) return value > 0 ? "infinite" : "minus infinite";
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return value.toLocaleString("en");
  const size = Math.abs(value);
  return size >= 1e6 || size < 1e-4 ? value.toExponential(3) : String(Number(value.toPrecision(5)));
};
const number = (value) => (typeof value === "number" ? value : { inf: Infinity, "-inf": -Infinity }[value] ?? NaN);
const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colour = (slot) => variable(`--series-${(slot % COLOURS) + 1}`) || variable("--ink");
const dash = (slot) => DASHES[(slot + 3 * Math.floor(slot / COLOURS)) % DASHES.length];

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// A short piece of a curve's line, to know it by.
export function swatch(slot) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const [name, value] of Object.entries({ viewBox: "0 0 30 8", width: 30, height: 8, "aria-hidden": "true" })) svg.setAttribute(name, value);
  svg.setAttribute("class", `swatch-line hue${(slot % COLOURS) + 1}`);
  for (const [name, value] of Object.entries({ d: "M0 4H30", "stroke-dasharray": dash(slot).join(" ") || "none" })) line.setAttribute(name, value);
  svg.append(line);
  return svg;
}

// One curve: what was logged, what it is smoothed to, and what of it is no number.
export class Line {
  constructor({ name, slot, href = "", steps = [], values = [], every = 1 }) {
    Object.assign(this, { name, slot, href, every, size: 0, gaps: 0, firstGap: undefined, weight: 0 });
    this.steps = new Float64Array(Math.max(256, steps.length));
    this.values = new Float64Array(this.steps.length);
    this.smooth = null;
    this.mean = this.total = 0;
    this.append(steps, values);
  }

  append(steps, values) {
    while (this.size + steps.length > this.steps.length) this.grow();
    for (let i = 0; i < steps.length; i++) {
      const value = number(values[i]);
      this.steps[this.size] = steps[i];
      this.values[this.size] = value;
      if (!Number.isFinite(value)) {
        this.gaps++;
        this.firstGap ??= [steps[i], value];
      }
      if (this.smooth) this.smooth[this.size] = this.next(value);
      this.size++;
    }
  }

  grow() {
    for (const name of ["steps", "values", "smooth"]) {
      if (!this[name]) continue;
      const larger = new Float64Array(2 * this[name].length);
      larger.set(this[name]);
      this[name] = larger;
    }
  }

  // the exponential mean, started without a pull to zero; what is no number is passed over
  next(value) {
    if (Number.isFinite(value)) {
      this.mean = this.weight * this.mean + (1 - this.weight) * value;
      this.total = this.weight * this.total + (1 - this.weight);
      return this.mean / this.total;
    }
    return NaN;
  }

  smoothing(weight) {
    if (weight === this.weight) return;
    this.weight = weight;
    this.mean = this.total = 0;
    this.smooth = weight ? new Float64Array(this.steps.length) : null;
    for (let i = 0; weight && i < this.size; i++) this.smooth[i] = this.next(this.values[i]);
  }

  // where the step is that lies nearest, -1 where none is near
  nearest(step) {
    if (!this.size) return -1;
    let low = 0, high = this.size - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.steps[middle] < step) low = middle + 1;
      else high = middle;
    }
    return low > 0 && step - this.steps[low - 1] < this.steps[low] - step ? low - 1 : low;
  }
}

// A chart with its legend, its words and its table. `lines` are drawn; `bands` are [high, low] pairs of places in them.
export class Chart {
  constructor(host, { title, height = 320, legend = true } = {}) {
    Object.assign(this, { host, title, height, lines: [], bands: [], weight: 0, logX: false, logY: false, view: null, plot: null });
    this.dirty = false;
    this.took = this.drawn = 0;
    this.seen = true;
    this.build(legend);
    const drawAgain = () => this.draw();
    this.resizing = new ResizeObserver(drawAgain);
    this.resizing.observe(this.box);
    this.watching = new IntersectionObserver(([entry]) => {
      this.seen = entry.isIntersecting;
      if (this.seen && this.dirty) this.draw();
    });
    this.watching.observe(this.box);
    this.themed = () => this.plot && this.plot.redraw(false, true);
    document.addEventListener("themechange", this.themed);
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.dark.addEventListener("change", this.themed);
  }

  build(legend) {
    this.box = element("div", "plot");
    this.box.tabIndex = 0;
    this.box.setAttribute("role", "img");
    this.box.addEventListener("keydown", (event) => this.pressed(event));
    this.head = element("p", "plot-head");
    this.head.append(element("b", "", this.title || ""));
    this.at = element("span", "plot-at dim");
    this.whole = element("button", "plain", "the whole run");
    this.whole.type = "button";
    this.whole.hidden = true;
    this.whole.addEventListener("click", () => this.zoom(null));
    this.head.append(this.at, this.whole);
    this.list = element("ul", "plot-legend");
    this.list.hidden = !legend;
    this.words = element("p", "plot-words dim");
    this.twin = element("details", "twin");
    this.twin.append(element("summary", "", "as a table"), element("div", "wide-table"));
    this.twin.lastChild.tabIndex = 0;
    this.twin.addEventListener("toggle", () => this.tell());
    this.host.replaceChildren(this.head, this.box, this.list, this.words, this.twin);
  }

  // Lines anew; the view stays unless it is another metric.
  set(lines, { title = this.title, bands = [] } = {}) {
    if (title !== this.title) this.view = null;
    Object.assign(this, { lines, title, bands });
    this.head.firstChild.textContent = title;
    this.box.hidden = !lines.length;
    for (const line of lines) line.smoothing(line.plain ? 0 : this.weight);
    this.list.replaceChildren(
      ...lines.filter((line) => !line.hidden).map((line) => {
        const item = element("li");
        const name = element(line.href ? "a" : "span", "", line.name);
        if (line.href) name.href = line.href;
        line.output = element("output");
        item.append(swatch(line.slot), name, line.output);
        return item;
      }),
    );
    this.remake();
    this.told = 0;
    this.tell();
  }

  options({ smooth = this.weight, logX = this.logX, logY = this.logY }) {
    Object.assign(this, { weight: smooth, logX, logY });
    for (const line of this.lines) line.smoothing(line.plain ? 0 : smooth);
    this.remake();
  }

  append(line, steps, values) {
    line.append(steps, values);
    this.later();
  }

  later() {
    if (this.dirty) return;
    this.dirty = true;
    const wait = Math.max(0, this.drawn + SHARE * this.took - performance.now());
    setTimeout(() => requestAnimationFrame(() => this.dirty && this.seen && this.draw()), wait);
  }

  zoom(view) {
    this.view = view;
    this.whole.hidden = !view;
    this.draw();
  }

  range() {
    let low = Infinity, high = -Infinity;
    for (const line of this.lines) {
      let first = 0;
      while (this.logX && first < line.size && line.steps[first] <= 0) first++;
      if (first >= line.size) continue;
      low = Math.min(low, line.steps[first]);
      high = Math.max(high, line.steps[line.size - 1]);
    }
    if (this.view) return [this.logX ? Math.max(this.view[0], 1e-9) : this.view[0], this.view[1]];
    if (low > high) return this.logX ? [1, 10] : [0, 1];
    return low === high ? (this.logX ? [low / 2, low * 2] : [low - 1, low + 1]) : [low, high];
  }

  // What is drawn: two places for each column of pixels, the lowest and the highest value in it in their order. null is a gap,
  // undefined is nothing.
  columns(width) {
    const [low, high] = this.range();
    const scaled = this.logX ? Math.log : (x) => x;
    const start = scaled(low), span = scaled(high) - start;
    const count = Math.max(40, Math.floor(width));
    const used = new Uint8Array(count);
    const tables = [];
    this.below = 0;
    for (const line of this.lines) {
      const kinds = line.smooth ? [line.values, line.smooth] : [line.values];
      for (const values of kinds) tables.push(this.column(line, values, { low, high, start, span, scaled, count, used }));
    }
    const xs = [], ys = tables.map(() => []);
    for (let c = 0; c < count; c++) {
      if (!used[c]) continue;
      for (let half = 0; half < (used[c] > 1 ? 2 : 1); half++) {
        const x = start + (span * (c + 0.25 + 0.5 * half)) / count;
        xs.push(this.logX ? Math.exp(x) : x);
        tables.forEach((table, i) => ys[i].push(table[half][c]));
      }
    }
    return [xs, ...ys];
  }

  column(line, values, { low, high, start, span, scaled, count, used }) {
    const first = new Array(count), second = new Array(count);
    for (let i = 0; i < line.size; i++) {
      const step = line.steps[i];
      if (step < low || step > high) continue;
      const c = Math.min(count - 1, Math.floor(((scaled(step) - start) / span) * count));
      let value = values[i];
      if (this.logY && value <= 0) {
        if (values === line.values) this.below++;
        value = NaN;
      }
      used[c] ||= 1;
      if (!Number.isFinite(value)) {
        if (first[c] === undefined) first[c] = null;
        else if (second[c] === undefined) [second[c], used[c]] = [null, 2];
      } else if (first[c] === undefined || first[c] === null) {
        if (first[c] === null) [second[c], used[c]] = [value, 2];
        else first[c] = value;
      } else if (second[c] === undefined || second[c] === null) {
        [second[c], used[c]] = [value, 2];
      } else {
        const up = second[c] >= first[c];
        const least = up ? first[c] : second[c], most = up ? second[c] : first[c];
        if (value < least) [first[c], second[c]] = [most, value];
        else if (value > most) [first[c], second[c]] = [least, value];
      }
    }
    return [first, second];
  }

  remake() {
    if (this.plot) this.plot.destroy();
    this.plot = null;
    this.draw();
  }

  draw() {
    const width = Math.floor(this.box.clientWidth);
    if (!width) return;
    const begun = performance.now();
    this.dirty = false;
    const narrow = width < 480;
    const height = narrow ? Math.min(this.height, 240) : this.height;
    const data = this.columns(width - (narrow ? 54 : 66));
    if (!this.plot) this.plot = this.make(width, height, data, narrow);
    else {
      if (this.plot.width !== width || this.plot.height !== height) this.plot.setSize({ width, height });
      this.plot.setData(data);
    }
    this.say();
    this.drawn = performance.now();
    this.took = this.drawn - begun;
    if (this.drawn - (this.told || 0) > 1000) this.tell();
  }

  make(width, height, data, narrow) {
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const axis = (more) => ({
      stroke: () => variable("--soft"), font, grid: { stroke: () => variable("--rule"), width: 1 },
      ticks: { stroke: () => variable("--rule"), width: 1, size: 4 }, gap: 4, ...more,
    });
    const series = [{}];
    for (const line of this.lines) {
      const points = { show: () => line.size <= DOTS && !line.hidden, size: 4, fill: () => colour(line.slot) };
      const plain = { stroke: () => (line.hidden ? "transparent" : colour(line.slot)), width: 1.6, dash: dash(line.slot), points };
      if (line.smooth) series.push({ ...plain, stroke: () => `${colour(line.slot)}55`, width: 1, dash: [], points: { show: false } });
      series.push(plain);
    }
    const plot = new uPlot(
      {
        width, height, series,
        legend: { show: false },
        padding: [10, narrow ? 6 : 14, 0, 0],
        bands: this.bands.map(([top, foot]) => ({ series: [top + 1, foot + 1], fill: () => `${colour(this.lines[top].slot)}2a` })),
        scales: {
          x: { time: false, distr: this.logX ? 3 : 1, range: () => this.range() },
          y: { distr: this.logY ? 3 : 1, range: (u, low, high) => this.spread(low, high) },
        },
        axes: [
          axis({ values: named, size: 30, space: narrow ? 44 : 60, ...(this.logX ? POWERS : { incrs: WHOLE }) }),
          axis({ values: named, size: narrow ? 46 : 56, ...(this.logY ? POWERS : {}) }),
        ],
        cursor: {
          y: false,
          drag: { x: true, y: false, setScale: false },
          points: { size: 7, width: 0, fill: (u, i) => u.series[i]._stroke || u.series[i].stroke() },
          dataIdx: (u, which, at) => near(u.data[which], at),
          bind: { dblclick: () => () => this.zoom(null) },
        },
        hooks: {
          setCursor: [(u) => this.read(this.held ?? (u.cursor.left >= 0 ? u.posToVal(u.cursor.left, "x") : undefined))],
          setSelect: [
            (u) => {
              const { left, width: wide } = u.select;
              if (wide > 4) this.zoom([u.posToVal(left, "x"), u.posToVal(left + wide, "x")]);
              if (wide) u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
            },
          ],
        },
      },
      data,
      this.box,
    );
    return plot;
  }

  spread(low, high) {
    if (low === null || high === null || low === undefined || !Number.isFinite(low)) return this.logY ? [0.1, 1] : [0, 1];
    if (this.logY) return low === high ? [low / 2, high * 2] : [low / 1.1, high * 1.1];
    const room = low === high ? Math.abs(low) * 0.1 || 1 : (high - low) * 0.05;
    return [low - room, high + room];
  }

  // The step that was logged nearest to a place on the axis.
  logged(place) {
    const steps = this.lines.filter((line) => line.size).map((line) => line.steps[line.nearest(place)]);
    return steps.reduce((best, step) => (Math.abs(step - place) < Math.abs(best - place) ? step : best), steps[0]);
  }

  // The values at a step, beside the names; those of the end where nobody points.
  read(step) {
    const here = (this.here = step === undefined ? undefined : this.logged(step));
    this.at.textContent = here === undefined ? "" : `step ${format(here)}`;
    for (const line of this.lines) {
      if (!line.output) continue;
      const i = here === undefined ? line.size - 1 : line.nearest(here);
      const outside = here !== undefined && i >= 0 && (here > line.steps[line.size - 1] || here < line.steps[0]);
      const value = i < 0 || outside ? "" : format(line.values[i]);
      line.output.textContent = value && line.smooth && Number.isFinite(line.smooth[i]) ? `${value}, smoothed ${format(line.smooth[i])}` : value;
    }
  }

  pressed(event) {
    const move = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20, Home: -Infinity, End: Infinity }[event.key];
    if (event.key === "Escape" && this.view) return this.zoom(null);
    if (move === undefined || !this.plot || !this.plot.data[0].length) return;
    event.preventDefault();
    const [low, high] = this.range();
    this.held = move === -Infinity ? low : move === Infinity ? high : Math.min(high, Math.max(low, this.beside(move)));
    this.plot.setCursor({ left: this.plot.valToPos(this.held, "x"), top: 10 });
    this.held = undefined;
  }

  // The step that lies so many pixels from the one that is read, or else the next that was logged.
  beside(move) {
    const way = Math.sign(move), [low, high] = this.range();
    if (this.here === undefined) return way > 0 ? low : high;
    const place = this.logged(this.plot.posToVal(this.plot.valToPos(this.here, "x") + move, "x"));
    if ((place - this.here) * way > 0) return place;
    const others = this.lines.map((line) => [line, line.nearest(this.here) + way]).filter(([line, i]) => i >= 0 && i < line.size);
    return others.map(([line, i]) => line.steps[i]).filter((step) => (step - this.here) * way > 0).sort((a, b) => (a - b) * way)[0] ?? this.here;
  }

  // What cannot be seen in the picture, in words under it.
  say() {
    const said = [];
    for (const line of this.lines) {
      if (!line.gaps || line.hidden) continue;
      const [step, value] = line.firstGap;
      said.push(`${line.name} is ${format(value)} at step ${format(step)}${line.gaps > 1 ? ` and at ${format(line.gaps - 1)} more` : ""}`);
    }
    if (this.below) said.push(`${format(this.below)} ${this.below === 1 ? "value is" : "values are"} zero or less, which no power of ten is`);
    if (this.logX && this.lines.some((line) => line.size && line.steps[0] <= 0)) said.push("step 0 has no place among powers of ten");
    const thinned = this.lines.find((line) => line.every > 1);
    if (thinned) said.push(`of every ${format(thinned.every)} steps of ${thinned.name} the lowest and the highest are drawn`);
    this.words.textContent = said.length ? `${said.join("; ")}.` : "";
    if (this.plot && (this.plot.cursor.left ?? -1) < 0) this.read(undefined);
  }

  // For who cannot see it: a sentence, and the table.
  tell() {
    this.told = performance.now();
    const shown = this.lines.filter((line) => line.size && !line.hidden);
    const ends = shown.map((line) => `${line.name} from ${format(line.values[0])} at step ${format(line.steps[0])} to ${format(line.values[line.size - 1])} at step ${format(line.steps[line.size - 1])}`);
    this.box.setAttribute("aria-label", `${this.title} by step: ${ends.join("; ") || "nothing yet"}. Arrow keys read the values.`);
    this.twin.hidden = !shown.length;
    if (!this.twin.open) return;
    const steps = [...new Set(shown.flatMap((line) => Array.from({ length: Math.min(line.size, ROWS) }, (_, i) => line.steps[Math.round((i * (line.size - 1)) / Math.max(1, Math.min(line.size, ROWS) - 1))])))].sort((a, b) => a - b);
    const every = Math.max(1, Math.ceil(steps.length / ROWS));
    const table = element("table", "runs");
    const head = table.createTHead().insertRow();
    for (const name of ["step", ...shown.map((line) => line.name)]) {
      const cell = element("th", "", name);
      cell.scope = "col";
      head.append(cell);
    }
    const body = table.createTBody();
    steps.filter((_, i) => i % every === 0 || i === steps.length - 1).forEach((step) => {
      const row = body.insertRow();
      const cell = element("th", "", format(step));
      cell.scope = "row";
      row.append(cell);
      for (const line of shown) {
        const i = line.nearest(step);
        const outside = step < line.steps[0] || step > line.steps[line.size - 1];
        row.append(element("td", "", outside ? "" : format(line.values[i])));
      }
    });
    this.twin.lastChild.replaceChildren(table);
  }

  destroy() {
    if (this.plot) this.plot.destroy();
    this.resizing.disconnect();
    this.watching.disconnect();
    document.removeEventListener("themechange", this.themed);
    this.dark.removeEventListener("change", this.themed);
    this.host.replaceChildren();
  }
}

// Marks of an axis by powers of ten: 1, 2, 5, 10 ... as many as there is room for; within one power, evenly.
function powers(u, axis, low, high) {
  const most = Math.max(3, Math.floor((axis ? u.bbox.height : u.bbox.width) / devicePixelRatio / 60));
  const first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
  const every = Math.ceil((last - first) / most) || 1;
  for (const digits of [[1, 2, 5], [1, 3], [1]]) {
    const marks = [];
    for (let e = first; e <= last; e += digits.length > 1 ? 1 : every) for (const digit of digits) marks.push(Number(`${digit}e${e}`));
    const inside = marks.filter((mark) => mark >= low && mark <= high);
    if (inside.length > most && digits.length > 1) continue;
    if (inside.length >= 3) return inside;
    break;
  }
  const gap = [1, 2, 5, 10].map((n) => n * 10 ** Math.floor(Math.log10((high - low) / 4))).find((n) => n * 5 >= high - low);
  const marks = [];
  for (let mark = Math.ceil(low / gap) * gap; mark <= high; mark += gap) marks.push(mark);
  return marks;
}
const POWERS = { splits: powers, filter: (u, splits) => splits };

const named = (u, ticks) => ticks.map((tick) => (tick === null ? "" : short(tick)));

function short(value) {
  const size = Math.abs(value);
  if (size >= 1e9) return `${+(value / 1e9).toPrecision(3)}G`;
  if (size >= 1e6) return `${+(value / 1e6).toPrecision(3)}M`;
  if (size >= 1e4) return `${+(value / 1e3).toPrecision(3)}k`;
  if (value && size < 1e-3) return value.toExponential(0);
  return String(+value.toPrecision(4));
}

function near(values, at) {
  for (let away = 0; away < 24; away++) {
    if (values[at - away] != null) return at - away;
    if (values[at + away] != null) return at + away;
  }
  return at;
}

// The controls that every chart of a page obeys; what is chosen stays in the address.
export function controls(changed) {
  const asked = new URLSearchParams(location.search);
  const smooth = document.getElementById("smooth"), logX = document.getElementById("log-x"), logY = document.getElementById("log-y");
  const said = document.getElementById("smooth-value");
  if (smooth) smooth.value = asked.get("smooth") || 0;
  logX.checked = asked.has("logx");
  logY.checked = asked.has("logy");
  const now = () => ({ smooth: smooth ? Number(smooth.value) : 0, logX: logX.checked, logY: logY.checked });
  const apply = () => {
    const { smooth: weight, logX: x, logY: y } = now();
    if (said) said.textContent = weight ? String(weight) : "none";
    remember({ smooth: weight || null, logx: x ? "" : null, logy: y ? "" : null });
    changed(now());
  };
  for (const control of [smooth, logX, logY]) control?.addEventListener("input", apply);
  if (said) said.textContent = now().smooth ? String(now().smooth) : "none";
  return now;
}

// Puts values into the address; null takes one away, an array is several.
export function remember(values) {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(values)) {
    address.searchParams.delete(name);
    for (const each of Array.isArray(value) ? value : [value]) if (each !== null) address.searchParams.append(name, each);
  }
  history.replaceState(history.state, "", address);
}
