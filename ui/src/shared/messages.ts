// What the window says, in the language that it is in now.

import type * as Messages from "../paraglide/messages";
import { language } from "./i18n.svelte";

type Says = (inputs?: object) => string;

const said: Record<string, Says> = {};

/**
 * Every text by its name. Each is kept as a function that looks the language up when it is called, so that it may be
 * handed on; the words themselves are loaded for one language at a time (`i18n.svelte.ts`).
 */
export const m = new Proxy(said, {
  get: (said, name: string) => (said[name] ??= (inputs) => language.say(name, inputs)),
}) as unknown as typeof Messages;
