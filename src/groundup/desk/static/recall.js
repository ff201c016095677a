// Recall: space turns the card, 1 to 4 rate it; code is handed out, written in an editor, judged. Then the next card.
import { ask, notice, put, refuse, said } from "./desk.js";
import { key } from "./keys.js";
import { write } from "./writing.js";

const card = document.getElementById("card");
const working = document.getElementById("working");
let busy = false;
const files = []; // those that are written here

for (const element of document.querySelectorAll("[data-writing]")) {
  write(element).then((file) => files.push(file), refuse);
}
const saved = () => Promise.all(files.map((file) => file.save()));

async function once(words, work, where = working) {
  if (busy) return;
  busy = true;
  if (where) where.textContent = words;
  try {
    await work();
  } catch (problem) {
    refuse(problem);
  } finally {
    busy = false;
    if (where) where.textContent = "";
  }
}

const onward = () => location.assign("/recall");

function rate(rating) {
  return once("", async () => {
    const { due } = await ask("POST", "/recall/rate", { card: card.dataset.card, rating });
    said(`${rating}, again on ${due}`);
    onward();
  });
}

// A verdict is made for the page of a lesson: here a line is shown where the file is open, and there are no hints.
function verdict(where, html) {
  put(where, html);
  const { root } = document.querySelector(".recall").dataset;
  where.querySelectorAll("[data-do]").forEach((button) => button.remove());
  for (const button of where.querySelectorAll("[data-line]")) {
    const { file, line } = button.dataset;
    const open = files.find((each) => each.path === file);
    button.addEventListener("click", () => (open ? open.focus(Number(line)) : location.assign(`vscode://file${root}/${file}:${line}`)));
  }
  for (const button of where.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", () => navigator.clipboard.writeText(button.previousElementSibling.textContent).then(() => said("copied"), refuse));
  }
}

function turn() {
  const back = document.getElementById("back");
  back.hidden = !back.hidden;
  document.querySelector("[aria-controls=back]").setAttribute("aria-expanded", String(!back.hidden));
  if (!back.hidden) back.focus({ preventScroll: true });
}

if (card) {
  const buttons = [...card.querySelectorAll("[data-rating]")];
  buttons.forEach((button) => {
    key(button.getAttribute("aria-keyshortcuts"), button.dataset.rating, `rate this card: ${button.dataset.rating}`, () => rate(button.dataset.rating));
    button.addEventListener("click", () => rate(button.dataset.rating));
  });
  if (card.dataset.kind === "question") {
    key("", "turn", "show where the lesson speaks of it", turn);
    document.addEventListener("keydown", (event) => {
      const free = !event.target.closest("button, a, input, summary, dialog, [contenteditable]") && !document.querySelector("dialog[open]");
      if (event.key !== " " || !free || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      turn();
    });
  } else {
    key("b", "give", "begin this card", () =>
      once("It is being made, and judged before you see it.", async () => {
        await ask("POST", "/recall/give", { card: card.dataset.card });
        location.assign(`/recall?card=${encodeURIComponent(card.dataset.card)}`);
      }),
    );
    key("r", "judge", "have this card judged", () =>
      once("It is being judged.", async () => {
        await saved();
        const found = await ask("POST", "/recall/judge", { card: card.dataset.card });
        verdict(document.getElementById("verdict"), found.points);
        if (!found.passed) return said("it does not pass yet");
        card.querySelector(".rates").remove();
        notice(`It passes: ${found.rating}.`);
        const next = document.createElement("a");
        next.className = "button";
        next.href = "/recall";
        next.textContent = "The next card";
        card.append(next);
        next.focus();
      }),
    );
  }
}

for (const button of document.querySelectorAll("[data-bout]")) {
  const { bout, lesson } = button.dataset;
  const where = document.getElementById("bout");
  const url = `/recall/arena/${lesson}`;
  button.addEventListener("click", () =>
    once(bout === "judge" ? "It is being judged." : "", async () => {
      if (bout !== "judge") {
        await ask(bout === "stop" ? "DELETE" : "POST", url, {});
        return location.assign(bout === "stop" ? "/recall" : url);
      }
      await saved();
      const found = await ask("POST", `${url}/judge`, {});
      verdict(document.getElementById("bout-verdict"), found.points);
      notice(found.passed ? `${lesson} in ${found.time}.` : `${lesson} does not pass yet; the clock runs on.`, found.passed ? "" : "hint");
      if (found.passed) button.closest(".row").remove();
    }, where),
  );
}

const final = document.querySelector("[data-final]");
if (final) {
  final.addEventListener("click", () =>
    once("It is being judged; then the next piece is made.", async () => {
      await saved();
      const found = await ask("POST", "/recall/final", {});
      if (!found.passed) return verdict(document.getElementById("final-verdict"), found.points);
      location.hash = "last-test";
      location.reload();
    }, document.getElementById("final-said")),
  );
}

// How long a clock has been running: said once a minute, by the machine's own clock.
const running = [...document.querySelectorAll("[data-since]")];
function tick() {
  for (const each of running) {
    const minutes = Math.max(0, Math.floor((Date.now() / 1000 - Number(each.dataset.since)) / 60));
    each.textContent = `${minutes} min so far`;
  }
}
if (running.length) {
  tick();
  setInterval(tick, 60_000);
}
