// One event stream a tab: topics are joined, and each is resumed where it stopped.
const handlers = new Map();
let source = null;
let last = "";
let opening = 0;
let broken = false;
let resting = false;

// handler({topic, kind, data}); since: the row id where the page's own data ends.
export function follow(topic, handler, { since } = {}) {
  if (!handlers.has(topic)) handlers.set(topic, new Set());
  handlers.get(topic).add(handler);
  if (since !== undefined) last = last ? `${last},${topic}=${since}` : `${topic}=${since}`;
  clearTimeout(opening);
  opening = setTimeout(open, 0);
  return () => {
    handlers.get(topic)?.delete(handler);
    if (handlers.get(topic)?.size === 0) handlers.delete(topic);
    clearTimeout(opening);
    opening = setTimeout(open, 0);
  };
}

function open() {
  if (source) source.close();
  source = null;
  resting = false;
  if (!handlers.size) return;
  const query = [...handlers.keys()].map((topic) => `topic=${encodeURIComponent(topic)}`).join("&");
  source = new EventSource(`/events?${query}&since=${encodeURIComponent(last)}`);
  source.addEventListener("open", () => state(false));
  source.addEventListener("error", () => {
    state(true);
    // after a refusal (a desk that was started anew) a browser gives up; we look again
    if (source && source.readyState === EventSource.CLOSED) {
      clearTimeout(opening);
      opening = setTimeout(open, 2000);
    }
  });
  source.addEventListener("rest", () => {
    // so many tabs are open that the browser would have no connection left: this one comes back when it is looked at
    source.close();
    resting = true;
  });
  source.addEventListener("message", (event) => {
    last = event.lastEventId;
    const message = JSON.parse(event.data);
    for (const handler of handlers.get(message.topic) || []) handler(message);
  });
}

function state(now) {
  if (now === broken) return;
  broken = now;
  document.dispatchEvent(new CustomEvent("connection", { detail: { broken } }));
  const bar = document.querySelector(".bar");
  let sign = document.getElementById("connection");
  if (broken && !sign) {
    sign = document.createElement("p");
    sign.id = "connection";
    sign.setAttribute("role", "status");
    sign.textContent = "The desk does not answer. What you type is kept in this page; start it again with `groundup desk`.";
    bar.after(sign);
  } else if (!broken && sign) sign.remove();
}

const look = () => resting && !document.hidden && open();
document.addEventListener("visibilitychange", look);
addEventListener("focus", look);
addEventListener("pagehide", () => source && source.close());
addEventListener("pageshow", (event) => event.persisted && open());
