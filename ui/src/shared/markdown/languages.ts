// The programming languages that are coloured, by the names people write behind a fence. Each is loaded when it is met.

import type { LanguageRegistration } from "shiki/core";

type Load = () => Promise<{ default: LanguageRegistration[] }>;

const LOADS = {
  bash: () => import("shiki/langs/bash.mjs"),
  c: () => import("shiki/langs/c.mjs"),
  clojure: () => import("shiki/langs/clojure.mjs"),
  cmake: () => import("shiki/langs/cmake.mjs"),
  cpp: () => import("shiki/langs/cpp.mjs"),
  csharp: () => import("shiki/langs/csharp.mjs"),
  css: () => import("shiki/langs/css.mjs"),
  dart: () => import("shiki/langs/dart.mjs"),
  diff: () => import("shiki/langs/diff.mjs"),
  docker: () => import("shiki/langs/docker.mjs"),
  elixir: () => import("shiki/langs/elixir.mjs"),
  erlang: () => import("shiki/langs/erlang.mjs"),
  fsharp: () => import("shiki/langs/fsharp.mjs"),
  go: () => import("shiki/langs/go.mjs"),
  graphql: () => import("shiki/langs/graphql.mjs"),
  groovy: () => import("shiki/langs/groovy.mjs"),
  haskell: () => import("shiki/langs/haskell.mjs"),
  html: () => import("shiki/langs/html.mjs"),
  ini: () => import("shiki/langs/ini.mjs"),
  java: () => import("shiki/langs/java.mjs"),
  javascript: () => import("shiki/langs/javascript.mjs"),
  json: () => import("shiki/langs/json.mjs"),
  jsonc: () => import("shiki/langs/jsonc.mjs"),
  jsx: () => import("shiki/langs/jsx.mjs"),
  kotlin: () => import("shiki/langs/kotlin.mjs"),
  latex: () => import("shiki/langs/latex.mjs"),
  lua: () => import("shiki/langs/lua.mjs"),
  make: () => import("shiki/langs/make.mjs"),
  markdown: () => import("shiki/langs/markdown.mjs"),
  nginx: () => import("shiki/langs/nginx.mjs"),
  nix: () => import("shiki/langs/nix.mjs"),
  "objective-c": () => import("shiki/langs/objective-c.mjs"),
  perl: () => import("shiki/langs/perl.mjs"),
  php: () => import("shiki/langs/php.mjs"),
  powershell: () => import("shiki/langs/powershell.mjs"),
  proto: () => import("shiki/langs/proto.mjs"),
  python: () => import("shiki/langs/python.mjs"),
  r: () => import("shiki/langs/r.mjs"),
  ruby: () => import("shiki/langs/ruby.mjs"),
  rust: () => import("shiki/langs/rust.mjs"),
  scala: () => import("shiki/langs/scala.mjs"),
  scss: () => import("shiki/langs/scss.mjs"),
  sql: () => import("shiki/langs/sql.mjs"),
  svelte: () => import("shiki/langs/svelte.mjs"),
  swift: () => import("shiki/langs/swift.mjs"),
  terraform: () => import("shiki/langs/terraform.mjs"),
  toml: () => import("shiki/langs/toml.mjs"),
  tsx: () => import("shiki/langs/tsx.mjs"),
  typescript: () => import("shiki/langs/typescript.mjs"),
  vue: () => import("shiki/langs/vue.mjs"),
  xml: () => import("shiki/langs/xml.mjs"),
  yaml: () => import("shiki/langs/yaml.mjs"),
  zig: () => import("shiki/langs/zig.mjs"),
} satisfies Record<string, Load>;

export type Language = keyof typeof LOADS;

const ALIASES: Record<string, Language> = {
  "c#": "csharp",
  "c++": "cpp",
  bat: "powershell",
  cc: "cpp",
  cs: "csharp",
  cxx: "cpp",
  dockerfile: "docker",
  "f#": "fsharp",
  golang: "go",
  h: "c",
  hpp: "cpp",
  hs: "haskell",
  js: "javascript",
  json5: "jsonc",
  kt: "kotlin",
  makefile: "make",
  md: "markdown",
  mjs: "javascript",
  objc: "objective-c",
  patch: "diff",
  protobuf: "proto",
  ps1: "powershell",
  py: "python",
  rb: "ruby",
  rs: "rust",
  sass: "scss",
  sh: "bash",
  shell: "bash",
  shellscript: "bash",
  tex: "latex",
  tf: "terraform",
  ts: "typescript",
  yml: "yaml",
  zsh: "bash",
};

const NAMES: Partial<Record<Language, string>> = {
  bash: "Shell",
  cpp: "C++",
  csharp: "C#",
  fsharp: "F#",
  graphql: "GraphQL",
  javascript: "JavaScript",
  latex: "LaTeX",
  "objective-c": "Objective-C",
  php: "PHP",
  powershell: "PowerShell",
  proto: "Protocol Buffers",
  typescript: "TypeScript",
};
const SPELT_IN_CAPITALS = new Set<Language>([
  "css",
  "html",
  "ini",
  "json",
  "jsonc",
  "jsx",
  "scss",
  "sql",
  "toml",
  "tsx",
  "xml",
  "yaml",
]);

/** The language of a fence such as ```` ```rs title=x ````, if it is one we colour. */
export function languageOf(info: string): Language | null {
  const word = firstWord(info);
  const name = ALIASES[word] ?? word;
  return Object.hasOwn(LOADS, name) ? (name as Language) : null;
}

/** As it is shown above the code; the writer's own word where we do not know it, empty where there is none. */
export function languageLabel(info: string): string {
  const language = languageOf(info);
  if (!language) return firstWord(info).slice(0, 24);
  if (SPELT_IN_CAPITALS.has(language)) return language.toUpperCase();
  return NAMES[language] ?? language.charAt(0).toUpperCase() + language.slice(1);
}

export function loadLanguage(language: Language): Promise<{ default: LanguageRegistration[] }> {
  return (LOADS[language] as Load)();
}

function firstWord(info: string): string {
  return /^[^\s,{]*/.exec(info.trim())![0].toLowerCase();
}
