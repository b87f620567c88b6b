export { default as SyncFoot } from "./SyncFoot.svelte";
export { default as SyncSection } from "./SyncSection.svelte";
