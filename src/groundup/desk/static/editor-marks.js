// Where a verdict points: a marked line, and its sentence while the cursor or the pointer is on it.
import { Decoration, EditorState, EditorView, hoverTooltip, showTooltip, StateEffect, StateField } from "./vendor/codemirror.js";

const add = StateEffect.define({ map: ({ at, sentence }, change) => ({ at: change.mapPos(at), sentence }) });
const clear = StateEffect.define();

export function setMark(view, line, sentence) {
  const { doc } = view.state;
  if (line >= 1 && line <= doc.lines) view.dispatch({ effects: add.of({ at: doc.line(line).from, sentence }) });
}

export const clearMarks = (view) => view.dispatch({ effects: clear.of(null) });

// The marks as decorations; each keeps its sentence, and moves with its line.
const marks = StateField.define({
  create: () => Decoration.none,
  update(value, transaction) {
    value = value.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (effect.is(clear)) value = Decoration.none;
      if (effect.is(add)) value = value.update({ add: [hot(effect.value.sentence).range(effect.value.at)], sort: true });
    }
    return value;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const hot = (sentence) => Decoration.line({ class: "hot", sentence });

function sentenceAt(state, position) {
  const line = state.doc.lineAt(position);
  let found = null;
  state.field(marks).between(line.from, line.from, (from, to, mark) => void (found = mark.spec.sentence));
  return found;
}

const tooltip = (position, sentence, name) => ({
  pos: position,
  above: false,
  create() {
    const dom = document.createElement("div");
    dom.className = name;
    dom.textContent = sentence;
    return { dom };
  },
});

// Escape puts the sentence away, until the cursor comes to the line again.
const hush = StateEffect.define();
const atCursor = StateField.define({
  create: () => null,
  update(value, { state, startState, effects, selection, docChanged }) {
    if (effects.some((effect) => effect.is(hush))) return null;
    if (!selection && !docChanged && !effects.some((effect) => effect.is(add) || effect.is(clear))) return value;
    const [line, before] = [lineOf(state), lineOf(startState)];
    const sentence = sentenceAt(state, line.from);
    if (!sentence) return null;
    const stayed = line.number === before.number && !effects.some((effect) => effect.is(add));
    if (stayed && !value) return null;
    return tooltip(line.from, sentence, "cm-at-cursor");
  },
  provide: (field) => showTooltip.from(field),
});

const lineOf = (state) => state.doc.lineAt(state.selection.main.head);

export const putAway = (view) => view.dispatch({ effects: hush.of(null) });

// A screen reader hears the sentence as the cursor comes to the line.
const said = EditorState.transactionExtender.of((transaction) => {
  if (!transaction.selection || transaction.docChanged) return null;
  const at = transaction.startState.doc.lineAt(transaction.selection.main.head);
  if (at.number === lineOf(transaction.startState).number) return null;
  const sentence = sentenceAt(transaction.startState, at.from);
  return sentence ? { effects: EditorView.announce.of(sentence) } : null;
});

const underPointer = hoverTooltip((view, position) => {
  if (view.hasFocus && view.state.field(atCursor) && lineOf(view.state).from === view.state.doc.lineAt(position).from) return null;
  const sentence = sentenceAt(view.state, position);
  return sentence ? tooltip(view.state.doc.lineAt(position).from, sentence, "cm-under-pointer") : null;
});

export const verdictMarks = [marks, atCursor, said, underPointer];
