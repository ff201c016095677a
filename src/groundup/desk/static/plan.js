// The plan: what is decided or ticked off is sent, and the page shows the plan that comes of it.
import { Refused, refuse, send } from "./desk.js";

async function decide(body) {
  await send("POST", "/plan", body);
  location.reload();
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-done], [data-on]");
  if (!button) return;
  button.disabled = true;
  const { done, on } = button.dataset;
  try {
    await decide(on ? { on: [on] } : { done, undo: "undo" in button.dataset });
  } catch (problem) {
    button.disabled = false;
    refuse(problem);
  }
});

document.getElementById("change").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { hours, shape, first, last } = event.target.elements;
  const says = document.getElementById("change-said");
  const body = { hours: Number(hours.value) };
  if (!shape.selectedOptions[0].defaultSelected) body.shape = shape.value;
  if (first.value || last.value) body.off = [`${first.value || last.value}..${last.value || first.value}`];
  says.textContent = "";
  try {
    await decide(body);
  } catch (problem) {
    if (!(problem instanceof Refused)) return refuse(problem);
    says.textContent = problem.message;
  }
});
