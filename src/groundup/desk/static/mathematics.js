// Sets a page's mathematics by KaTeX, which is fetched only where there is some. The server's MathML stays wherever KaTeX gives up.
const STYLES = ["./vendor/katex/katex.css", "./mathematics.css"].map((path) => new URL(path, import.meta.url).href);
const MATH = ".math[data-tex]:not([data-set])";
let typesetter = null; // a promise of KaTeX, once something needs it

export async function setMathematics(root = document) {
  const found = [root, ...root.querySelectorAll(MATH)].filter((element) => element.matches?.(MATH));
  if (!found.length) return;
  typesetter ??= Promise.all([import("./vendor/katex/katex.js"), ...STYLES.map(style)]).then(([katex]) => katex.default);
  const katex = await typesetter;
  for (const element of found) set(katex, element);
  for (const element of found) if (element.scrollWidth > element.clientWidth && element.matches(".display")) element.tabIndex = 0; // the keyboard scrolls it
}

// Through the DOM, never as a string of HTML: its style attributes would be refused by the page's policy.
function set(katex, element) {
  const holder = document.createElement("span");
  const displayMode = element.classList.contains("display");
  if ("set" in element.dataset) return;
  element.dataset.set = "";
  try {
    katex.render(element.dataset.tex, holder, { displayMode, throwOnError: true, strict: "ignore", maxExpand: 1000, maxSize: 50 });
  } catch {
    return;
  }
  element.replaceChildren(...holder.childNodes);
}

const style = (href) => new Promise((done, failed) => {
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href, onload: done, onerror: failed });
  document.head.append(link);
});

document.addEventListener("htmx:load", (event) => void setMathematics(event.detail.elt));
setMathematics();
