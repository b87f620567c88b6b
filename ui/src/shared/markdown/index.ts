export { default as Markdown } from "./Markdown.svelte";
export type { Labels } from "./hydrate";
export type { CitationPlace } from "./interaction";
export { hostName, webAddress } from "./links";
export { sanitisePage } from "./sanitise";
