import { describe, expect, it } from "vitest";
import { sitesIn } from "./sites";

describe("a list of sites", () => {
  it("takes them as people write them, each once", () => {
    const text = "example.org, https://www.example.net/page?x=1;*.wiki.example\n example.org bücher.example";
    expect(sitesIn(text)).toEqual({
      sites: ["example.org", "example.net", "wiki.example", "xn--bcher-kva.example"],
      wrong: null,
    });
    expect(sitesIn("  ")).toEqual({ sites: [], wrong: null });
  });

  it("keeps www where nothing else is left of the name", () => {
    expect(sitesIn("www.org").sites).toEqual(["www.org"]);
  });

  it.each(["no_site", "exa*mple.org", "ftp://example.org", "https://", "a..b:x"])("says that %s is none", (wrong) => {
    expect(sitesIn(`example.org ${wrong}`)).toEqual({ sites: [], wrong });
  });
});
