// The map: the wall follows what is built, j and k walk along its bricks.
import { notice, put, refuse } from "./desk.js";
import { follow } from "./events.js";
import { key } from "./keys.js";

const wall = document.getElementById("wall");

follow("map", async () => {
  try {
    const focused = document.activeElement?.dataset?.lesson;
    const before = new Set([...wall.querySelectorAll(".brick.built, .brick.stretch")].map((b) => b.dataset.lesson));
    put(wall, await (await fetch("/map/wall")).text());
    for (const brick of wall.querySelectorAll("a.brick.built, a.brick.stretch")) {
      if (!before.has(brick.dataset.lesson)) brick.classList.add("fresh");
    }
    if (focused) wall.querySelector(`[data-lesson="${CSS.escape(focused)}"]`)?.focus();
  } catch (problem) {
    refuse(problem);
  }
}, { since: wall.dataset.cursor });

function step(by) {
  const bricks = [...wall.querySelectorAll("a.brick")];
  const at = bricks.indexOf(document.activeElement);
  const from = at >= 0 ? at : bricks.findIndex((b) => b.classList.contains("now")) - by;
  bricks[(from + by + bricks.length) % bricks.length]?.focus();
}

key("j", "next brick", "the next brick", () => step(1));
key("k", "brick before", "the brick before", () => step(-1));
key("n", "go on", "go on with the next lesson", () => {
  const button = wall.querySelector(".next .button");
  if (button) location.assign(button.href);
  else notice("Everything that is here is built.");
});
