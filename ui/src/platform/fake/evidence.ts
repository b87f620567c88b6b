// The fake's evidence: what answers sent to whom, how engines have been doing, and what models used.

import type {
  AnswerLedger,
  Contact,
  EngineEvent,
  EngineId,
  OpenMessage,
  SentText,
  Usage,
  UsedModel,
} from "../../bindings/bindings";
import { byteLength } from "../../shared/bytes";
import { costOf, parsePrices, PRICES } from "../../shared/prices";
import type { FakeConfiguration } from "./configuration";
import { failures } from "./failures";
import type { FakeLibrary } from "./library";
import type { FakeOptions } from "./options";

const DAY = 86_400_000;
const DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

export class FakeEvidence {
  constructor(
    readonly options: FakeOptions,
    readonly configuration: FakeConfiguration,
  ) {}

  /** Of answers whose sources are of the guide nothing left; of those without metadata nothing is known. */
  ledger(message: OpenMessage): AnswerLedger | null {
    if (!message.metadata) return null;
    const webSources = (message.sources ?? []).filter(({ url }) => url.startsWith("http"));
    const isPrivate = this.configuration.isPrivate;
    const kept = { message_id: message.id, at: message.created_at, private: isPrivate };
    if (webSources.length === 0 || isPrivate) {
      return { ...kept, ledger: { contacts: [], texts: [], unlisted: 0 } };
    }
    const hosts = [...new Set(webSources.map(({ url }) => new URL(url).host))];
    const model = message.metadata.model ?? "extractive";
    const search = contact("api.search.brave.com", "search", "brave", 2, 214, 18_400);
    const pages = hosts.flatMap((host, at) => [
      contact(host, "page", "", 1 + (at % 2), 38 + 7 * at, 61_300 + 9_100 * at),
      contact(host, "robots", "", 1, 11, 640),
      ...(at % 2 === 0 ? [contact(host, "icon", "", 1, 12, 4_286)] : []),
    ]);
    if (model === "extractive") return { ...kept, ledger: { contacts: [search, ...pages], texts: [], unlisted: 0 } };
    const local = !model.startsWith("openai/");
    const host = local ? "127.0.0.1:11434" : "api.openai.com";
    const text = this.#text(model, host, local, message);
    const asked = { ...contact(host, "model", model.split("/")[0]!, 3, text.bytes + 900, 3_120), local };
    return { ...kept, ledger: { contacts: [search, ...pages, asked], texts: [text], unlisted: 0 } };
  }

  history(engine: EngineId | null, limit: number): EngineEvent[] {
    if (this.options.scenario === "empty") return [];
    const used = ["brave", "wikipedia", "duckduckgo", "exa"];
    const events = Array.from({ length: 120 }, (_, at): EngineEvent => {
      const name = used[at % used.length]!;
      const failed = name === "duckduckgo" ? at % 8 === 2 : name === "exa" && at < 8;
      const failure = name === "exa" ? { ...failures.searchKey, message: "Exa refused the key." } : failures.captcha;
      return {
        engine: name,
        at: new Date(this.options.now - 60_000 - at * 47 * 60_000).toISOString(),
        milliseconds: failed ? 120 + at : 310 + ((at * 97) % 900),
        failure: failed ? failure : null,
      };
    });
    return events.filter((event) => engine === null || event.engine === engine).slice(0, limit);
  }

  usage(library: FakeLibrary): Usage {
    if (this.options.scenario === "empty") return { months: [], chats: [] };
    const month = (ago: number) => new Date(this.options.now - ago * 30 * DAY).toISOString().slice(0, 7);
    return {
      months: [
        {
          month: month(0),
          models: [
            this.#used("openai/gpt-5-mini", 96, 412_300, 38_120),
            this.#used("ollama/llama3.2", 31, 98_400, 11_080),
          ],
        },
        { month: month(1), models: [this.#used("openai/gpt-5-mini", 143, 688_900, 61_450)] },
      ],
      chats: library.list("active", null, 5).map(({ id, title }, at) => ({
        chat_id: id,
        title,
        models: [this.#used("openai/gpt-5-mini", 9 - at, 61_000 - at * 9_700, 5_100 - at * 800)],
      })),
    };
  }

  #used(model: string, answers: number, prompt: number, completion: number): UsedModel {
    const entered = this.configuration.value(PRICES);
    const price = parsePrices(Array.isArray(entered) ? entered.map(String) : []).get(model);
    const cost = price ? costOf({ prompt, completion, total: prompt + completion }, price) : null;
    return { model, answers, prompt, completion, cost };
  }

  #text(model: string, host: string, local: boolean, message: OpenMessage): SentText {
    const turns: SentText["turns"] = [
      {
        role: "system",
        content: "Answer from the sources alone, and cite each sentence with the number of its source.",
      },
      {
        role: "user",
        content: (message.sources ?? [])
          .map(({ title, snippet }, at) => `<source number="${at + 1}" title="${title}">\n${snippet}\n</source>`)
          .join("\n"),
      },
    ];
    const bytes = turns.reduce((sum, turn) => sum + byteLength(turn.content), 0);
    return { model, host, local, times: 1, bytes, sha256: DIGEST, turns };
  }
}

function contact(
  host: string,
  errand: Contact["errand"],
  service: string,
  requests: number,
  bytes_out: number,
  bytes_in: number,
): Contact {
  return { host, errand, service, local: false, requests, bytes_out, bytes_in };
}
