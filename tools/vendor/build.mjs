// Builds what the desk's page loads from elsewhere: node build.mjs OUT (after `npm ci`; PYTHON is one with requirements.txt).
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const out = process.argv[2];
const CHANGED = {
  katex: "style attributes are set by style.cssText; fonts in woff2 alone.",
  "@expo-google-fonts/inter": "cut down to the signs used here.",
  "@expo-google-fonts/jetbrains-mono": "cut down to the signs used here, without ligatures.",
  "@expo-google-fonts/source-serif-4": "cut down to the signs used here, and named Groundup Serif.",
};
const madeOf = {}; // file -> names of the packages in it

rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, "katex/fonts"), { recursive: true });
await bundle("codemirror.js", join(here, "codemirror.js"));
await bundle("uplot.js", join(modules, "uplot/dist/uPlot.esm.js"));
await bundle("katex/katex.js", join(modules, "katex/dist/katex.mjs"), [katexUnderPolicy()]);
copy("htmx.js", "htmx.org", "dist/htmx.min.js");
copy("uplot.css", "uplot", "dist/uPlot.min.css");
katexStyle();
fonts();
licences();
lock();

async function bundle(file, entry, plugins = []) {
  const made = await build({
    entryPoints: [entry], outfile: join(out, file), bundle: true, format: "esm", target: "es2022", charset: "utf8",
    minify: true, legalComments: "none", metafile: true, plugins, absWorkingDir: here, logLevel: "warning",
  });
  const [{ inputs }] = Object.values(made.metafile.outputs);
  const used = Object.keys(inputs).filter((input) => inputs[input].bytesInOutput > 0 && input.startsWith("node_modules/"));
  madeOf[file] = [...new Set(used.map((input) => input.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)[1]))].sort();
}

// KaTeX sets a few style attributes by name (the arrow of \vec is one), which a page without 'unsafe-inline' refuses. The same by style.cssText passes.
function katexUnderPolicy() {
  return {
    name: "katex-under-policy",
    setup: ({ onLoad }) => onLoad({ filter: /katex\.mjs$/ }, ({ path }) => {
      let count = 0;
      const contents = readFileSync(path, "utf8").replace(/node\.setAttribute\(attr, (value|this\.attributes\[attr\])\)/g, (set, value) => {
        count++;
        return `attr === "style" ? void (node.style.cssText = ${value}) : ${set}`;
      });
      if (count !== 4) throw new Error(`KaTeX sets attributes in ${count} places, not in 4: look at them again`);
      return { contents, loader: "js" };
    }),
  };
}

function copy(file, name, path) {
  cpSync(join(modules, name, path), join(out, file));
  madeOf[file] = [name];
}

// Every browser that can show the page reads woff2; the older formats are not shipped.
function katexStyle() {
  const style = readFileSync(join(modules, "katex/dist/katex-swap.min.css"), "utf8");
  const kept = style.replace(/,url\([^)]*\.(?:woff|ttf)\) format\("[a-z]+"\)/g, "");
  if (/\.(woff|ttf)\)/.test(kept)) throw new Error("katex.css still names fonts that are not shipped");
  writeFileSync(join(out, "katex/katex.css"), kept);
  madeOf["katex/katex.css"] = ["katex"];
  for (const [, font] of kept.matchAll(/url\(fonts\/([^)]+)\)/g)) copy(`katex/fonts/${font}`, "katex", `dist/fonts/${font}`);
}

function fonts() {
  execFileSync(process.env.PYTHON ?? "python3", [join(here, "fonts.py"), modules, join(out, "fonts")], { stdio: "inherit" });
  const sources = { groundup: "source-serif-4", inter: "inter", jetbrains: "jetbrains-mono" };
  for (const file of readdirSync(join(out, "fonts"))) {
    const source = sources[file.split("-")[0]];
    madeOf[`fonts/${file}`] = source ? [`@expo-google-fonts/${source}`] : [];
  }
}

function licences() {
  const names = [...new Set(Object.values(madeOf).flat())].sort();
  const texts = names.map((name) => {
    const { version, licence } = about(name);
    const file = readdirSync(join(modules, name)).filter((entry) => /^licen[cs]e/i.test(entry)).sort().at(-1); // LICENSE_FONT over LICENSE
    if (!file) throw new Error(`${name} brings no licence text`);
    const changed = CHANGED[name] ? `Changed: ${CHANGED[name]}\n\n` : "";
    return `${"=".repeat(80)}\n${name} ${version} (${licence})\n\n${changed}${readFileSync(join(modules, name, file), "utf8").replace(/\r\n/g, "\n").trim()}\n`;
  });
  writeFileSync(join(out, "LICENCES.txt"), texts.join("\n"));
  madeOf["LICENCES.txt"] = [];
}

function about(name) {
  const { version, license } = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
  return { version, licence: name.startsWith("@expo-google-fonts/") ? "OFL-1.1" : license }; // the font alone is taken
}

function lock() {
  const files = {};
  for (const file of Object.keys(madeOf).sort()) {
    const content = readFileSync(join(out, file));
    files[file] = {
      bytes: content.length,
      sha256: createHash("sha256").update(content).digest("hex"),
      packages: madeOf[file].map((name) => ({ name, ...about(name) })),
    };
  }
  const found = readdirSync(out, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const unlisted = found.map((entry) => relative(out, join(entry.parentPath, entry.name))).filter((file) => !(file in files));
  if (unlisted.length) throw new Error(`made by nobody: ${unlisted}`);
  writeFileSync(join(out, "vendor.lock.json"), JSON.stringify({ files }, null, 1) + "\n");
}
