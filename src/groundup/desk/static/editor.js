// The learner's file, made editable. What is saved, and when, is the page's affair (lesson.js).
import * as cm from "./vendor/codemirror.js";
import { difference } from "./difference.js";
import { clearMarks, putAway, setMark, verdictMarks } from "./editor-marks.js";

const { EditorState, EditorView, tags } = cm;
const outside = cm.Annotation.define(); // on a change that did not come from the keyboard

// Gives {text, open, setText, mark, clearMarks, focus, reveal, diff, close}. `label` is what a screen reader calls it, onSave() is Ctrl-S,
// onChange() follows each change by the learner.
export function openEditor(element, { text, label, nonce = "", readOnly = false, onSave = () => {}, onChange = () => {} }) {
  const fixed = [
    EditorView.cspNonce.of(nonce),
    EditorState.readOnly.of(readOnly),
    keymap(onSave),
    EditorView.updateListener.of((update) => {
      if (update.docChanged && !update.transactions.some((each) => each.annotation(outside))) onChange();
    }),
    writing,
    looks,
  ];
  const view = new EditorView({ parent: element, state: fresh(text, label, fixed) });
  const read = () => view.state.sliceDoc();

  return {
    text: read,
    mark: (line, sentence) => setMark(view, line, sentence),
    clearMarks: () => clearMarks(view),
    diff: (other) => difference(read(), other),

    // Another file: nothing of the one before can be undone into it.
    open(other, name) {
      view.setState(fresh(other, name, fixed));
    },

    // What the file holds now. The cursor stays with its line; one undo brings back what stood here.
    setText(other) {
      view.dispatch({ changes: changes(view.state, other), annotations: [outside.of(true), cm.isolateHistory.of("full")] });
    },

    // With a line, the cursor goes to where its text begins.
    focus(line) {
      view.focus();
      if (!line) return;
      const at = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
      const anchor = at.from + at.text.match(/^\s*/)[0].length;
      view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
    },

    // A line is brought into sight; the focus stays where it is.
    reveal(line) {
      view.dispatch({ effects: EditorView.scrollIntoView(view.state.doc.line(line).from, { y: "center" }) });
    },

    close: () => view.destroy(),
  };
}

function fresh(text, label, fixed) {
  const windows = /\r\n/.test(text) && !/(^|[^\r])\n/.test(text); // its line ends stay as they are
  const attributes = { "aria-label": label, "aria-description": "Tab indents. To leave the editor, press Escape, then Tab." };
  const own = [EditorView.contentAttributes.of(attributes), windows ? EditorState.lineSeparator.of("\r\n") : []];
  return EditorState.create({ doc: text, extensions: [own, fixed] });
}

// The fewest lines replaced, so that cursor, marks and scroll stay where they were.
function changes(state, other) {
  const found = [];
  let at = 0; // lines of the document behind us
  let run = null;
  for (const { sign, text } of [...difference(state.doc.toString(), other), { sign: " " }]) {
    if (sign === " ") {
      if (run) found.push(replacement(state.doc, run));
      run = null;
    } else {
      run ??= { first: at, gone: 0, put: [] };
      if (sign === "-") run.gone++;
      else run.put.push(text);
    }
    if (sign !== "+") at++;
  }
  return found;
}

function replacement(doc, { first, gone, put }) {
  const insert = put.join("\n");
  if (gone && put.length) return { from: doc.line(first + 1).from, to: doc.line(first + gone).to, insert };
  if (first + gone < doc.lines) {
    return { from: doc.line(first + 1).from, to: doc.line(first + gone + 1).from, insert: put.length ? insert + "\n" : "" };
  }
  return { from: doc.line(first).to, to: doc.length, insert: put.length ? "\n" + insert : "" }; // at the end, where no line follows
}

// Tab belongs to the code, so there has to be a way out by keyboard: Escape lends Tab back to the page until another key is typed.
const MINUTES = 10 * 60 * 1000;
function leave(view) {
  cm.simplifySelection(view);
  putAway(view);
  view.setTabFocusMode(MINUTES);
  view.dispatch({ effects: [cm.closeHoverTooltips, EditorView.announce.of("Tab leaves the editor.")] });
  return true;
}

const keymap = (save) => cm.keymap.of([
  { key: "Mod-s", run: () => (save(), true), preventDefault: true },
  ...cm.closeBracketsKeymap, ...cm.searchKeymap,
  { key: "Escape", run: leave },
  ...cm.historyKeymap, cm.indentWithTab, ...cm.defaultKeymap,
]);

const quiet = cm.HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier, tags.self, tags.bool, tags.null], color: "var(--mark)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--soft)" },
  { tag: [tags.definition(tags.function(tags.variableName)), tags.definition(tags.className)], fontWeight: "600" },
]);

const writing = [
  EditorState.tabSize.of(4),
  cm.indentUnit.of("    "),
  cm.lineNumbers(),
  cm.history(),
  cm.highlightSpecialChars(),
  cm.highlightActiveLine(),
  cm.highlightSelectionMatches(),
  cm.indentOnInput(),
  cm.bracketMatching(),
  cm.closeBrackets(),
  cm.search({ top: true }),
  new cm.LanguageSupport(cm.pythonLanguage),
  cm.syntaxHighlighting(quiet),
  verdictMarks,
];

// Colours by name, so that both themes and a switch between them need nothing more.
const looks = EditorView.theme({
  "&": { height: "100%", fontSize: ".8125rem", color: "var(--ink)", backgroundColor: "var(--sheet)" },
  "&.cm-focused": { outline: "none" },
  "&.cm-focused::after": { // over the gutter, which would cover an outline
    content: '""', position: "absolute", inset: "0", zIndex: "400", border: "2px solid var(--mark)", pointerEvents: "none",
  },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6", overflow: "auto" },
  ".cm-content": { padding: "var(--s3) 0", caretColor: "var(--ink)" },
  ".cm-content ::selection, .cm-line::selection": { backgroundColor: "color-mix(in srgb, var(--mark) 15%, transparent)" },
  ".cm-line": { padding: "0 var(--s3) 0 var(--s2)" },
  ".cm-gutters": { backgroundColor: "var(--sheet)", color: "var(--soft)", border: "0", paddingLeft: "var(--s2)" },
  ".cm-activeLine": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--code) 60%, transparent)" },
  ".cm-line.hot, &.cm-focused .cm-line.hot": { backgroundColor: "var(--miss-wash)", boxShadow: "inset 3px 0 var(--miss)" },
  ".cm-selectionMatch": { backgroundColor: "var(--code)" },
  ".cm-searchMatch": { backgroundColor: "var(--hint-wash)", outline: "1px solid var(--hint)" },
  ".cm-searchMatch.cm-searchMatch-selected": { backgroundColor: "var(--hint-wash)", outline: "2px solid var(--hint)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--code)", outline: "1px solid var(--line)" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "var(--miss-wash)", outline: "1px solid var(--miss)" },
  ".cm-specialChar": { color: "var(--miss)" },
  ".cm-tooltip": {
    maxWidth: "min(36rem, 80vw)", padding: "var(--s2) var(--s3)", font: ".8125rem/1.5 var(--ui)", whiteSpace: "normal",
    color: "var(--ink)", backgroundColor: "var(--paper)", border: "1px solid var(--rule)", borderLeft: "3px solid var(--miss)", borderRadius: "var(--r)",
  },
  "&:not(.cm-focused) .cm-at-cursor": { display: "none" },
  ".cm-panels": { color: "var(--ink)", backgroundColor: "var(--paper)" },
  ".cm-panels.cm-panels-top": { borderBottom: "1px solid var(--rule)" },
  ".cm-panel.cm-search": { font: ".8125rem var(--ui)", padding: "var(--s2) var(--s5) var(--s2) var(--s3)" },
  ".cm-panel.cm-search label": { fontSize: "inherit" },
  ".cm-textfield": { font: "inherit", color: "var(--ink)", backgroundColor: "var(--sheet)", border: "1px solid var(--line)", borderRadius: "4px" },
  ".cm-button": { font: "inherit", color: "var(--ink)", background: "none", border: "1px solid var(--line)", borderRadius: "4px" },
  ".cm-button:active": { backgroundImage: "none", backgroundColor: "var(--code)" },
  ".cm-panel.cm-search [name=close]": { color: "var(--ink)", fontSize: "1.25rem", padding: "0 var(--s2)" },
});
