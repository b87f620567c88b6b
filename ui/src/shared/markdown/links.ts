// Which addresses of an answer may be links, and what is shown of where they lead.

/** The address where it is one of the web; everything else leads nowhere. */
export function webAddress(href: string): URL | null {
  // Asked of the text itself: a parser would forgive what stands before the scheme.
  if (!/^https?:\/\/[^\s/\\]/i.test(href)) return null;
  try {
    return new URL(href.replaceAll("&amp;", "&"));
  } catch {
    return null;
  }
}

/** The host as people know it. */
export function hostName(url: URL): string {
  return url.host.replace(/^www\./, "");
}

/** Whether a link's own words already say, truthfully, where it leads. */
export function namesHost(text: string, url: URL): boolean {
  const bare = text.trim().replace(/^https?:\/\//i, "");
  const host = /^[^/?#\s]*/.exec(bare)![0].toLowerCase();
  return host === url.host || host === hostName(url);
}
