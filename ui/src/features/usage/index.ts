// What models were used for.

export { default as UsageSection } from "./UsageSection.svelte";
