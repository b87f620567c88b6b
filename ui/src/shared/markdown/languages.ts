// The programming languages that are coloured, by the names people write behind a fence.

const LANGUAGES = [
  "bash",
  "c",
  "cpp",
  "csharp",
  "css",
  "dart",
  "diff",
  "docker",
  "elixir",
  "go",
  "graphql",
  "haskell",
  "html",
  "ini",
  "java",
  "javascript",
  "json",
  "jsonc",
  "kotlin",
  "lua",
  "make",
  "markdown",
  "nginx",
  "perl",
  "php",
  "powershell",
  "proto",
  "python",
  "r",
  "ruby",
  "rust",
  "scala",
  "scss",
  "sql",
  "swift",
  "terraform",
  "toml",
  "tsx",
  "typescript",
  "xml",
  "yaml",
] as const;

export type Language = (typeof LANGUAGES)[number];

const KNOWN: ReadonlySet<string> = new Set(LANGUAGES);

const ALIASES: Record<string, Language> = {
  "c#": "csharp",
  "c++": "cpp",
  bat: "powershell",
  cc: "cpp",
  cs: "csharp",
  cxx: "cpp",
  dockerfile: "docker",
  golang: "go",
  h: "c",
  hpp: "cpp",
  hs: "haskell",
  js: "javascript",
  jsx: "javascript",
  json5: "jsonc",
  kt: "kotlin",
  makefile: "make",
  md: "markdown",
  mjs: "javascript",
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
  tf: "terraform",
  ts: "typescript",
  yml: "yaml",
  zsh: "bash",
};

const NAMES: Partial<Record<Language, string>> = {
  bash: "Shell",
  cpp: "C++",
  csharp: "C#",
  graphql: "GraphQL",
  javascript: "JavaScript",
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
  return KNOWN.has(name) ? (name as Language) : null;
}

/** As it is shown above the code; the writer's own word where we do not know it, empty where there is none. */
export function languageLabel(info: string): string {
  const language = languageOf(info);
  if (!language) return firstWord(info).slice(0, 24);
  if (SPELT_IN_CAPITALS.has(language)) return language.toUpperCase();
  return NAMES[language] ?? language.charAt(0).toUpperCase() + language.slice(1);
}

function firstWord(info: string): string {
  return /^[^\s,{]*/.exec(info.trim())![0].toLowerCase();
}
