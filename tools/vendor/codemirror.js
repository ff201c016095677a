// What the desk's editor uses of CodeMirror 6; all else falls away when this is bundled.
// Straight from the @codemirror packages: `codemirror` without a scope is also the name of the older, other editor.
export { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
export { defaultKeymap, history, historyKeymap, indentWithTab, isolateHistory, simplifySelection } from "@codemirror/commands";
export { pythonLanguage } from "@codemirror/lang-python";
export {
  bracketMatching, HighlightStyle, indentOnInput, indentUnit, LanguageSupport, syntaxHighlighting,
} from "@codemirror/language";
export { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
export { Annotation, EditorState, StateEffect, StateField } from "@codemirror/state";
export {
  closeHoverTooltips, Decoration, EditorView, highlightActiveLine, highlightSpecialChars, hoverTooltip, keymap, lineNumbers,
  showTooltip,
} from "@codemirror/view";
export { tags } from "@lezer/highlight";
