// Sites as people write them: `example.org`, `*.example.org`, an address of a page there.

/** The hosts in a text, each once, in their order; or the first word that names none. */
export function sitesIn(text: string): { sites: string[]; wrong: string | null } {
  const sites = new Set<string>();
  for (const word of text.split(/[\s,;]+/u).filter(Boolean)) {
    const host = hostIn(word);
    if (host === null) return { sites: [], wrong: word };
    sites.add(host);
  }
  return { sites: [...sites], wrong: null };
}

function hostIn(word: string): string | null {
  const site = word.replace(/^(\*\.)+/u, "");
  try {
    const { hostname, protocol } = new URL(site.includes("://") ? site : `https://${site}`);
    const isSite = /^https?:$/u.test(protocol) && (hostname.includes(".") || hostname === "localhost");
    return isSite && !hostname.includes("*") ? hostname.replace(/^www\.(?=.*\.)/u, "").replace(/\.$/u, "") : null;
  } catch {
    return null;
  }
}
