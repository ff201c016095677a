// One thing on the shelf: an entry in the log, or its note made.
import { refuse, send } from "./desk.js";

const form = document.getElementById("say");
const said = document.getElementById("say-said");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  said.textContent = "";
  try {
    await send("POST", form.getAttribute("action"), { says: form.elements.says.value });
    form.reset();
    location.reload();
  } catch (problem) {
    button.disabled = false;
    said.textContent = problem.message;
    form.elements.says.focus();
  }
});

document.getElementById("begin")?.addEventListener("click", async () => {
  try {
    await send("POST", form.getAttribute("action"), { begin: true });
    location.reload();
  } catch (problem) {
    refuse(problem);
  }
});
