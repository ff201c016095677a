// Starting a recipe: only what differs from the recipe is sent, and the command that would do the same is shown.
import { Refused, ask, refuse } from "./desk.js";

const quoted = (text) => (/^[\w.,=/:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`);

function filled(form) {
  const values = {};
  for (const field of form.querySelectorAll(".fields [name]")) if (field.value !== field.dataset.own) values[field.name] = field.value;
  const seed = form.elements.seed.value === form.elements.seed.dataset.own ? "" : form.elements.seed.value;
  return { values, seed, mine: form.elements.mine.checked, dry: Boolean(form.elements.dry?.checked) };
}

function tell(form) {
  const { values, seed, mine, dry } = filled(form);
  const words = ["groundup", "run", decodeURIComponent(form.getAttribute("action").split("/").pop())];
  for (const [name, value] of Object.entries(values)) words.push("--set", quoted(`${name}=${value}`));
  if (seed) words.push("--seed", quoted(seed));
  if (mine) words.push("--mine");
  if (dry) words.push("--dry");
  form.querySelector("#command").textContent = words.join(" ");
  for (const field of form.querySelectorAll(".fields [name]")) field.closest(".field").classList.toggle("other", field.value !== field.dataset.own);
}

document.addEventListener("input", (event) => event.target.form?.id === "start" && tell(event.target.form));
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.id !== "start") return;
  event.preventDefault();
  const button = form.querySelector("button"), says = form.querySelector("#start-said");
  button.disabled = true;
  says.className = "dim";
  says.textContent = "it begins";
  try {
    location.assign((await ask("POST", form.action, filled(form))).url);
  } catch (problem) {
    button.disabled = false;
    says.className = "miss";
    says.textContent = problem instanceof Refused ? problem.message : "";
    if (!(problem instanceof Refused)) refuse(problem);
  }
});
const ready = () => document.getElementById("start") && tell(document.getElementById("start"));
document.addEventListener("htmx:afterSettle", ready);
ready();
