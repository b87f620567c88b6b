// Engines and providers by the names people know them by. An id that is not here is shown as it is.

const NAMES: Record<string, string> = {
  anthropic: "Anthropic",
  arxiv: "arXiv",
  brave: "Brave Search",
  duckduckgo: "DuckDuckGo",
  exa: "Exa",
  gdelt: "GDELT",
  gemini: "Google Gemini",
  groq: "Groq",
  hackernews: "Hacker News",
  llamacpp: "llama.cpp",
  lmstudio: "LM Studio",
  ollama: "Ollama",
  openai: "OpenAI",
  openalex: "OpenAlex",
  openrouter: "OpenRouter",
  reddit: "Reddit",
  searxng: "SearXNG",
  serper: "Serper",
  stackexchange: "Stack Exchange",
  tavily: "Tavily",
  wikipedia: "Wikipedia",
};

export function nameOf(id: string): string {
  return Object.hasOwn(NAMES, id) ? NAMES[id]! : id;
}
