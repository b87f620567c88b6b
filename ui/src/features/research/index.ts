export { default as Contents } from "./Contents.svelte";
export { default as ResearchPanel } from "./ResearchPanel.svelte";
export { headingsOf } from "./headings";
