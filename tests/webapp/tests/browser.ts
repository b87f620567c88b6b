// A person's browser, as far as a sign-in needs one: it keeps cookies, follows redirects, and sends forms. Cookies are
// kept apart by origin and path, so that two people are two browsers.

const REDIRECTS_AT_MOST = 20;

interface Cookie {
  origin: string;
  path: string;
  name: string;
  value: string;
}

export interface Page {
  url: URL;
  status: number;
  text: string;
}

export class Browser {
  #cookies: Cookie[] = [];

  /** The value of a cookie that is sent to `url`. */
  cookie(url: string, name: string): string | undefined {
    return this.#for(new URL(url)).find((cookie) => cookie.name === name)?.value;
  }

  open(url: string): Promise<Page> {
    return this.#follow(url, { method: "GET" });
  }

  /** Sends a form, as its button would. */
  send(url: string, fields: Record<string, string>): Promise<Page> {
    return this.#follow(url, { method: "POST", body: new URLSearchParams(fields) });
  }

  /** Sends the form of a page, with its hidden fields and what is typed into the others. */
  submit(page: Page, typed: Record<string, string>): Promise<Page> {
    const action = /<form[^>]* action="([^"]+)"/.exec(page.text)?.[1];
    if (!action) throw new Error(`there is no form on ${page.url}: ${page.status} ${page.text}`);
    const hidden = [...page.text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
    const fields = Object.fromEntries(hidden.map(([, name, value]) => [name, value]));
    return this.send(new URL(action, page.url).href, { ...fields, ...typed });
  }

  async #follow(address: string, how: RequestInit): Promise<Page> {
    let url = new URL(address);
    let request = how;
    for (let hop = 0; hop < REDIRECTS_AT_MOST; hop += 1) {
      const cookie = this.#for(url)
        .map(({ name, value }) => `${name}=${value}`)
        .join("; ");
      const response = await fetch(url, { ...request, redirect: "manual", headers: cookie ? { cookie } : {} });
      for (const line of response.headers.getSetCookie()) this.#keep(url, line);
      const location = response.headers.get("location");
      if (!location) return { url, status: response.status, text: await response.text() };
      await response.body?.cancel();
      url = new URL(location, url);
      request = { method: "GET" };
    }
    throw new Error(`${address} redirects without an end`);
  }

  #for(url: URL): Cookie[] {
    return this.#cookies.filter(({ origin, path }) => origin === url.origin && url.pathname.startsWith(path));
  }

  #keep(url: URL, line: string) {
    const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
    const attribute = (wanted: string) =>
      attributes.find((one) => one.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1);
    const at = pair.indexOf("=");
    const cookie = {
      origin: url.origin,
      path: attribute("path") ?? "/",
      name: pair.slice(0, at),
      value: pair.slice(at + 1),
    };
    this.#cookies = this.#cookies.filter(
      (one) => !(one.origin === cookie.origin && one.path === cookie.path && one.name === cookie.name),
    );
    const maxAge = attribute("max-age");
    const expires = attribute("expires");
    const gone =
      maxAge !== undefined ? Number(maxAge) <= 0 : expires !== undefined && Date.parse(expires) <= Date.now();
    if (!gone) this.#cookies.push(cookie);
  }
}
