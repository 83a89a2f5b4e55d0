import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { javascript } from "@codemirror/lang-javascript";
import { python } from "@codemirror/lang-python";
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  StreamLanguage,
  type StreamParser,
  syntaxHighlighting,
} from "@codemirror/language";
import { c, cpp, java } from "@codemirror/legacy-modes/mode/clike";
import { go } from "@codemirror/legacy-modes/mode/go";
import { lua } from "@codemirror/legacy-modes/mode/lua";
import { perl } from "@codemirror/legacy-modes/mode/perl";
import { ruby } from "@codemirror/legacy-modes/mode/ruby";
import { rust } from "@codemirror/legacy-modes/mode/rust";
import { shell } from "@codemirror/legacy-modes/mode/shell";
import { sqlite } from "@codemirror/legacy-modes/mode/sql";
import { nextDiagnostic, previousDiagnostic } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const stream =
  <State>(parser: StreamParser<State>) =>
  () =>
    StreamLanguage.define(parser);

const languages: readonly { readonly name: RegExp; readonly load: () => Extension }[] = [
  { name: /^(python|py)/, load: () => [python(), indentUnit.of("    ")] },
  { name: /^(typescript|ts)|\.m?ts$/, load: () => javascript({ typescript: true }) },
  { name: /^(node|javascript|js|bun|deno)/, load: () => javascript({ typescript: true }) },
  { name: /^(bash|sh|shell)/, load: stream(shell) },
  { name: /^(c\+\+|cpp)/, load: stream(cpp) },
  { name: /^c(@|$)/, load: stream(c) },
  { name: /^java(@|$)/, load: stream(java) },
  { name: /^go/, load: stream(go) },
  { name: /^rust/, load: stream(rust) },
  { name: /^ruby/, load: stream(ruby) },
  { name: /^perl/, load: stream(perl) },
  { name: /^lua/, load: stream(lua) },
  { name: /^sql/, load: stream(sqlite) },
];

/** The editor's knowledge of a language; plain text when it has none. */
export function languageSupport(name: string): Extension {
  return languages.find((language) => language.name.test(name))?.load() ?? [];
}

const color = (name: string) => `var(--chakra-colors-${name})`;

const highlight = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--code-number)" },
  {
    tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.standard(tags.variableName)],
    color: "var(--code-function)",
  },
  { tag: [tags.className, tags.typeName, tags.definition(tags.typeName)], color: "var(--code-type)" },
  { tag: [tags.comment, tags.meta], color: color("fg-subtle"), fontStyle: "italic" },
]);

const look = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", backgroundColor: color("bg-panel"), color: color("fg") },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--chakra-fonts-mono)", lineHeight: "20px" },
  ".cm-content": { padding: "8px 0", caretColor: color("fg") },
  ".cm-gutters": { backgroundColor: color("bg-panel"), color: color("fg-subtle"), border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "36px", padding: "0 8px 0 8px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: `color-mix(in srgb, ${color("bg-muted")} 60%, transparent)` },
  ".cm-cursor": { borderLeftColor: color("fg") },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: color("accent-emphasized"),
  },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: color("accent-muted"), outline: `1px solid ${color("accent-border")}` },
  ".cm-tooltip": { backgroundColor: color("bg-panel"), color: color("fg"), border: `1px solid ${color("border")}`, borderRadius: "6px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: color("accent-solid"), color: "white" },
  ".cm-foldGutter .cm-gutterElement": { width: "14px", cursor: "pointer" },
  ".cm-foldPlaceholder": { backgroundColor: color("bg-muted"), color: color("fg-muted"), border: "none", padding: "0 4px" },
  ".cm-panels": { backgroundColor: color("bg-subtle"), color: color("fg"), fontFamily: "var(--chakra-fonts-body)" },
  ".cm-panels.cm-panels-top": { borderBottom: `1px solid ${color("border")}` },
  ".cm-panel.cm-search": { padding: "6px 32px 6px 8px", fontSize: "12px" },
  ".cm-panel.cm-search label": { fontSize: "12px", display: "inline-flex", alignItems: "center", gap: "4px" },
  ".cm-panel.cm-search [name=close]": { top: "6px", right: "8px", fontSize: "18px", width: "24px", height: "24px", cursor: "pointer" },
  ".cm-textfield": {
    backgroundColor: color("bg-panel"),
    color: color("fg"),
    border: `1px solid ${color("border")}`,
    borderRadius: "4px",
    padding: "3px 6px",
    fontSize: "12px",
    fontFamily: "var(--chakra-fonts-mono)",
  },
  ".cm-button": {
    backgroundColor: color("bg-panel"),
    backgroundImage: "none",
    color: color("fg"),
    border: `1px solid ${color("border")}`,
    borderRadius: "4px",
    padding: "3px 8px",
    fontSize: "12px",
    cursor: "pointer",
  },
  ".cm-button:active": { backgroundImage: "none", backgroundColor: color("bg-muted") },
  ".cm-searchMatch": { backgroundColor: color("accent-muted") },
  ".cm-searchMatch.cm-searchMatch-selected": { backgroundColor: color("accent-emphasized") },
  ".cm-selectionMatch": { backgroundColor: color("bg-emphasized") },
  ".cm-diagnostic": { padding: "4px 8px", fontSize: "12px" },
  ".cm-line-error": { backgroundColor: color("bg-error") },
});

const byExtension: Readonly<Record<string, string>> = {
  py: "python",
  ts: "typescript",
  mts: "typescript",
  js: "node",
  mjs: "node",
  jsx: "node",
  tsx: "typescript",
  sh: "bash",
  cpp: "c++",
  cc: "c++",
  h: "c",
  c: "c",
  java: "java",
  go: "go",
  rs: "rust",
  rb: "ruby",
  pl: "perl",
  lua: "lua",
  sql: "sql",
};

/** The language of a file by its name; empty when the editor has no knowledge of it. */
export function languageOfPath(path: string): string {
  return byExtension[/\.(\w+)$/.exec(path)?.[1]?.toLowerCase() ?? ""] ?? "";
}

/** How text looks when it is only compared. */
export const readingExtensions: Extension = [lineNumbers(), syntaxHighlighting(highlight), look];

/** Everything of the editor that does not change with the language. Escape, then Tab, leaves it with the keyboard. */
export function baseExtensions(onChange: (text: string) => void, hasLineNumbers = true): Extension {
  return [
    hasLineNumbers ? [lineNumbers(), foldGutter(), highlightActiveLineGutter()] : [],
    highlightActiveLine(),
    history(),
    drawSelection(),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    autocompletion(),
    search({ top: true }),
    highlightSelectionMatches(),
    EditorState.allowMultipleSelections.of(true),
    syntaxHighlighting(highlight),
    look,
    // The tab index only says to assistive tools what the browser does anyway for editable content.
    EditorView.contentAttributes.of({ "aria-label": "Code", tabindex: "0" }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) onChange(update.state.doc.toString());
    }),
    keymap.of([
      ...closeBracketsKeymap,
      ...defaultKeymap.filter((binding) => binding.key !== "Mod-Enter"),
      ...historyKeymap,
      ...completionKeymap,
      ...searchKeymap,
      ...foldKeymap,
      { key: "F8", run: nextDiagnostic },
      { key: "Shift-F8", run: previousDiagnostic },
      indentWithTab,
    ]),
  ];
}
