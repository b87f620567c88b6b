// The language of the window: which messages are shown, in which direction, and how numbers and dates are written.

import { baseLocale, isLocale, type Locale, locales } from "../paraglide/runtime";

type Words = Readonly<Record<string, (inputs: object) => string>>;

/** Each language is a file of its own, so that a start reads one of the seven. */
const files = import.meta.glob<Words>("../paraglide/messages/??.js");

class Language {
  /** Reading it in a template makes the template follow the language. */
  locale = $state<Locale>(baseLocale);
  dir = $derived<"ltr" | "rtl">(this.locale === "ar" ? "rtl" : "ltr");

  #words = $state.raw<Words>({});
  #wanted: Locale | null = null;
  #loading = Promise.resolve();

  /**
   * Takes a tag such as `pt-BR`; empty follows the system. What we do not speak becomes English. The window is in it when
   * this is done, unless another was chosen meanwhile.
   */
  async choose(tag: string): Promise<void> {
    const tags = tag ? [tag] : [...navigator.languages];
    const locale = tags.map(spoken).find((locale) => locale !== null) ?? baseLocale;
    if (locale === this.#wanted) return this.#loading;
    this.#wanted = locale;
    return (this.#loading = this.#load(locale));
  }

  /** A text by its name; `m` is the way to it that knows the names. */
  say(name: string, inputs: object = {}): string {
    const text = this.#words[name];
    if (!text) throw new Error(`There is no text called \`${name}\` in \`${this.locale}\`.`);
    return text(inputs);
  }

  async #load(locale: Locale): Promise<void> {
    const words = await files[`../paraglide/messages/${locale}.js`]!();
    if (locale !== this.#wanted) return this.#loading;
    this.#words = words;
    this.locale = locale;
  }
}

export const language = new Language();
export { locales, type Locale };

/** Simplified Chinese as Intl wants it; the rest are good tags already. */
export function intlTag(locale: Locale = language.locale): string {
  return locale === "zh" ? "zh-Hans" : locale;
}

/** A language by its own name: Deutsch, 日本語. */
export function languageName(locale: Locale): string {
  const name = new Intl.DisplayNames([intlTag(locale)], { type: "language" }).of(intlTag(locale)) ?? locale;
  return name.charAt(0).toLocaleUpperCase(intlTag(locale)) + name.slice(1);
}

export function formatNumber(value: number, options: Intl.NumberFormatOptions = {}): string {
  return new Intl.NumberFormat(intlTag(), options).format(value);
}

/** 1.4 MB. */
export function formatBytes(bytes: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
  const step = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1000 ** step;
  return formatNumber(value, {
    style: "unit",
    unit: units[step]!,
    unitDisplay: step === 0 ? "long" : "short",
    maximumFractionDigits: value < 10 && step > 0 ? 1 : 0,
  });
}

/** 3.2 s, 840 ms: as long as something took. */
export function formatMilliseconds(ms: number): string {
  const [value, unit] = ms < 1000 ? [ms, "millisecond"] : [ms / 1000, "second"];
  return formatNumber(value, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: value < 10 ? 1 : 0 });
}

export function formatDate(when: string | Date, options: Intl.DateTimeFormatOptions = { dateStyle: "medium" }): string {
  return new Intl.DateTimeFormat(intlTag(), options).format(new Date(when));
}

export function formatList(items: readonly string[], type: "conjunction" | "disjunction" = "conjunction"): string {
  return new Intl.ListFormat(intlTag(), { style: "long", type }).format(items);
}

function spoken(tag: string): Locale | null {
  const base = tag.toLowerCase().split(/[-_]/)[0] ?? "";
  return isLocale(base) ? base : null;
}
