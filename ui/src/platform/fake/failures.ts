// Failures in the words the app uses for them.

import type { Failure } from "../../bindings/bindings";

export const failures = {
  offline: {
    code: "offline",
    message: "There is no network.",
    hint: "Saved chats and pages can be searched meanwhile.",
  },
  captcha: {
    code: "captcha",
    message: "DuckDuckGo asks for a CAPTCHA.",
    hint: "Use an engine with a key, or your own SearXNG.",
    subject: "duckduckgo",
  },
  rateLimited: {
    code: "rate_limited",
    message: "DuckDuckGo asks to be left alone for a minute.",
    hint: "Turn on another engine.",
    subject: "duckduckgo",
  },
  searchKey: {
    code: "key_refused",
    message: "Brave Search refused the key.",
    hint: "Check the key in the settings.",
    subject: "brave",
  },
  modelKey: {
    code: "key_refused",
    message: "OpenAI refused the key.",
    hint: "Check the key in the settings.",
    subject: "openai",
  },
  brokenOff: {
    code: "upstream",
    message: "The model broke off in the middle of the answer.",
    hint: "What came is kept; continue or ask again.",
    subject: "openai",
  },
  noModel: {
    code: "not_found",
    message: "There is no model “ollama/llama3.2”.",
    hint: "Choose another model.",
    subject: "ollama/llama3.2",
  },
  embedderLate: { code: "timed_out", message: "ollama did not answer within 2s.", hint: null, subject: "ollama" },
  nothingIn: {
    code: "not_found",
    message: "There is no chat outside Trash in this collection.",
    hint: "Put chats into it first.",
  },
  timedOut: { code: "timed_out", message: "The page took longer than 10 s.", hint: null },
  refused: { code: "refused", message: "The site does not allow reading by programs.", hint: null },
  cancelled: { code: "cancelled", message: "The answer was stopped.", hint: "What came is kept." },
  storage: {
    code: "storage",
    message: "The library could not be read: the disk reported an error.",
    hint: "Run the check in the settings, which can restore a backup.",
  },
  archive: {
    code: "invalid",
    message: "`notes.json` was not imported: the file is of no kind that holds chats.",
    hint: "Give the file as it was downloaded: an export of ChatGPT, Claude, Perplexity, Open WebUI or DeepSearch, or Markdown.",
  },
  noAdministrator: {
    code: "refused",
    message: "The shared database does not let this device or person count the rows of its tables.",
    hint: "Sign in again, or ask whoever looks after the database.",
  },
  gatewayAway: {
    code: "offline",
    message: "`sign-in.example.org` cannot be reached.",
    hint: "Check the network and the address.",
    subject: "sign-in.example.org",
  },
  signInExpired: {
    code: "timed_out",
    message: "Signing in took longer than ten minutes.",
    hint: "Start signing in again.",
  },
  keychainLocked: {
    code: "storage",
    message: "The keychain cannot be used: it is locked.",
    hint: "Unlock the system's keychain and try again.",
  },
  readOnly: {
    code: "read_only",
    message: "The library was written by a newer version and is open for reading only.",
    hint: "Update DeepSearch.",
  },
} satisfies Record<string, Failure>;

export function noEmbedder(model: string): Failure {
  return {
    code: "not_found",
    message: `No model named \`${model}\` is known.`,
    hint: `\`ollama pull ${model.replace(/^ollama\//, "")}\` brings it.`,
  };
}

export function embedderElsewhere(model: string): Failure {
  return {
    code: "refused",
    message: `\`${model}\` is not on this computer, and only a model of this computer may compare passages.`,
    hint: "Name an embedding model of Ollama, LM Studio or llama.cpp on this computer.",
  };
}
