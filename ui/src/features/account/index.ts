export { default as AccountSection } from "./AccountSection.svelte";
