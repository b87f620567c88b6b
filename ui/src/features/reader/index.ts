export { default as ReaderPanel } from "./ReaderPanel.svelte";
