export { default as QuickAsk } from "./QuickAsk.svelte";
