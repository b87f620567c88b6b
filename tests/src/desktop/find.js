// The elements of a role (or one of several, `link|button`) whose accessible name matches a pattern, in order, those that can be seen; or only their names.
// An approximation of the specification that is right for plain HTML and ARIA.
const [role, pattern, onlyNames] = arguments;

const NATIVE = {
  article: "article",
  banner: "header",
  button: "button, summary, input[type=submit], input[type=button]",
  checkbox: "input[type=checkbox]",
  combobox: "select, input[list]",
  complementary: "aside",
  dialog: "dialog[open]",
  group: "fieldset, details",
  heading: "h1, h2, h3, h4, h5, h6",
  link: "a[href]",
  list: "ul, ol",
  listitem: "li",
  main: "main",
  mark: "mark",
  navigation: "nav",
  option: "option",
  radio: "input[type=radio]",
  searchbox: "input[type=search]",
  slider: "input[type=range]",
  spinbutton: "input[type=number]",
  status: "output",
  table: "table",
  textbox: "textarea, input:not([type]), input[type=text], input[type=search], input[type=url], input[type=password], [contenteditable=true]",
};

const isShown = (element) =>
  element.checkVisibility?.({ checkVisibilityCSS: true, checkOpacity: false }) !== false &&
  element.getClientRects().length > 0 &&
  !element.closest("[inert], [aria-hidden=true]");

const textOf = (node) => {
  if (node.nodeType === Node.TEXT_NODE) return node.data;
  if (node.nodeType !== Node.ELEMENT_NODE || node.getAttribute("aria-hidden") === "true") return "";
  return node.getAttribute("aria-label") ?? node.getAttribute("alt") ?? [...node.childNodes].map(textOf).join(" ");
};

const nameOf = (element) => {
  const labelled = (element.getAttribute("aria-labelledby") ?? "").split(/\s+/).filter(Boolean);
  const labels = labelled.map((id) => document.getElementById(id)).filter(Boolean);
  if (labels.length > 0) return labels.map(textOf).join(" ");
  const own = element.getAttribute("aria-label");
  if (own) return own;
  if (element.labels?.length > 0) return [...element.labels].map(textOf).join(" ");
  const isField = /^(input|textarea|select)$/i.test(element.tagName);
  const text = isField ? "" : textOf(element);
  return text.trim() ? text : (element.getAttribute("placeholder") ?? element.getAttribute("title") ?? element.value ?? "");
};

const query = role
  .split("|")
  .flatMap((one) => [`[role="${one}"]`, NATIVE[one] && `:is(${NATIVE[one]}):not([role])`].filter(Boolean))
  .join(", ");
const shown = [...document.querySelectorAll(query)].filter(isShown);
const named = shown.map((element) => [element, nameOf(element).replace(/\s+/g, " ").trim()]);
if (onlyNames) return named.map(([, name]) => name);
const matches = new RegExp(pattern, "iu");
return named.filter(([, name]) => matches.test(name)).map(([element]) => element);
