// What runs log, kept up to date: loaded once, then followed row by row from where it ended.
import { follow } from "./events.js";

export async function load(ids, metric) {
  const query = new URLSearchParams(ids.map((id) => ["run", id]));
  if (metric) query.set("metric", metric);
  const response = await fetch(`/runs/curves?${query}`, { headers: { Accept: "application/json" } });
  const found = await response.json();
  if (!response.ok) throw new Error(found.error);
  return found;
}

// points(name -> [steps, values]) for what is new; state, output: as the desk tells them; stale(): what is drawn has to be loaded
// again, because a later attempt has done some of it anew, or something was missed.
export function followRun(run, { points, state, output, stale }) {
  let last = run.last, attempts = run.attempts;
  return follow(
    `run:${run.id}`,
    ({ kind, data }) => {
      if (kind === "points") {
        if (data.after !== last) return stale();
        last = data.last;
        points(data.points);
      } else if (kind === "state") {
        if (data.attempts !== attempts) {
          attempts = data.attempts;
          stale();
        }
        state?.(data);
      } else if (kind === "output") output?.(data);
    },
    { since: run.last },
  );
}
