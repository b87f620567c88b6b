// The last word on all HTML: the one place where it becomes part of the page.
//
// Three kinds come by, each with the shortest list of elements that it can do with. Whatever else stands in it, by a
// mistake upstream or by somebody's intent, is left out here. None of them loads anything: there are no images.

import DOMPurify, { type Config, type DOMPurify as Purifier } from "dompurify";
import { webAddress } from "./links";

/** Inline Markdown as `inline.ts` writes it. */
export function sanitiseInline(html: string): DocumentFragment {
  return inlinePurifier.sanitize(html, INLINE);
}

/** A formula as KaTeX draws it, with its MathML beside it for screen readers. */
export function sanitiseMath(html: string): DocumentFragment {
  return mathPurifier.sanitize(html, MATH);
}

/** A saved page: text in its structure. Links keep their address; whoever shows them opens them in the browser. */
export function sanitisePage(html: string): DocumentFragment {
  return pagePurifier.sanitize(html, PAGE);
}

const NOTHING_ELSE = {
  RETURN_DOM_FRAGMENT: true,
  ALLOW_ARIA_ATTR: false,
  ALLOW_DATA_ATTR: false,
  ALLOW_UNKNOWN_PROTOCOLS: false,
} as const satisfies Config;

const INLINE = {
  ...NOTHING_ELSE,
  ALLOWED_TAGS: ["a", "br", "code", "del", "em", "span", "strong"],
  ALLOWED_ATTR: [
    ...["href", "data-host"],
    ...["data-cite", "data-at", "data-tex", "data-display", "data-check", "data-verdict"],
  ],
} as const satisfies Config;

const MATH = {
  ...NOTHING_ELSE,
  ALLOWED_TAGS: [
    ...["span", "svg", "path", "line", "g"],
    ...[
      "math",
      "semantics",
      "annotation",
      "mrow",
      "mi",
      "mn",
      "mo",
      "ms",
      "mtext",
      "mspace",
      "mfrac",
      "msqrt",
      "mroot",
    ],
    ...["msub", "msup", "msubsup", "munder", "mover", "munderover", "mtable", "mtr", "mtd", "mlabeledtr", "menclose"],
    ...["mstyle", "mpadded", "mphantom", "mmultiscripts", "mprescripts", "none"],
  ],
  ALLOWED_ATTR: [
    ...["class", "style", "aria-hidden", "xmlns", "viewBox", "preserveAspectRatio", "width", "height", "d"],
    ...["x1", "x2", "y1", "y2", "stroke-width", "encoding", "display", "mathvariant", "stretchy", "fence", "separator"],
    ...[
      "lspace",
      "rspace",
      "minsize",
      "maxsize",
      "accent",
      "accentunder",
      "linethickness",
      "rowspacing",
      "columnspacing",
    ],
    ...[
      "columnalign",
      "columnlines",
      "rowlines",
      "notation",
      "scriptlevel",
      "displaystyle",
      "mathcolor",
      "mathbackground",
    ],
    ...["mathsize", "depth", "voffset", "movablelimits", "symmetric", "largeop", "side", "rowalign", "frame"],
  ],
} as const satisfies Config;

const PAGE = {
  ...NOTHING_ELSE,
  ALLOWED_TAGS: [
    ...["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "pre", "hr", "br"],
    ...["table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "figure", "figcaption", "div", "section"],
    ...["a", "abbr", "b", "cite", "code", "del", "em", "i", "ins", "kbd", "mark", "q", "s", "samp", "small", "span"],
    ...["strong", "sub", "sup", "time", "u", "var"],
  ],
  ALLOWED_ATTR: ["href", "colspan", "rowspan", "scope", "start", "reversed", "datetime", "dir", "lang"],
} as const satisfies Config;

const inlinePurifier = purifier();
const mathPurifier = purifier();
const pagePurifier = purifier();

// Styles are numbers and colours: nothing in them may name another place.
mathPurifier.addHook("uponSanitizeAttribute", (_, attribute) => {
  if (attribute.attrName === "style" && /url|image|@|\\|\/\*/i.test(attribute.attrValue)) attribute.keepAttr = false;
});

// The library lets more schemes pass than lead into a browser.
for (const links of [inlinePurifier, pagePurifier]) {
  links.addHook("afterSanitizeAttributes", (element) => {
    if (element.nodeName !== "A") return;
    const href = element.getAttribute("href");
    if (href !== null && !webAddress(href)) element.removeAttribute("href");
  });
}

// One for each kind: hooks belong to an instance.
function purifier(): Purifier {
  return DOMPurify(window);
}
