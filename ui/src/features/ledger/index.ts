// What an answer sent to whom.

export { default as LedgerButton } from "./LedgerButton.svelte";
