export { default as DatabaseSection } from "./DatabaseSection.svelte";
